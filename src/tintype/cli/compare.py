"""A picture of before and after, side by side."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tintype.imaging.reading.srgb import shown

LONGEST_SIDE = 2400  # pixels of the picture, so that it stays small however large the photo is
_GAP = 12  # pixels of white between the two
_THINNEST = 16  # pixels


def side_by_side(before: NDArray[Any], after: NDArray[Any]) -> NDArray[np.uint8]:
    """Before on the left, after on the right; above one another where the photo is wider than 2 to 1.

    Parameters
    ----------
    before, after : ndarray of shape (H, W, 3), uint8 or uint16
        sRGB, of one size.

    Returns
    -------
    ndarray of shape (h, w, 3), uint8
        Its sides at most `LONGEST_SIDE`, as long as a photo is not a thousand times as long as wide.
    """
    height, width = before.shape[:2]
    beside = width <= 2 * height
    room = LONGEST_SIDE - _GAP
    along, across = (width, height) if beside else (height, width)
    scale = min(1, room / (2 * along), LONGEST_SIDE / across)
    size = (max(_THINNEST, round(width * scale)), max(_THINNEST, round(height * scale)))
    pictures = [
        cv2.resize(_in_8_bits(pixels), size, interpolation=cv2.INTER_AREA) for pixels in (before, after)
    ]
    gap = np.full((size[1], _GAP, 3) if beside else (_GAP, size[0], 3), 255, np.uint8)
    return np.concatenate([pictures[0], gap, pictures[1]], axis=1 if beside else 0)


def _in_8_bits(pixels: NDArray[Any]) -> NDArray[Any]:
    return pixels if pixels.dtype == np.uint8 else shown(pixels)
