"""Fading: the tones of a paled print.

Silver oxidises and paper yellows, so blacks lift, whites sink and contrast goes. Toning to sepia needs no effect of
its own: the network sees lightness alone, in which a toner's colour vanishes. What is left of it is its tone curve,
a lifted black and a gamma as here.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def fade(
    plane: NDArray[np.float32], black: float = 0.0, white: float = 0.0, gamma: float = 1.0
) -> NDArray[np.float32]:
    """Bend and narrow the tones of L*.

    Parameters
    ----------
    plane : ndarray of shape (H, W), float32
        L*; what lies outside [0, 100] is clipped.
    black, white : float
        By how much 0 is lifted and 100 is lowered.
    gamma : float
        Exponent on L* / 100 before that: above 1 middle tones darken.

    Returns
    -------
    ndarray of shape (H, W), float32
        L* in [black, 100 - white].
    """
    tones = np.clip(plane, 0, 100)
    if gamma != 1.0:
        tones = cv2.pow(tones / np.float32(100), gamma) * np.float32(100)
    return tones * np.float32((100 - white - black) / 100) + np.float32(black)
