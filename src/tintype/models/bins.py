"""The classes of a classification head: cells of a grid over the colours of sRGB.

R. Zhang, P. Isola, A. A. Efros, "Colorful Image Colorization", 2016 (https://arxiv.org/abs/1603.08511): a grid of
10 Lab units in a* and b*; those cells are classes that contain a colour of the gamut.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from tintype.imaging.lab import rgb_to_lab

STEP = 10.0  # Lab units; distance of neighbours
SIGMA = 5.0  # Lab units; of the Gaussian that spreads a colour over the bins around it, as in the paper
_LEVELS = np.linspace(0, 255, 52).astype(np.uint8)  # of R, G and B: every fifth


@cache
def ab_bins(step: float = STEP) -> NDArray[np.float32]:
    """The bins' centres.

    Parameters
    ----------
    step : float
        Distance of neighbours in Lab units.

    Returns
    -------
    ndarray of shape (Q, 2), float32
        a* and b* in Lab units, sorted by a*, then b*. For a step of 10, Q is 260; the paper's 313 count cells that
        only touch the gamut.
    """
    cube = np.stack(np.meshgrid(_LEVELS, _LEVELS, _LEVELS, indexing="ij"), axis=-1)
    ab = rgb_to_lab(cube.reshape(-1, len(_LEVELS), 3))[..., 1:]
    cells = np.unique(np.rint(ab.reshape(-1, 2) / step).astype(int), axis=0)
    return (cells * step).astype(np.float32)


def nearest_bin(ab: NDArray[np.float32], bins: NDArray[np.float32]) -> NDArray[np.intp]:
    """The index of the bin nearest to each colour.

    Parameters
    ----------
    ab : ndarray of shape (..., 2), float32
        Lab units.
    bins : ndarray of shape (Q, 2), float32

    Returns
    -------
    ndarray of shape (...), intp
    """
    # |x - c|^2 without |x|^2, which is the same for all bins
    scores = ab @ bins.T - np.square(bins).sum(axis=1) / 2
    return np.argmax(scores, axis=-1)


def class_weights(
    prior: NDArray[np.float64], bins: NDArray[np.float32], rebalance: float
) -> NDArray[np.float32]:
    """The weight of each class in the loss, so that rare colours count.

    w = 1 / ((1 - rebalance) / Q + rebalance * p), p the prior smoothed by a Gaussian of `SIGMA`, scaled so that the
    mean over the data's colours is 1; the paper's equation 4 with its lambda as ``1 - rebalance``.

    Parameters
    ----------
    prior : ndarray of shape (Q,), float64
        Share of each bin among the pixels of the training photos; no others.
    bins : ndarray of shape (Q, 2), float32
    rebalance : float
        0: all classes alike; towards 1 a class weighs as much as it is rare.

    Returns
    -------
    ndarray of shape (Q,), float32
    """
    distance = np.square(bins[:, np.newaxis] - bins).sum(axis=-1)
    kernel = np.exp(-distance / (2 * SIGMA**2))
    smooth = prior @ (kernel / kernel.sum(axis=1, keepdims=True))
    weights = 1 / ((1 - rebalance) / len(bins) + rebalance * smooth)
    return (weights / (smooth @ weights)).astype(np.float32)
