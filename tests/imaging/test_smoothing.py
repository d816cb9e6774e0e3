"""Colours smoothed where lightness gives no reason for them to change."""

from __future__ import annotations

import numpy as np
import pytest

from tintype.imaging.smoothing import EDGE, smooth_colours

RANDOM = np.random.default_rng(7)


def system(lightness: np.ndarray, strength: float) -> np.ndarray:
    """The matrix of the normal equations, place by place."""
    height, width = lightness.shape
    matrix = np.eye(height * width)
    for row in range(height):
        for column in range(width):
            for other in ((row + 1, column), (row, column + 1)):
                if other[0] < height and other[1] < width:
                    step = lightness[row, column] - lightness[other]
                    weight = strength * np.exp(-((step / EDGE) ** 2))
                    one, two = row * width + column, other[0] * width + other[1]
                    matrix[[one, two], [one, two]] += weight
                    matrix[[one, two], [two, one]] -= weight
    return matrix


@pytest.mark.parametrize("strength", [0.5, 8.0, 100.0])
def test_it_solves_the_equations(strength: float) -> None:
    lightness = RANDOM.uniform(0, 20, (2, 6, 9)).astype(np.float32)
    ab = RANDOM.normal(0, 30, (2, 6, 9, 2)).astype(np.float32)
    found = smooth_colours(ab, lightness, strength)
    for photo in range(2):
        exact = np.linalg.solve(system(lightness[photo], strength), ab[photo].reshape(-1, 2))
        assert np.abs(found[photo].reshape(-1, 2) - exact).max() < 0.01 * np.abs(ab).max()


def test_a_blotch_on_a_wall_spreads_thin_and_the_mean_stays() -> None:
    ab = np.zeros((1, 32, 32, 2), np.float32)
    ab[0, 14:18, 14:18] = (40, -20)
    found = smooth_colours(ab, np.full((1, 32, 32), 60, np.float32), 8.0)
    assert np.abs(found).max() < 0.6 * 40
    np.testing.assert_allclose(found.mean(axis=(1, 2)), ab.mean(axis=(1, 2)), rtol=0.01)


def test_what_has_an_outline_keeps_its_colour() -> None:
    ab, lightness = np.zeros((1, 32, 32, 2), np.float32), np.full((1, 32, 32), 60, np.float32)
    ab[0, 10:20, 10:20], lightness[0, 10:20, 10:20] = (40, -20), 25
    found = smooth_colours(ab, lightness, 8.0)
    np.testing.assert_allclose(found, ab, atol=0.1)


def test_no_strength_changes_nothing_and_photos_do_not_see_each_other() -> None:
    ab = RANDOM.normal(0, 30, (3, 8, 8, 2)).astype(np.float32)
    lightness = RANDOM.uniform(0, 100, (3, 8, 8)).astype(np.float32)
    assert smooth_colours(ab, lightness, 0.0) is ab
    together = smooth_colours(ab, lightness, 4.0)
    assert together.dtype == np.float32
    for photo in range(3):
        one = slice(photo, photo + 1)
        np.testing.assert_array_equal(smooth_colours(ab[one], lightness[one], 4.0), together[one])


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1)])
def test_a_lone_row_or_place_is_no_trouble(shape: tuple[int, int]) -> None:
    ab = RANDOM.normal(0, 30, (1, *shape, 2)).astype(np.float32)
    found = smooth_colours(ab, np.full((1, *shape), 50, np.float32), 8.0)
    assert found.shape == ab.shape
    assert found.std() <= ab.std()
