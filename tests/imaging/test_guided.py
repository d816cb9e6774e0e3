"""Colours that follow the photo's edges, and nothing that they should not follow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tintype.formats.photo import read_photo
from tintype.imaging.geometry import resize
from tintype.imaging.guided import GuidedColours
from tintype.imaging.lab import rgb_to_lab

Planes = NDArray[np.float32]


def _guided(ab: Planes, lightness: Planes) -> Planes:
    """Colours at the size of the lightness."""
    height, width = lightness.shape
    small = resize(lightness, *ab.shape[:2])
    return np.dstack(GuidedColours(ab, small, height, width).strip(slice(0, height), lightness))


def _house() -> tuple[Planes, Planes]:
    """A dark red house before a light blue sky, its edge a straight one at column 37 of 80: L* and ab."""
    lightness = np.full((60, 80), 80, np.float32)
    lightness[:, 37:] = 30
    ab = np.full((60, 80, 2), (-10, -30), np.float32)
    ab[:, 37:] = (40, 30)
    return lightness, ab


def test_colours_change_where_lightness_does() -> None:
    lightness, truth = _house()
    few = resize(truth, 6, 8)  # the edge lies within a colour
    plain = np.abs(resize(few, 60, 80) - truth).mean()
    assert np.abs(_guided(few, lightness) - truth).mean() < 0.5 * plain
    jump = np.abs(np.diff(_guided(few, lightness)[30, :, 0]))
    assert jump.argmax() == 36
    assert jump.max() > 25


def test_the_samples_own_colours_come_back_better_than_by_plain_enlarging(sample: Path) -> None:
    better = []
    for name in ("astronaut", "coffee", "dahlia", "temple"):
        lab = rgb_to_lab(read_photo(sample / f"{name}.jpg").rgb8)
        truth, few = lab[..., 1:], resize(lab[..., 1:], 32, 32)
        plain = np.linalg.norm(resize(few, *truth.shape[:2]) - truth, axis=-1).mean()
        better.append(np.linalg.norm(_guided(few, lab[..., 0]) - truth, axis=-1).mean() / plain)
    assert sorted(better)[2] < 0.9  # on the temple it is worse by a hundredth
    assert np.mean(better) < 0.9


@pytest.mark.parametrize("contrast", [0, 2, 100])
def test_stays_between_the_neighbouring_colours(contrast: float) -> None:
    random = np.random.default_rng(2)
    ab = random.uniform(-60, 60, (9, 7, 2)).astype(np.float32)
    lightness = np.clip(50 + contrast * random.normal(0, 1, (90, 84)), 0, 100).astype(np.float32)
    guided = _guided(ab, lightness)
    for channel in (0, 1):
        for row, column in np.ndindex(90, 84):
            around = ab[max(0, row // 10 - 2) : row // 10 + 3, max(0, column // 12 - 2) : column // 12 + 3]
            assert around[..., channel].min() - 1e-3 <= guided[row, column, channel]
            assert guided[row, column, channel] <= around[..., channel].max() + 1e-3


def test_without_edges_it_is_plain_enlarging() -> None:
    ab = np.random.default_rng(3).uniform(-60, 60, (9, 7, 2)).astype(np.float32)
    flat = np.full((90, 84), 50, np.float32)
    np.testing.assert_allclose(_guided(ab, flat), resize(ab, 90, 84), atol=1e-3)


def test_one_colour_stays_one_colour_and_none_stays_none(cat: NDArray[np.uint8]) -> None:
    lightness = rgb_to_lab(cat)[..., 0]
    guided = _guided(np.full((32, 32, 2), (12, -7), np.float32), lightness)
    np.testing.assert_array_equal(guided, np.broadcast_to(np.float32([12, -7]), guided.shape))
    assert not _guided(np.zeros((32, 32, 2), np.float32), lightness).any()


def test_grain_is_hardly_followed() -> None:
    grain = np.random.default_rng(4).normal(50, 5, (300, 400)).astype(np.float32)
    ab = resize(np.random.default_rng(5).normal(0, 20, (8, 8, 2)).astype(np.float32), 32, 32)
    assert np.abs(_guided(ab, grain) - resize(ab, 300, 400)).mean() < 0.5


def test_rows_are_the_same_whichever_others_come_with_them(cat: NDArray[np.uint8]) -> None:
    lightness = rgb_to_lab(cat)[..., 0]
    height, width = lightness.shape
    ab = np.random.default_rng(6).uniform(-60, 60, (32, 32, 2)).astype(np.float32)
    colours = GuidedColours(ab, resize(lightness, 32, 32), height, width)
    whole = np.dstack(colours.strip(slice(0, height), lightness))
    for portion in (1, 7, 64):
        parts = [
            np.dstack(colours.strip(slice(top, min(top + portion, height)), lightness[top : top + portion]))
            for top in range(0, height, portion)
        ]
        np.testing.assert_array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (5, 3)])
def test_photos_of_few_pixels(shape: tuple[int, int]) -> None:
    lightness = np.random.default_rng(7).uniform(0, 100, shape).astype(np.float32)
    ab = np.full((min(4, shape[0]), min(4, shape[1]), 2), 9, np.float32)
    np.testing.assert_array_equal(_guided(ab, lightness), np.full((*shape, 2), 9, np.float32))
