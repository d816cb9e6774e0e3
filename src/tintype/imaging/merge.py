"""Colour from the network, lightness from the photo: joined at the photo's own size.

The photo is worked on in strips, so that the memory it takes beside the photo itself does not grow with the photo.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tintype.imaging.geometry import resize
from tintype.imaging.lab import chroma, lab_to_rgb8, rgb8_to_lab


@dataclass(frozen=True)
class Receipt:
    """How far a coloured photo's lightness is from the photo's own, in L* (0..100), and how much colour it got.

    Attributes
    ----------
    mean_dl, max_dl : float
        Mean and largest absolute difference of L* over all pixels, measured on the pixels that are written.
    mean_chroma : float
        Mean C* of the colours, in Lab units.
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
    lab = rgb8_to_lab(pixels)
    lightness = lab[..., 0].copy()
    lab[..., 1:] = resize(ab * np.float32(saturation), *lab.shape[:2])
    coloured = lab_to_rgb8(lab)
    after = rgb8_to_lab(coloured)
    difference = np.abs(after[..., 0] - lightness)
    return coloured, Receipt(float(difference.mean()), float(difference.max()), float(chroma(after).mean()))
