from __future__ import annotations

import numpy as np
import pytest

from tintype.imaging.lab import rgb_to_lab
from tintype.measures.gamut import out_of_gamut_share

# sRGB's red is L* 53.24, a* 80.09, b* 67.20; black and white have no colours beside them.
INSIDE = [(53.24, 80.0, 67.1), (50, 0, 0), (0, 0, 0), (100, 0, 0), (70, 20, -20)]
OUTSIDE = [(53.24, 85.0, 67.2), (100, 5, 0), (0, 5, 5), (50, 0, -100), (80, -100, 0)]


@pytest.mark.parametrize(("colours", "share"), [(INSIDE, 0), (OUTSIDE, 1), (INSIDE + OUTSIDE, 0.5)])
def test_colours_known_to_be_inside_and_outside(colours: list[tuple[float, ...]], share: float) -> None:
    lab = np.array([colours], np.float32)
    assert out_of_gamut_share(lab[..., 0], lab[..., 1:]) == share


def test_all_that_a_photo_holds_is_inside(coffee: np.ndarray) -> None:
    lab = rgb_to_lab(coffee)
    assert out_of_gamut_share(lab[..., 0], lab[..., 1:]) == 0


def test_the_more_saturated_the_more_lies_outside(coffee: np.ndarray) -> None:
    lab = rgb_to_lab(coffee)
    shares = [out_of_gamut_share(lab[..., 0], gain * lab[..., 1:]) for gain in (0, 1, 1.6, 3)]
    assert shares[0] == shares[1] == 0 < shares[2] < shares[3] < 1


def test_chroma_of_another_size_is_stretched() -> None:
    ab = np.zeros((2, 2, 2), np.float32)
    ab[1] = 120
    assert out_of_gamut_share(np.full((80, 60), 50, np.float32), ab) == pytest.approx(0.5, abs=0.2)


def test_a_large_photo_with_few_pixels_outside() -> None:
    """More than 32767 of them at once are too many for OpenCV."""
    lightness = np.full((1000, 1000), 50, np.float32)
    ab = np.zeros((1000, 1000, 2), np.float32)
    ab[:40] = 110
    assert out_of_gamut_share(lightness, ab) == 0.04
