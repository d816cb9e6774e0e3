from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tintype.evaluation.prior import prior_of, prior_of_files
from tintype.files.digest import sha256_of
from tintype.imaging.picture import PhotoFile
from tintype.measures.metrics import area_under, share_below

GRAY, RED = (0, 0), (60, 40)


def pixels(*colours: tuple[float, float]) -> np.ndarray:
    return np.array([colours], np.float32)


def test_a_colour_weighs_as_much_as_it_is_rare() -> None:
    prior = prior_of([pixels(GRAY, GRAY, GRAY, RED)])
    common, rare = prior.weights(pixels(GRAY, RED))[0]
    assert rare == pytest.approx(3 * common)
    assert prior.shares.sum() == pytest.approx(1)


def test_smoothing_is_a_gaussian_of_five_units() -> None:
    """Half a bin: the neighbour has exp(-1 / (2 0.5^2)) of the middle."""
    shares = prior_of([pixels(GRAY)]).shares
    assert shares[13, 12] / shares[12, 12] == pytest.approx(np.exp(-2))


def test_the_mean_weight_of_the_colours_counted_is_one() -> None:
    prior = prior_of([np.random.default_rng(0).normal(0, 25, (50, 40, 2)).astype(np.float32)])
    every = np.stack(np.meshgrid(*[np.arange(-120, 121, 10.0)] * 2, indexing="ij"), axis=-1).astype(
        np.float32
    )
    assert np.sum(prior.shares * prior.weights(every)) == pytest.approx(1, rel=1e-4)


def test_photos_count_alike_whatever_their_size() -> None:
    small, large = pixels(RED), pixels(*[GRAY] * 9)
    common, rare = prior_of([small, large]).weights(pixels(GRAY, RED))[0]
    assert rare == pytest.approx(common)


def test_a_colour_that_training_never_saw_has_a_large_and_finite_weight() -> None:
    common, never, beyond = prior_of([pixels(GRAY)]).weights(pixels(GRAY, (-90, 90), (500, 0)))[0]
    assert 1e3 < never / common < 1e6
    assert np.isfinite(beyond)


def test_the_rebalanced_area_asks_for_rare_colours_too() -> None:
    """Right on three gray pixels, 72 off on the red one: three quarters of pixels, half of colours."""
    truth = pixels(GRAY, GRAY, GRAY, RED)
    error = np.hypot(*np.moveaxis(truth, -1, 0))
    weights = prior_of([truth]).weights(truth)
    plain, rebalanced = share_below(error)[10], share_below(error, weights)[10]
    assert (plain, rebalanced) == (0.75, pytest.approx(0.5))
    assert area_under(share_below(error, weights)) < area_under(share_below(error))


def test_photos_are_counted_from_disk(sample: Path) -> None:
    files = (sample / "coffee.jpg", sample / "cat.jpg")
    prior = prior_of_files(PhotoFile(path, sha256_of(path)) for path in files)
    gray, brown, blue = prior.weights(pixels((0, 0), (10, 20), (20, -70)))[0]
    assert gray < blue
    assert brown < blue


def test_without_photos_there_is_no_prior() -> None:
    with pytest.raises(ValueError, match="none"):
        prior_of([])
