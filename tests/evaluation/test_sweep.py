from __future__ import annotations

import math

import numpy as np
import pytest

from tintype.evaluation.quality_curve import FACTORS, pooled, sweep
from tintype.imaging.lab import rgb_to_lab
from tintype.measures.metrics import reduced


@pytest.fixture(scope="module")
def rows(coffee: np.ndarray) -> list[dict[str, str | float]]:
    """The truth's own chroma, and a single colour."""
    truth = reduced(coffee, 200)
    ab = rgb_to_lab(truth)[..., 1:]
    return sweep("coffee", truth, {"ours": ab, "mean_ab": np.broadcast_to(ab.mean(axis=(0, 1)), ab.shape)})


def column(rows: list[dict[str, str | float]], method: str, name: str) -> np.ndarray:
    return np.array([row[name] for row in rows if row["painter"] == method])


def test_colours_and_patches_rise_with_the_factor(rows: list[dict[str, str | float]]) -> None:
    assert tuple(column(rows, "ours", "factor")) == FACTORS
    assert (np.diff(column(rows, "ours", "colourfulness")) > 0).all()
    shown = slice(FACTORS.index(1.4) + 1)  # beyond, the gamut evens colours out
    assert (np.diff(column(rows, "ours", "patch_gradient")[shown]) > 0).all()


def test_at_no_factor_it_is_gray_and_at_one_it_is_what_was_given(rows: list[dict[str, str | float]]) -> None:
    error, colours = column(rows, "ours", "delta_e2000_mean"), column(rows, "ours", "colourfulness")
    assert colours[FACTORS.index(0)] == 0
    assert error[FACTORS.index(0)] == column(rows, "mean_ab", "delta_e2000_mean")[0]
    assert error.argmin() == FACTORS.index(1)
    assert error[FACTORS.index(1)] < 0.5
    assert colours[FACTORS.index(1)] == pytest.approx(rows[0]["truth_colourfulness"], rel=0.02)
    assert column(rows, "ours", "patch_score")[FACTORS.index(1)] == pytest.approx(1, abs=0.02)


def test_a_front_is_of_ratios_of_sums_and_mean_errors() -> None:
    first = {
        "photo": "a",
        "painter": "ours",
        "factor": 1.0,
        "colourfulness": 10.0,
        "truth_colourfulness": 20.0,
        "delta_e2000_mean": 8.0,
        "patch_score": math.nan,
        "patch_gradient": 1.0,
        "truth_patch_gradient": 0.0,
    }
    second = first | {
        "photo": "b",
        "colourfulness": 30.0,
        "delta_e2000_mean": 10.0,
        "truth_patch_gradient": 4.0,
    }
    assert pooled([first, first | {"factor": 2.0}, second]) == [
        {
            "painter": "ours",
            "factor": 1.0,
            "colourfulness_ratio": 1,
            "delta_e2000_mean": 9,
            "patch_score": 0.5,
        },
        {
            "painter": "ours",
            "factor": 2.0,
            "colourfulness_ratio": 0.5,
            "delta_e2000_mean": 8,
            "patch_score": pytest.approx(math.nan, nan_ok=True),
        },
    ]
