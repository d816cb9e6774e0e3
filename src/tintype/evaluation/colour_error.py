"""The error of a*b* as a curve, and the area under it.

Zhang, Isola, Efros 2016, "Colorful image colorization", section 3.1: the share of pixels within a distance of their
true a*b*, for distances from 0 to 150, integrated and normalized. Natural photos are mostly pale, so this
rewards gray; the rebalanced form, in which a rare colour weighs as much as a common one, does so less.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

AB_ERRORS = np.arange(151)
"""Where the curve of a*b* errors is sampled, in Lab units."""


def share_below(
    ab_error: NDArray[np.float32], weights: NDArray[np.float32] | None = None
) -> NDArray[np.float64]:
    """Share of pixels whose error is below each of `AB_ERRORS`.

    Parameters
    ----------
    ab_error : ndarray of any shape, float32
        Distances in the a*b* plane, in Lab units.
    weights : ndarray of the same shape, float32, optional
        How much each pixel counts; see `tintype.evaluation.prior.AbPrior.weights`.

    Returns
    -------
    ndarray of shape (151,), float64
        Rising from 0; to 1 if no error is larger than the last.
    """
    last = int(AB_ERRORS[-1])
    whole = np.minimum(ab_error, last).astype(np.intp).ravel()
    counts = np.bincount(whole, None if weights is None else weights.ravel(), minlength=last + 1)
    return np.concatenate([[0.0], np.cumsum(counts[:last]) / counts.sum()])


def area_under(curve: NDArray[np.float64]) -> float:
    """Area under a curve of `share_below` by the trapezoidal rule, over that of a perfect one.

    Parameters
    ----------
    curve : ndarray of shape (151,), float64

    Returns
    -------
    float
        0 to 1; more is better. Without errors it is 299/300: at 0 no pixel is below.
    """
    return float(np.trapezoid(curve, AB_ERRORS)) / float(AB_ERRORS[-1])
