"""Film grain: noise that is joined over a pixel or two, strongest in the middle tones."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

_FLOOR = 0.1  # of the noise at its strongest: the scanner's own, in bare paper


def grain(plane: NDArray[np.float32], random: Generator, sigma: float, size: float) -> NDArray[np.float32]:
    """Add grain to L*.

    The density of a silver image fluctuates as the square root of the density (Siedentopf's law), and L* + 16 goes as
    10^(-density / 3): so grain is strongest at L* 54, less than half of that in black and next to nothing in white.

    Parameters
    ----------
    plane : ndarray of shape (H, W), float32
        L* in [0, 100].
    random : Generator
    sigma : float
        Standard deviation where it is strongest, in units of L*.
    size : float
        Standard deviation, in pixels, of the blur that joins neighbours; 0 leaves them independent.

    Returns
    -------
    ndarray of shape (H, W), float32
        Not clipped.
    """
    noise = random.standard_normal(plane.shape, dtype=np.float32)
    if size > 0:
        noise = cv2.GaussianBlur(noise, (0, 0), size, borderType=cv2.BORDER_REFLECT_101)
    _, spread = cv2.meanStdDev(noise)
    strength = cv2.LUT(cv2.convertScaleAbs(plane, alpha=2.55), _strength_of_level())
    return cv2.multiply(noise, strength, dst=noise, scale=sigma / spread.item()) + plane


@cache
def _strength_of_level() -> NDArray[np.float32]:
    """Standard deviation at 256 levels from L* 0 to 100, as a share of the largest."""
    root = (np.linspace(0, 100, 256) + 16) / 116
    strength = root * np.sqrt(-3 * np.log10(root))
    return np.maximum(strength / strength.max(), _FLOOR).astype(np.float32).reshape(1, -1)
