"""Colours of a network that lie outside what a screen can show."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tintype.imaging.geometry import resize, strips
from tintype.imaging.lab import lab_to_rgb, rgb_to_lab

_MOVED = 0.5  # Lab units; sixteen bits move a colour inside the gamut by less than a tenth of it


def out_of_gamut_share(lightness: NDArray[np.float32], ab: NDArray[np.float32]) -> float:
    """Share of pixels whose colour lies outside sRGB.

    A pixel is outside where the nearest colour of its lightness and hue that sRGB has (IEC 61966-2-1, as
    `tintype.imaging.lab.lab_to_rgb` finds it) is more than 0.5 units away in the a*b* plane. A coloured photo
    has been brought into the gamut already, so this takes a network's chroma as it comes.

    Parameters
    ----------
    lightness : ndarray of shape (H, W), float32
        L* in [0, 100].
    ab : ndarray of shape (h, w, 2), float32
        a* and b* in Lab units, at any size; stretched to the size of `lightness`.

    Returns
    -------
    float
        0 to 1; less is better. 0 for gray.
    """
    height, width = lightness.shape
    lab = np.dstack([lightness, resize(ab, height, width)])
    return sum(_outside(lab[rows]) for rows in strips(height, width)) / lightness.size


def _outside(lab: NDArray[np.float32]) -> int:
    """Number of pixels outside."""
    shown = rgb_to_lab(lab_to_rgb(lab, np.uint16))
    return int(np.count_nonzero(np.hypot(*np.moveaxis(shown - lab, -1, 0)[1:]) > _MOVED))
