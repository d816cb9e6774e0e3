"""Fading of what is uncertain, and the picture of it."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tintype.formats.encode import confidence_png
from tintype.imaging.confidence import FADE, faded

SURE = np.linspace(0, 1, 101, dtype=np.float32).reshape(1, -1)
AB = np.full((1, 101, 2), (30, -20), np.float32)


def test_colours_fade_softly_around_the_threshold() -> None:
    share = faded(AB, SURE, 0.6)[0, :, 0] / 30
    assert share[60] == pytest.approx(0.5, abs=1e-5)
    assert not share[:55].any()
    np.testing.assert_allclose(share[66:], 1)
    assert (np.diff(share) >= 0).all()
    assert np.diff(share).max() < 0.2
    assert share[55:66].sum() == pytest.approx(0.5 * 11, abs=1e-4)  # as much below as above
    assert FADE == 0.05


def test_hue_stays() -> None:
    gone = faded(AB, SURE, 0.6)
    np.testing.assert_allclose(gone[..., 1] * 30, gone[..., 0] * -20, atol=1e-3)


def test_a_threshold_of_0_keeps_all_even_where_nothing_is_sure() -> None:
    np.testing.assert_array_equal(faded(AB, np.zeros_like(SURE), 0), AB)


def test_what_comes_in_is_left_as_it_was() -> None:
    before = AB.copy()
    faded(AB, SURE, 0.5)
    np.testing.assert_array_equal(AB, before)


@pytest.mark.parametrize("size", [(3, 40), (200, 1), (1, 1), (700, 900)])
def test_the_picture_has_the_photos_size_and_all_levels(size: tuple[int, int]) -> None:
    confidence = np.tile(SURE, (16, 1))
    with Image.open(io.BytesIO(confidence_png(confidence, *size))) as picture:
        assert (picture.format, picture.mode, picture.size) == ("PNG", "L", size[::-1])
        levels = np.asarray(picture).astype(int)
    assert (np.diff(levels, axis=1) >= 0).all()
    assert np.ptp(levels, axis=0).max() == 0
    assert levels.mean() == pytest.approx(127.5, abs=1)
    if size[1] > 100:
        assert (levels[0, 0], levels[0, -1]) == (0, 255)


def test_the_picture_is_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    confidence = np.random.default_rng(1).random((16, 16), np.float32)
    in_strips = confidence_png(confidence, 300, 2000)
    monkeypatch.setattr("tintype.imaging.geometry.STRIP_PIXELS", 10**9)
    whole = confidence_png(confidence, 300, 2000)
    assert in_strips == whole
