"""Colour that runs over the edges of things."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from tintype.measures.gradients import diagonal, slopes, smoothed, steepness

_SMOOTHING = 0.25  # percent of the diagonal
# Canny's thresholds, in L* per percent of the diagonal: after the smoothing, a step of 5 in L* reaches the upper one.
_LOWER, _UPPER = 4.0, 8.0
_CANNY_STEPS = 32  # of an L* per percent: Canny takes whole numbers
_FAINT = 0.1  # Lab units per percent, root mean square: less is rounding


def bleed_score(lab: NDArray[np.float32], lightness: NDArray[np.float32]) -> float:
    """How far chroma edges lie from the nearest lightness edge.

    ``sum(|grad ab|^2 d) / sum(|grad ab|^2)`` over all pixels: d is the distance to the nearest edge of lightness, found
    by Canny 1986, "A computational approach to edge detection". Chroma and lightness are smoothed with a
    Gaussian of 0.25 % of the diagonal first. A figure of this project. The square makes it a mean over edges, not
    over slow changes, and since it is in both sums, saturation cancels.

    Parameters
    ----------
    lab : ndarray of shape (H, W, 3), float32
        CIE L*a*b* of the photo to judge.
    lightness : ndarray of shape (H, W), float32
        L* of the photo that was coloured, in [0, 100].

    Returns
    -------
    float
        Percent of the diagonal; less is better, and the truth's own is what can be reached: colours also change
        where lightness does not. NaN where there is nothing to measure: no chroma edges, as in gray photos and
        such as have one colour all over, or no lightness edges.
    """
    energy = np.square(steepness(smoothed(lab[..., 1:], _SMOOTHING)), dtype=np.float64)
    edges = _edges(lightness)
    if energy.mean() < _FAINT**2 or not edges.any():
        return float("nan")
    return float(np.average(_distance_to(edges), weights=energy)) * 100 / diagonal(lightness)


def _distance_to(edges: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Pixels from each place to the nearest edge, of shape (H, W)."""
    distance = cv2.distanceTransform((edges == 0).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    # Squares are whole numbers. OpenCV's last bits depend on where in memory the array happens to lie.
    return np.sqrt(np.rint(np.square(distance, dtype=np.float64)))


def _edges(lightness: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Edges of L*, thin, as 255 of shape (H, W)."""
    limit = np.iinfo(np.int16).max
    right, down = (
        np.clip(np.rint(slope * _CANNY_STEPS), -limit, limit).astype(np.int16)
        for slope in slopes(smoothed(lightness, _SMOOTHING))
    )
    edges = cv2.Canny(right, down, _LOWER * _CANNY_STEPS, _UPPER * _CANNY_STEPS, L2gradient=True)
    return np.asarray(edges, dtype=np.uint8)
