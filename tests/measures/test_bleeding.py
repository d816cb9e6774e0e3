from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from tintype.imaging.lab import rgb_to_lab
from tintype.measures.bleeding import bleed_score
from tintype.measures.metrics import reduced

DIAGONAL = 500  # of 300 by 400 pixels


def step(at: int, height: float) -> np.ndarray:
    """A plane of (300, 400) that jumps at a column."""
    return np.broadcast_to(np.where(np.arange(400) < at, 0, height), (300, 400)).astype(np.float32)


def colours(a: np.ndarray) -> np.ndarray:
    return np.dstack([np.zeros_like(a), a, np.zeros_like(a)])


@pytest.mark.parametrize("shift", [10, 25, 60])
def test_the_score_of_a_shifted_edge_is_the_shift(shift: int) -> None:
    found = bleed_score(colours(step(200 + shift, 40)), 30 + step(200, 40))
    assert found == pytest.approx(100 * shift / DIAGONAL, abs=0.5 * 100 / DIAGONAL + 0.02)


def test_a_colour_that_ends_where_lightness_does_hardly_bleeds() -> None:
    assert bleed_score(colours(step(200, 40)), 30 + step(200, 40)) < 0.4


def test_saturation_cancels() -> None:
    found = [bleed_score(colours(step(220, height)), 30 + step(200, 40)) for height in (5, 50)]
    assert found[0] == pytest.approx(found[1], rel=1e-3)


def test_the_score_is_a_mean_over_edges_by_their_energy() -> None:
    """An edge 20 pixels off and one half as high at 50: (20 + 50 / 4) / (1 + 1 / 4) pixels."""
    found = bleed_score(colours(step(220, 40) + step(250, 20)), 30 + step(200, 40))
    assert found == pytest.approx(100 / DIAGONAL * (20 + 50 / 4) / 1.25, abs=0.15)


def test_it_is_undefined_without_edges_of_chroma_or_of_lightness() -> None:
    assert math.isnan(bleed_score(colours(np.full((300, 400), 30, np.float32)), 30 + step(200, 40)))
    assert math.isnan(bleed_score(colours(step(200, 40)), np.full((300, 400), 50, np.float32)))


def test_planted_defects_are_ranked(
    known: np.ndarray, defects: Callable[[np.ndarray], dict[str, np.ndarray]]
) -> None:
    lightness = rgb_to_lab(known)[..., 0]
    found = {name: bleed_score(rgb_to_lab(rgb8), lightness) for name, rgb8 in defects(known).items()}
    assert math.isnan(found["gray"])
    assert found["pale"] == pytest.approx(found["truth"], rel=0.15)
    assert found["truth"] < found["blurred"]
    assert 1.5 * found["truth"] < found["shifted"]


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (2, 3000)])
def test_photos_of_odd_sizes_are_judged(shape: tuple[int, int]) -> None:
    lab = np.random.default_rng(0).uniform(0, 50, (*shape, 3)).astype(np.float32)
    assert not bleed_score(lab, lab[..., 0]) < 0


def test_where_arrays_happen_to_lie_in_memory_makes_no_difference(coffee: np.ndarray) -> None:
    lab = rgb_to_lab(reduced(coffee, 64))
    found, kept = set(), []
    for size in range(16, 1600, 16):
        kept.append(np.empty(size, np.uint8))  # so that what follows is put elsewhere
        found.add(bleed_score(lab, lab[..., 0]))
    assert len(found) == 1
