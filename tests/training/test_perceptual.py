from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tintype.models.bins import ab_bins, nearest_bin
from tintype.models.keras_backend import make_deterministic, prepare_keras
from tintype.models.network import AB_LIMIT

prepare_keras()

import keras  # noqa: E402

from tintype.training.perceptual import MAPS, expected_ab, feature_distance  # noqa: E402

SIZE = 32


@pytest.fixture(scope="module")
def distance() -> Any:
    """The distance as random convolutions see it, with maps at the strides of a backbone."""
    make_deterministic(3)
    rgb = keras.Input((SIZE, SIZE, 3))
    x = keras.layers.Rescaling(1 / 127.5, offset=-1.0)(rgb)
    x = keras.layers.Conv2D(8, 4, strides=4, activation="relu")(x)
    maps = {"stride_4": x}
    for stride in (8, 16):
        x = keras.layers.Conv2D(8, 2, strides=2, activation="relu")(x)
        maps[f"stride_{stride}"] = x
    return feature_distance(keras.Model(rgb, maps))


@pytest.fixture(scope="module")
def truth() -> Any:
    """Two crops of smooth lightness and chroma, (2, S, S, 3): L* as 0..255, ab in [-1, 1]."""
    y, x = np.mgrid[:SIZE, :SIZE] / SIZE
    crop = np.stack([60 + 120 * y, 0.25 * np.sin(4 * x), 0.3 * np.cos(3 * y)], axis=-1)
    return np.stack([crop, crop[::-1]]).astype(np.float32)


def test_the_truth_is_at_no_distance(distance: Any, truth: Any) -> None:
    found = np.asarray(distance(truth, truth[..., 1:]))
    assert found.shape == (2,)
    np.testing.assert_allclose(found, 0, atol=1e-8)


def test_grows_as_colours_fade(distance: Any, truth: Any) -> None:
    found = [np.asarray(distance(truth, truth[..., 1:] * share)) for share in (0.9, 0.6, 0.3, 0.0)]
    assert (np.diff(found, axis=0) > 0).all()


def test_grows_with_every_planted_patch(distance: Any, truth: Any) -> None:
    patched, found = truth[..., 1:].copy(), [np.zeros(2)]
    for row, column in ((2, 4), (12, 20), (22, 8)):
        patched[:, row : row + 6, column : column + 6] += np.float32(40 / AB_LIMIT)
        found.append(np.asarray(distance(truth, patched)))
    assert (np.diff(found, axis=0) > 0).all()


def test_is_the_mean_over_the_maps_in_units_of_the_truths_mean_square() -> None:
    rgb = keras.Input((SIZE, SIZE, 3))
    red = rgb[..., :1]
    maps = keras.Model(rgb, {name: red * (number + 1.0) for number, name in enumerate(MAPS)})
    truth = np.zeros((1, SIZE, SIZE, 3), np.float32)
    truth[..., 0] = 128
    gray = np.zeros((1, SIZE, SIZE, 2), np.float32)
    other = gray + np.float32(10 / AB_LIMIT)
    plain = maps(_rgb(truth, gray))["stride_4"]
    changed = maps(_rgb(truth, other))["stride_4"]
    expected = np.mean(np.square(plain - changed)) / np.mean(np.square(plain))
    # The maps differ by a factor, which the unit takes out.
    np.testing.assert_allclose(np.asarray(feature_distance(maps)(truth, other)), expected, rtol=1e-4)


def _rgb(truth: Any, ab: Any) -> Any:
    from tintype.models.lab_graph import rgb_from_lab

    return rgb_from_lab(truth[..., :1], ab * AB_LIMIT)


def test_takes_classes_at_a_fraction_of_the_size_by_their_mean(distance: Any, truth: Any) -> None:
    bins = ab_bins()
    flat = truth.copy()
    flat[..., 1:] = bins[100] / AB_LIMIT  # one bin's colour everywhere
    sure = np.zeros((2, SIZE // 4, SIZE // 4, len(bins)), np.float32)
    sure[..., nearest_bin(bins[100], bins)] = 50
    np.testing.assert_allclose(
        np.asarray(expected_ab(sure)), np.broadcast_to(bins[100], (2, 8, 8, 2)), atol=1e-3
    )
    assert np.asarray(distance(flat, sure)).max() < 1e-6
    assert np.asarray(distance(flat, np.zeros_like(sure))).min() > 1e-3
