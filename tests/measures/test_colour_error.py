from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tintype.imaging.lab import rgb_to_lab
from tintype.measures.metrics import AB_ERRORS, area_under, delta_ab, share_below


def test_the_curve_is_the_share_of_pixels_below_each_error() -> None:
    curve = share_below(np.array([[0, 0.5], [20.5, 400]], np.float32))
    assert curve.shape == AB_ERRORS.shape
    assert curve[[0, 1, 20, 21, 150]].tolist() == [0, 0.5, 0.5, 0.75, 0.75]


def test_weights_say_how_much_a_pixel_counts() -> None:
    curve = share_below(np.array([5, 50], np.float32), np.array([1, 3], np.float32))
    assert curve[[10, 60]].tolist() == [0.25, 1]


@pytest.mark.parametrize(("error", "area"), [(0, 149.5), (30.5, 119.5), (149.5, 0.5), (500, 0)])
def test_the_area_under_a_single_step_is_what_lies_behind_it(error: float, area: float) -> None:
    """Between two samples the trapezoidal rule puts the step in the middle."""
    assert area_under(share_below(np.full(9, error, np.float32))) == pytest.approx(area / 150)


def test_the_area_is_that_of_the_mean_error() -> None:
    """The integral of the share below x, from 0 to 150, is 150 minus the mean error if none is larger."""
    errors = np.random.default_rng(2).uniform(0, 150, 20_000).astype(np.float32)
    assert area_under(share_below(errors)) == pytest.approx(1 - errors.mean() / 150, abs=1e-3)


def test_planted_defects_are_ranked(
    known: np.ndarray, defects: Callable[[np.ndarray], dict[str, np.ndarray]]
) -> None:
    lab = rgb_to_lab(known)
    areas = {
        name: area_under(share_below(delta_ab(rgb_to_lab(rgb8), lab)))
        for name, rgb8 in defects(known).items()
    }
    assert areas["truth"] == pytest.approx(299 / 300)
    assert areas["truth"] > areas["pale"] > areas["paler"] > areas["gray"]
    assert areas["truth"] > max(areas[name] for name in ("garish", "patches", "blurred", "shifted"))
