"""What a version has to do before it is taken into service."""

import numpy as np
import pytest

from tintype.colorize import Colorizer
from tintype.serving.model.smoke_test import SmokeTestError, known_photos, smoke_test


class Faulty(Colorizer):
    """A real model whose output is spoilt on the way out."""

    def __init__(self, whole, spoil):
        super().__init__(whole.info, whole._network, whole._backbone)
        self._spoil = spoil

    def predict(self, l8, gray8):
        return self._spoil(super().predict(l8, gray8))


@pytest.fixture(scope="module")
def whole(bundle):
    return Colorizer.load(bundle)


def with_one_that_is_no_number(ab):
    ab[0, 0, 0, 0] = np.nan
    return ab


def test_a_whole_model_passes(whole):
    smoke_test(whole)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (with_one_that_is_no_number, "Expected colours that are numbers for an even gray. Received: "),
        (lambda ab: ab * np.inf, "Expected colours that are numbers for an even gray. Received: "),
        (lambda ab: ab[..., :1], r"Expected colours of shape \(1, h, w, 2\) for an even gray"),
        (lambda ab: ab[:0], "Expected colours of shape "),
    ],
)
def test_a_faulty_one_does_not(whole, spoil, sentence):
    with pytest.raises(SmokeTestError, match=sentence):
        smoke_test(Faulty(whole, spoil))


def test_a_slow_one_does_not(whole, monkeypatch):
    monkeypatch.setattr("tintype.serving.model.smoke_test._MOST_SECONDS", 0.0)
    with pytest.raises(SmokeTestError, match=r"Expected an even gray in colour within 0 s\. It took "):
        smoke_test(whole)


def test_the_known_photos_are_the_same_each_time():
    first, second = known_photos(), known_photos()
    assert list(first) == list(second)
    for one, two in zip(first.values(), second.values(), strict=True):
        assert one.dtype == np.uint8
        assert one.shape == (96, 128, 3)
        assert np.array_equal(one, two)
    assert first["a ramp from black to white"].min() == 0
    assert first["a ramp from black to white"].max() == 255
