"""Washes: colour on plain backgrounds that have none, such as blue on a studio's backdrop."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from tintype.imaging.geometry import resize
from tintype.imaging.lab import chroma

_SIDE = 256  # pixels of the long side
_WINDOW = 7  # pixels a side, over which lightness is compared
_EVEN = 2.5  # L*; standard deviation below which a place is plain
_NEUTRAL = 6.0  # Lab units of chroma in the true photo, which eyes call gray
_SHARE = 0.03  # of the photo's area; smaller regions are no background


def wash_chroma(lab: NDArray[np.float32], truth: NDArray[np.float32]) -> float:
    """Mean C* on the photo's large plain regions that are neutral in truth.

    A figure of this project. A region is a connected set of places whose lightness hardly varies.

    Parameters
    ----------
    lab, truth : ndarray of shape (H, W, 3), float32
        CIE L*a*b* of the photo to judge, and of the true one.

    Returns
    -------
    float
        In Lab units; 0 for gray. NaN where the photo has no such region.
    """
    height, width = truth.shape[:2]
    scale = min(1.0, _SIDE / max(height, width))
    size = max(1, round(height * scale)), max(1, round(width * scale))
    true, seen = resize(truth, *size), resize(lab, *size)
    lightness = true[..., 0]
    mean = cv2.blur(lightness, (_WINDOW, _WINDOW))
    variance = cv2.blur(np.square(lightness), (_WINDOW, _WINDOW)) - np.square(mean)
    plain = (variance < _EVEN**2) & (chroma(true) < _NEUTRAL)
    _, regions, statistics, _ = cv2.connectedComponentsWithStats(plain.astype(np.uint8), connectivity=4)
    large = statistics[:, cv2.CC_STAT_AREA] >= _SHARE * plain.size
    large[0] = False  # what is not plain
    inside = large[regions]
    return float(chroma(seen)[inside].mean(dtype=np.float64)) if inside.any() else float("nan")
