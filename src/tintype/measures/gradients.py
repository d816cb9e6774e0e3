"""How steep lightness and chroma are, in units that do not depend on the number of pixels.

Distances are counted in percent of the photo's diagonal: the same picture has about the same gradients at 256 and at
1024 pixels, as far as both hold it.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

Planes = NDArray[np.float32]
Map = NDArray[np.float32]

_SCHARR = 32  # the sum of the kernel's weights over the distance it spans


def diagonal(planes: NDArray[np.float32]) -> float:
    """The diagonal of an image of shape (H, W, ...), in pixels."""
    return math.hypot(*planes.shape[:2])


def smoothed(planes: Planes, percent: float) -> Planes:
    """Planes after a Gaussian.

    Parameters
    ----------
    planes : ndarray of shape (H, W) or (H, W, C), float32
    percent : float
        The Gaussian's sigma in percent of the diagonal.

    Returns
    -------
    ndarray of the same shape, float32
    """
    sigma = percent / 100 * diagonal(planes)
    return _array(
        cv2.GaussianBlur(planes, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE).reshape(planes.shape)
    )


def slopes(plane: Map) -> tuple[Map, Map]:
    """Derivatives to the right and downwards, by Scharr's kernel.

    Parameters
    ----------
    plane : ndarray of shape (H, W), float32

    Returns
    -------
    right, down : ndarray of shape (H, W), float32
        In the plane's units per percent of the diagonal.
    """
    scale = diagonal(plane) / 100 / _SCHARR
    right, down = (
        cv2.Scharr(plane, cv2.CV_32F, *axis, scale=scale, borderType=cv2.BORDER_REPLICATE)
        for axis in ((1, 0), (0, 1))
    )
    return _array(right), _array(down)


def steepness(planes: Planes) -> Map:
    """Length of the gradient, all planes together.

    Parameters
    ----------
    planes : ndarray of shape (H, W, C), float32

    Returns
    -------
    ndarray of shape (H, W), float32
        ``sqrt(sum over planes of (d/dx)^2 + (d/dy)^2)`` in the planes' units per percent of the diagonal.
    """
    parts = [slope for plane in cv2.split(planes) for slope in slopes(plane)]
    return _array(np.sqrt(sum(np.square(part) for part in parts)))


def _array(result: object) -> NDArray[np.float32]:
    """OpenCV's and NumPy's results, typed as the signatures say."""
    return np.asarray(result, dtype=np.float32)
