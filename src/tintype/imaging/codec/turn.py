"""Turning pixels upright, as the EXIF tag Orientation asks for."""

from __future__ import annotations

from typing import Any

import cv2
from numpy.typing import NDArray

# EXIF 3.0, 4.6.5.1.6: where the stored picture's first row and column are in the upright one.
_TURNS: dict[int, Any] = {
    2: lambda pixels: cv2.flip(pixels, 1),
    3: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_180),
    4: lambda pixels: cv2.flip(pixels, 0),
    5: cv2.transpose,
    6: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_90_CLOCKWISE),
    7: lambda pixels: cv2.flip(cv2.transpose(pixels), -1),
    8: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_90_COUNTERCLOCKWISE),
}


def upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """The pixels as they are to be seen.

    Parameters
    ----------
    pixels : ndarray of shape (H, W) or (H, W, 3), uint8 or uint16
        As they are stored.
    orientation : int
        EXIF's: 1 is upright, 2 to 8 are turned or mirrored; others mean nothing.

    Returns
    -------
    ndarray of shape (H, W[, 3]) or (W, H[, 3])
        The same array where nothing is to be done, else a copy.
    """
    return _TURNS[orientation](pixels) if orientation in _TURNS else pixels
