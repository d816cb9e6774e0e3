"""Contrast of colours: faint ones become fainter, strong ones stronger.

A network that is not sure gives a faint colour, a mean of what may be; one gain for all would make it a wash over walls
and backdrops that have none. A power of the chroma, as tone curves use one of lightness, leaves them nearly gray.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FIXED = 20.0  # Lab units; chroma that contrast leaves as it is


def with_contrast(ab: NDArray[np.float32], contrast: float) -> NDArray[np.float32]:
    """Colours of the same hues, their chroma C* as ``FIXED * (C* / FIXED) ** (1 + contrast)``.

    Parameters
    ----------
    ab : ndarray of shape (..., 2), float32
        a* and b* in Lab units.
    contrast : float
        At least 0, which leaves all as it is.

    Returns
    -------
    ndarray of shape (..., 2), float32
    """
    if contrast <= 0:
        return ab
    squares = np.square(ab / np.float32(FIXED)).sum(axis=-1, keepdims=True)
    return ab * squares ** np.float32(contrast / 2)
