from __future__ import annotations

import numpy as np
import pytest

from tintype.models.bins import ab_bins
from tintype.models.decoding import CLASSES
from tintype.models.heads import put_head
from tintype.models.keras_backend import prepare_keras, set_precision

prepare_keras()

import keras  # noqa: E402


def headed(head: str) -> keras.Model:
    features = keras.Input((4, 4, 6))
    return keras.Model(features, put_head(features, head))  # type: ignore[arg-type]


def test_tanh_says_one_colour_within_the_units() -> None:
    network = headed("tanh")
    ab = np.asarray(network(np.random.default_rng(0).normal(0, 100, (2, 4, 4, 6)).astype(np.float32)))
    assert ab.shape == (2, 4, 4, 2)
    assert 0.5 < np.abs(ab).max() <= 1


def test_classes_give_a_score_for_each_bin_under_the_name_that_decoding_looks_for() -> None:
    network = headed("classes")
    assert network.output_shape == (None, 4, 4, len(ab_bins()))
    assert network.layers[-1].name == CLASSES
    scores = np.asarray(network(np.random.default_rng(0).normal(0, 9, (1, 4, 4, 6)).astype(np.float32)))
    assert scores.min() < 0  # no softmax yet


@pytest.mark.parametrize("head", ["tanh", "classes"])
def test_heads_speak_float32_where_the_rest_is_mixed(head: str) -> None:
    set_precision(True)
    try:
        assert headed(head).layers[-1].compute_dtype == "float32"
    finally:
        set_precision(False)
