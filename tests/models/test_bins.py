from __future__ import annotations

import numpy as np
import pytest

from tintype.imaging.lab import rgb_to_lab
from tintype.models.bins import ab_bins, class_weights, nearest_bin


def test_there_are_260_bins_ten_units_apart() -> None:
    bins = ab_bins()
    assert bins.shape == (260, 2)
    assert bins.dtype == np.float32
    assert len(np.unique(bins, axis=0)) == 260
    assert (bins % 10 == 0).all()
    assert [0, 0] in bins.tolist()
    assert bins.tolist() == sorted(bins.tolist())


def test_every_colour_that_srgb_has_is_in_a_bins_cell() -> None:
    levels = np.arange(
        0, 256, 5, np.uint8
    )  # other levels than those that the bins were found from, most of them
    cube = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1)
    ab = rgb_to_lab(cube.reshape(-1, len(levels), 3))[..., 1:].reshape(-1, 2)
    distance = np.abs(ab - ab_bins()[nearest_bin(ab, ab_bins())]).max(axis=-1)
    # The few beyond half a step are in cells of which the gamut has a corner only.
    assert (distance <= 5).mean() > 0.9995
    assert distance.max() < 6


def test_each_bin_is_the_nearest_to_some_colour_of_srgb() -> None:
    levels = np.linspace(0, 255, 52).astype(np.uint8)
    cube = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1)
    ab = rgb_to_lab(cube.reshape(-1, len(levels), 3))[..., 1:]
    assert len(np.unique(nearest_bin(ab, ab_bins()))) == 260


def test_the_nearest_bin_is_the_nearest() -> None:
    bins = ab_bins()
    ab = np.random.default_rng(0).uniform(-110, 100, (7, 11, 2)).astype(np.float32)
    distances = np.linalg.norm(ab[:, :, np.newaxis] - bins, axis=-1)
    nearest = nearest_bin(ab, bins)
    assert nearest.shape == (7, 11)
    np.testing.assert_allclose(
        np.take_along_axis(distances, nearest[..., np.newaxis], -1)[..., 0], distances.min(axis=-1), atol=1e-4
    )


def skewed() -> np.ndarray:
    """Shares of the bins that fall off with chroma, as a real photo's do."""
    prior = np.exp(-np.linalg.norm(ab_bins(), axis=1) / 10).astype(np.float64)
    return prior / prior.sum()


def test_without_rebalancing_all_classes_weigh_one() -> None:
    np.testing.assert_allclose(class_weights(skewed(), ab_bins(), 0.0), 1, rtol=1e-6)


@pytest.mark.parametrize("rebalance", [0.1, 0.5, 0.9, 1.0])
def test_the_mean_weight_over_the_colours_is_one_and_rarer_ones_weigh_more(rebalance: float) -> None:
    bins, prior = ab_bins(), skewed()
    weights = class_weights(prior, bins, rebalance)
    assert weights.dtype == np.float32
    smooth = smoothed(prior, bins)
    assert smooth @ weights == pytest.approx(1, rel=1e-5)
    order = np.argsort(smooth)
    assert (np.diff(weights[order]) <= 1e-6).all()
    assert weights[order[0]] > weights[order[-1]]


def smoothed(prior: np.ndarray, bins: np.ndarray) -> np.ndarray:
    """A Gaussian of 5 units over the bins, each bin's share dealt out in whole."""
    smooth = np.zeros(len(bins))
    for share, centre in zip(prior, bins, strict=True):
        kernel = np.exp(-np.square(np.linalg.norm(bins - centre, axis=1)) / 50)
        smooth += share * kernel / kernel.sum()
    return smooth


def test_two_bins_by_hand() -> None:
    bins = np.array([[0, 0], [10, 0]], np.float32)
    # The Gaussian is e^-2 ten units away: of each bin 0.8808 stay, 0.1192 go to the other.
    common = (0.9 * 1 + 0.1 * np.exp(-2)) / (1 + np.exp(-2))
    rare = 1 - common
    assert common == pytest.approx(0.804638, abs=1e-6)
    # lambda 0.5 of two classes: 1 / (0.25 + 0.402319) = 1.532992, 1 / (0.25 + 0.097681) = 2.876200;
    # their mean over the colours is 0.804638 * 1.532992 + 0.195362 * 2.876200 = 1.795404.
    np.testing.assert_allclose(
        class_weights(np.array([0.9, 0.1]), bins, 0.5), [0.853842, 1.601980], rtol=1e-5
    )
    # Rebalanced in full, every colour counts as much as every other: 1 / (2 p).
    np.testing.assert_allclose(
        class_weights(np.array([0.9, 0.1]), bins, 1.0), [1 / (2 * common), 1 / (2 * rare)], rtol=1e-6
    )


def test_a_colour_that_no_photo_has_gets_a_weight_all_the_same() -> None:
    prior = np.zeros(260)
    prior[nearest_bin(np.zeros(2, np.float32), ab_bins())] = 1
    weights = class_weights(prior, ab_bins(), 0.5)
    assert np.isfinite(weights).all()
    assert weights.max() < 260
