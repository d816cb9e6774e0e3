"""How colourful photos look."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def colourfulness(rgb8: NDArray[np.uint8]) -> float:
    """How colourful a photo looks; it needs no truth.

    Hasler, Suesstrunk 2003, "Measuring colourfulness in natural images":
    ``sqrt(std(rg)^2 + std(yb)^2) + 0.3 sqrt(mean(rg)^2 + mean(yb)^2)``
    with ``rg = R - G`` and ``yb = (R + G) / 2 - B``.

    Parameters
    ----------
    rgb8 : ndarray of shape (H, W, 3), uint8
        sRGB.

    Returns
    -------
    float
        0 for gray; people call 15 slightly, 45 quite and 109 extremely colourful.
    """
    red, green, blue = np.moveaxis(rgb8.astype(np.float64), -1, 0)
    rg, yb = red - green, (red + green) / 2 - blue
    return float(np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean()))


def colourfulness_ratio(coloured: Sequence[float], truth: Sequence[float]) -> float:
    """Mean colourfulness of the coloured photos over that of the true ones.

    A ratio of means and not a mean of ratios: a photo whose truth is nearly gray would outweigh all others.

    Parameters
    ----------
    coloured, truth : sequence of float
        `colourfulness` of the same photos.

    Returns
    -------
    float
        Two-sided: 1 is right, 0 is gray, more than 1 is garish. NaN if the true photos are all gray.
    """
    total = float(np.sum(truth))
    return float(np.sum(coloured)) / total if total > 0 else float("nan")
