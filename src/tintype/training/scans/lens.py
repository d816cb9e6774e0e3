"""What the lens did: blur and dark corners."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray


def blur(plane: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Blur L* of shape (H, W) by a Gaussian with a standard deviation in pixels."""
    return cv2.GaussianBlur(plane, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101)


def vignette(plane: NDArray[np.float32], random: Generator, loss: float) -> NDArray[np.float32]:
    """Darken L* of shape (H, W) towards the corners.

    Parameters
    ----------
    plane : ndarray of shape (H, W), float32
    random : Generator
        For the centre: a crop need not be the middle of its photo.
    loss : float
        Share of the lightness that the corners lose; it grows with the square of the distance from the centre.

    Returns
    -------
    ndarray of shape (H, W), float32
    """
    height, width = plane.shape
    centre = random.uniform(0.35, 0.65, 2)
    rows = (np.arange(height, dtype=np.float32) / height - np.float32(centre[0])) ** 2
    columns = (np.arange(width, dtype=np.float32) / width - np.float32(centre[1])) ** 2
    square = rows[:, np.newaxis] + columns
    return plane * (1 - np.float32(loss / square.max()) * square)
