from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from tintype.imaging.lab import rgb_to_lab
from tintype.measures.patches import patch_gradient, patch_score

FLAT = np.full((90, 120), 50, np.float32)


def colours(a: np.ndarray, shape: tuple[int, int] = (90, 120)) -> np.ndarray:
    lab = np.zeros((*shape, 3), np.float32)
    lab[..., 1] = a
    return lab


def test_a_ramp_of_colour_has_the_slope_computed_by_hand() -> None:
    """0.2 Lab units a pixel, and a percent of this photo's diagonal is 1.5 pixels."""
    ramp = colours(0.2 * np.arange(120, dtype=np.float32))
    assert patch_gradient(ramp, FLAT) == pytest.approx(0.2 * 1.5, rel=0.03)


def test_gray_and_a_single_colour_have_none() -> None:
    assert patch_gradient(colours(np.float32(0)), FLAT) == 0
    assert patch_gradient(colours(np.float32(30)), FLAT) == pytest.approx(0, abs=1e-4)


def test_a_change_that_lightness_explains_hardly_counts() -> None:
    step = np.where(np.arange(120) < 60, 0, 30).astype(np.float32)
    explained = np.broadcast_to(40 + step, (90, 120)).astype(np.float32)
    assert patch_gradient(colours(step), explained) < 0.1 * patch_gradient(colours(step), FLAT)


def test_it_grows_in_step_with_saturation() -> None:
    ramp = 0.2 * np.arange(120, dtype=np.float32)
    assert patch_gradient(colours(2 * ramp), FLAT) == pytest.approx(2 * patch_gradient(colours(ramp), FLAT))


def test_the_score_does_not_depend_on_the_size_of_the_photo(cat: np.ndarray) -> None:
    small, large = rgb_to_lab(cat), rgb_to_lab(cat.repeat(3, axis=0).repeat(3, axis=1))
    assert patch_gradient(large, large[..., 0]) == pytest.approx(
        patch_gradient(small, small[..., 0]), rel=0.02
    )


def test_planted_defects_are_ranked(
    known: np.ndarray, defects: Callable[[np.ndarray], dict[str, np.ndarray]]
) -> None:
    lightness = rgb_to_lab(known)[..., 0]
    found = {name: patch_gradient(rgb_to_lab(rgb8), lightness) for name, rgb8 in defects(known).items()}
    assert found["gray"] == pytest.approx(0, abs=1e-4)
    assert found["gray"] < found["paler"] < found["pale"] < found["truth"] < found["garish"]
    assert found["patches"] > 1.2 * found["truth"]
    assert found["shifted"] > found["truth"]


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (2, 3000)])
def test_photos_of_odd_sizes_have_a_finite_score(shape: tuple[int, int]) -> None:
    lab = np.random.default_rng(0).uniform(0, 50, (*shape, 3)).astype(np.float32)
    assert math.isfinite(patch_gradient(lab, lab[..., 0]))


def test_the_score_is_a_ratio_of_sums() -> None:
    assert patch_score([1, 3], [2, 2]) == 1
    assert patch_score([1, 1], [0.01, 2]) == pytest.approx(2 / 2.01)  # nearly gray truth has no say
    assert math.isnan(patch_score([1], [0]))
