"""A network's few colours, smoothed where the photo's lightness gives no reason for them to change.

Neighbours of the same lightness should have the same colour (A. Levin, D. Lischinski, Y. Weiss, "Colorization using
optimization", 2004). The colours are those that minimise

    sum over places |x - ab|^2  +  strength * sum over neighbours w |x - x'|^2,   w = exp(-((L - L') / EDGE)^2)

weighted least squares as in Z. Farbman and others, "Edge-preserving decompositions for multi-scale tone and detail
manipulation", 2008 (https://doi.org/10.1145/1399504.1360666), with another w. A blotch on a wall spreads thin; a red
coat before a gray wall keeps its outline.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Planes = NDArray[np.float32]

EDGE = 6.0  # L*; across a step of lightness of so much, neighbours count a third of what they do without one
_LEFT = 1e-3  # of the way to the minimum, that may be left


def smooth_colours(ab: Planes, lightness: Planes, strength: float) -> Planes:
    """Colours that change less where lightness does not.

    Parameters
    ----------
    ab : ndarray of shape (n, h, w, 2), float32
        a* and b* in Lab units.
    lightness : ndarray of shape (n, h, w), float32
        L* in [0, 100] at the same places.
    strength : float
        At least 0, which leaves all as it is; in steps of this grid, colours then agree over about its root.

    Returns
    -------
    ndarray of shape (n, h, w, 2), float32
        With the same mean over each photo.
    """
    if strength <= 0:
        return ab
    right, down = (strength * _alike(lightness, axis) for axis in (2, 1))
    total = 1 + _onto_both(right, right, 2, ab.shape) + _onto_both(down, down, 1, ab.shape)

    def step(x: Planes) -> Planes:
        """Every place takes the mean of its own colour and its neighbours' (Jacobi)."""
        pulled = ab + _onto_both(right * x[:, :, 1:], right * x[:, :, :-1], 2, ab.shape)
        pulled += _onto_both(down * x[:, 1:], down * x[:, :-1], 1, ab.shape)
        return np.asarray(pulled / total, np.float32)

    return _accelerated(step, ab, radius=4 * strength / (1 + 4 * strength))


def _accelerated(step: Callable[[Planes], Planes], start: Planes, radius: float) -> Planes:
    """The fixed point of a linear step whose spectral radius is at most so much, by Chebyshev's semi-iteration.

    G. H. Golub and R. S. Varga, 1961 (https://doi.org/10.1007/BF01386013). Additions and products only, in a fixed
    number: no sum over all places, which would come out differently on another processor.
    """
    rate = radius / (1 + math.sqrt(1 - radius * radius))
    before, now, weight = start, step(start), 2.0
    for _ in range(math.ceil(math.log(_LEFT) / math.log(rate))):
        weight = 1 / (1 - radius * radius * weight / 4)
        before, now = now, before + np.float32(weight) * (step(now) - before)
    return now


def _alike(lightness: Planes, axis: int) -> Planes:
    """How much neighbours along an axis should agree, in (0, 1], with a last axis of 1."""
    difference = np.diff(lightness, axis=axis) / np.float32(EDGE)
    return np.asarray(np.exp(-np.square(difference))[..., np.newaxis], np.float32)


def _onto_both(first: Planes, second: Planes, axis: int, shape: tuple[int, ...]) -> Planes:
    """Values of pairs of neighbours along an axis, added up at the first and at the second of each pair."""
    total = np.zeros((*shape[:3], first.shape[-1]), np.float32)
    ahead, behind = [slice(None)] * 4, [slice(None)] * 4
    ahead[axis], behind[axis] = slice(None, -1), slice(1, None)
    total[tuple(ahead)] += first
    total[tuple(behind)] += second
    return total
