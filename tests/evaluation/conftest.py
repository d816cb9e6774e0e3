from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from tintype.evaluation.baselines import all_gray
from tintype.evaluation.gradients import smoothed
from tintype.evaluation.reducing import reduced
from tintype.imaging.lab import lab_to_rgb, rgb_to_lab
from tintype.imaging.photo import read_photo

SAMPLE = Path(__file__).parents[2] / "data" / "sample"


@pytest.fixture(scope="session")
def sample() -> Path:
    """The folder of sample photos."""
    return SAMPLE


@pytest.fixture(scope="session")
def coffee() -> np.ndarray:
    return read_photo(SAMPLE / "coffee.jpg").rgb8


@pytest.fixture(scope="session")
def cat() -> np.ndarray:
    return read_photo(SAMPLE / "cat.jpg").rgb8


@pytest.fixture(scope="session")
def saturate() -> Callable[[np.ndarray, float], np.ndarray]:
    """A photo with its chroma multiplied."""

    def saturated(rgb8: np.ndarray, gain: float) -> np.ndarray:
        lab = rgb_to_lab(rgb8)
        lab[..., 1:] *= gain
        return lab_to_rgb(lab)

    return saturated


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


@pytest.fixture(scope="session")
def scene() -> np.ndarray:
    """A made-up photo, (120, 160, 3) uint8: a red disc and a green bar on blue-gray, each of its own lightness."""
    lab = np.full((120, 160, 3), (70, -3, -12), np.float32)
    rows, columns = np.mgrid[:120, :160]
    lab[(rows - 60) ** 2 + (columns - 50) ** 2 < 30**2] = (45, 45, 25)
    lab[20:100, 110:140] = (55, -35, 30)
    return lab_to_rgb(lab)


@pytest.fixture(scope="session")
def defects(
    saturate: Callable[[np.ndarray, float], np.ndarray],
) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
    """A photo with planted defects, by name; the lightness stays."""

    def planted(rgb8: np.ndarray) -> dict[str, np.ndarray]:
        lab = rgb_to_lab(rgb8)
        ab = lab[..., 1:]
        step = round(0.03 * np.hypot(*ab.shape[:2]))
        blotches = np.random.default_rng(5).normal(0, 15, (6, 8, 2)).astype(np.float32)
        return {
            "truth": rgb8,
            "pale": saturate(rgb8, 0.6),
            "paler": saturate(rgb8, 0.3),
            "garish": saturate(rgb8, 1.6),
            "patches": with_chroma(
                lab, ab + cv2.resize(blotches, ab.shape[1::-1], interpolation=cv2.INTER_CUBIC)
            ),
            "blurred": with_chroma(lab, smoothed(np.ascontiguousarray(ab), 3)),
            "shifted": with_chroma(lab, np.roll(ab, (step, step), (0, 1))),
            "gray": all_gray(rgb8),
        }

    def with_chroma(lab: np.ndarray, ab: np.ndarray) -> np.ndarray:
        return lab_to_rgb(np.concatenate([lab[..., :1], ab], axis=-1))

    return planted


@pytest.fixture(scope="session", params=["scene", "coffee", "cat", "dahlia", "astronaut", "bridge"])
def known(request: pytest.FixtureRequest, scene: np.ndarray) -> np.ndarray:
    """Photos in which planted defects have to be found, the made-up one first."""
    if request.param == "scene":
        return scene
    return reduced(read_photo(SAMPLE / f"{request.param}.jpg").rgb8, 256)
