"""Colour from the network, lightness from the photo: joined at the photo's own size.

The photo is worked on in strips, so that the memory it takes beside the photo itself does not grow with the photo.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tintype.imaging.geometry import resize, rows_between, strips
from tintype.imaging.lab import gray_to_rgb, lab_to_rgb, lightness


@dataclass(frozen=True)
class Receipt:
    """How far a coloured photo's lightness is from the photo's own, in L* (0..100), and how much colour it got.

    Attributes
    ----------
    mean_dl, max_dl : float
        Mean and largest absolute difference of L* over all pixels, measured on the pixels that are written.
    mean_chroma : float
        Mean C* of the colours, in Lab units, before any of them was reduced to the gamut.
    """

    mean_dl: float
    max_dl: float
    mean_chroma: float


def merge(
    pixels: NDArray[Any], ab: NDArray[np.float32], saturation: float = 1.0
) -> tuple[NDArray[Any], Receipt]:
    """The photo with its own lightness and new colours.

    Parameters
    ----------
    pixels : ndarray of shape (H, W, 3), uint8 or uint16
        sRGB; only its lightness is used.
    ab : ndarray of shape (h, w, 2), float32
        a* and b* in Lab units, at any size.
    saturation : float
        Factor on a* and b*; 0 gives a gray photo.

    Returns
    -------
    pixels : ndarray of the same shape and dtype
        sRGB.
    receipt : Receipt
    """
    height, width = pixels.shape[:2]
    wide = _wide(ab * np.float32(saturation), height, width)
    coloured, tally = np.empty_like(pixels), _Tally()
    for rows in strips(height, width):
        before, colours = lightness(pixels[rows]), rows_between(wide, height, rows)
        coloured[rows] = _joined(before, colours, pixels.dtype)
        tally.add(before, lightness(coloured[rows]), colours)
    return coloured, tally.receipt()


def _joined(plane: NDArray[np.float32], ab: NDArray[np.float32], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Pixels from L* of shape (n, W) and ab of shape (n, W, 2)."""
    if not ab.any():
        return gray_to_rgb(plane, dtype)  # R, G and B equal to the last bit
    return lab_to_rgb(cv2.merge([plane, ab[..., 0], ab[..., 1]]), dtype)


def _wide(ab: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """The colours at the photo's width, and at its height too where that is the smaller one."""
    return resize(ab, min(len(ab), height), width)


class _Tally:
    """Sums over strips."""

    def __init__(self) -> None:
        self._pixels, self._dl, self._max_dl, self._chroma = 0, 0.0, 0.0, 0.0

    def add(self, before: NDArray[np.float32], after: NDArray[np.float32], ab: NDArray[np.float32]) -> None:
        """Count a strip in: L* before and after, of shape (n, W), and ab of shape (n, W, 2)."""
        difference = cv2.absdiff(before, after)
        self._pixels += before.size
        self._dl += float(difference.sum(dtype=np.float64))
        self._max_dl = max(self._max_dl, float(difference.max()))
        self._chroma += float(cv2.magnitude(ab[..., 0], ab[..., 1]).sum(dtype=np.float64))

    def receipt(self) -> Receipt:
        """The means."""
        return Receipt(self._dl / self._pixels, self._max_dl, self._chroma / self._pixels)
