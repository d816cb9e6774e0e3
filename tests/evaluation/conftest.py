from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tintype.formats.photo import read_photo
from tintype.imaging.lab import lab_to_rgb, rgb_to_lab

SAMPLE = Path(__file__).parents[2] / "data" / "sample"


@pytest.fixture(scope="session")
def sample() -> Path:
    """The folder of sample photos."""
    return SAMPLE


@pytest.fixture(scope="session")
def cat() -> np.ndarray:
    return read_photo(SAMPLE / "cat.jpg").rgb8


@pytest.fixture(scope="session")
def turn_hue() -> Callable[[np.ndarray, float], np.ndarray]:
    """A photo with all hues turned: about as colourful as before, and wrong."""

    def turned(rgb8: np.ndarray, degrees: float) -> np.ndarray:
        lab = rgb_to_lab(rgb8)
        turn = np.exp(1j * np.deg2rad(degrees))
        ab = (lab[..., 1] + 1j * lab[..., 2]) * turn
        lab[..., 1], lab[..., 2] = ab.real, ab.imag
        return lab_to_rgb(lab)

    return turned
