"""How sure a model is of its colours: colours it is not sure of fade to gray.

The confidence of a colour is the probability that the true one lies near it, estimated on the model's validation
photos. The model's bundle holds it (`tintype.colorize`); here it is used.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NEAR = 20.0  # Lab units in ab; a colour so near to the true one counts as right
FADE = 0.05  # to each side of the threshold


def faded(ab: NDArray[np.float32], confidence: NDArray[np.float32], threshold: float) -> NDArray[np.float32]:
    """Colours without those that the model is not sure of.

    They are whole from `FADE` above the threshold, gone from `FADE` below it, and halved at it, with a smooth step
    between (3 t^2 - 2 t^3), since a sharp one would draw outlines of its own.

    Parameters
    ----------
    ab : ndarray of shape (..., 2), float32
        a* and b* in Lab units.
    confidence : ndarray of shape (...), float32
        In [0, 1].
    threshold : float
        In [0, 1]; 0 leaves all as it is.

    Returns
    -------
    ndarray of shape (..., 2), float32
    """
    if threshold <= 0:
        return ab
    share = np.clip((confidence - np.float32(threshold - FADE)) / np.float32(2 * FADE), 0, 1)
    return ab * (share * share * (3 - 2 * share))[..., np.newaxis]
