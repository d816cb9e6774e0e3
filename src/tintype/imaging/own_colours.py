"""Whether a photo has colours of its own, or is gray or toned as old prints are.

Toning and yellowing give each tone one colour: a sepia print's a* and b* are nearly a function of L*. Colours of things
differ where lightness does not. What is measured is how far a place's colour is from the mean colour of its tone.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tintype.imaging.lab import rgb_to_lab

# Pixels a side. So few average the noise of a scanner's and JPEG's chroma away, and stains and fringes of misaligned
# channels with it.
_SIDE = 32
_SAMPLED = 8 * _SIDE  # pixels a side that are read of a larger photo
_TONE = 5  # L*, which have one colour in a toned print
# Share of places that may have any colour: a stamp or a caption by hand on a gray print.
_MARKED = 0.1
# Lab units. Chosen on one half of 11,033 colour photos and toned, stained, yellowed and noisy versions of them. On the
# other half 5 % of the photos pass for toned: snow, mist and the like, of one hue. Of the versions 3 % pass for colour,
# the worst made ones; of sepia and split toning .4 %.
_LEAST = 5.5


def has_own_colours(pixels: NDArray[Any]) -> bool:
    """Whether a photo has more colours than one for each tone.

    Parameters
    ----------
    pixels : ndarray of shape (H, W, 3), uint8 or uint16
        sRGB.
    """
    return colour_beside_tone(pixels) >= _LEAST


def colour_beside_tone(pixels: NDArray[Any]) -> float:
    """How far a photo's colours are from being a function of its lightness.

    Parameters
    ----------
    pixels : ndarray of shape (H, W, 3), uint8 or uint16
        sRGB.

    Returns
    -------
    float
        In Lab units, at least 0: the distance in a* and b* from the mean colour of equal tones that nine in ten places
        do not exceed. Of gray photos 0, of toned prints mostly below 4, of colour photos 15 in the median.
    """
    height, width = pixels.shape[:2]
    few = np.ascontiguousarray(pixels[:: max(1, height // _SAMPLED), :: max(1, width // _SAMPLED)])
    size = min(few.shape[1], _SIDE), min(few.shape[0], _SIDE)
    lab = rgb_to_lab(np.asarray(cv2.resize(few, size, interpolation=cv2.INTER_AREA))).reshape(-1, 3)
    tone = (lab[:, 0] / _TONE).astype(int)
    places = np.maximum(np.bincount(tone), 1)
    a, b = (plane - (np.bincount(tone, plane) / places)[tone] for plane in lab[:, 1:].T)
    return float(np.quantile(np.hypot(a, b), 1 - _MARKED))
