"""Patches of colour where the photo shows no reason for them.

A colorizer that guesses region by region leaves blotches on walls, skies and skin: chroma changes where lightness
does not. True photos have such places too (a blue door in a gray wall of the same lightness), so the
figure is read against the truth's own, which is 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tintype.imaging.geometry import resize
from tintype.measures.gradients import smoothed, steepness

_SIDE = 256  # pixels of the long side; patches are larger than what a larger picture adds
_SMOOTHING = 1.0  # percent of the diagonal: below it is texture and noise, above it what people call a patch
# L* per percent of the diagonal; lightness that changes as much explains half of the colour's change.
_EDGE = 1.0


def patch_gradient(lab: NDArray[np.float32], lightness: NDArray[np.float32]) -> float:
    """Chroma gradient where lightness has none.

    ``sum(w |grad ab|) / sum(w)`` with ``w = 1 / (1 + (|grad L| / 1)^2)``, over all pixels, after both were
    smoothed with a Gaussian of 1 % of the diagonal; gradients in Lab units per percent of the diagonal. A figure of
    this project; the idea is that of the smoothness term in colorization by optimization (Levin, Lischinski, Weiss
    2004): neighbours of the same lightness should have the same colour.

    Parameters
    ----------
    lab : ndarray of shape (H, W, 3), float32
        CIE L*a*b* of the photo to judge.
    lightness : ndarray of shape (H, W), float32
        L* of the photo that was coloured, in [0, 100].

    Returns
    -------
    float
        0 for gray and for any single colour. It grows in step with saturation, so compare photos that are equally
        colourful. About the same at all sizes of a photo.
    """
    height, width = lightness.shape
    scale = min(1.0, _SIDE / max(height, width))
    planes = np.dstack([lightness, lab[..., 1:]])
    small = smoothed(resize(planes, max(1, round(height * scale)), max(1, round(width * scale))), _SMOOTHING)
    flat = 1 / (1 + np.square(steepness(small[..., :1]) / _EDGE))
    return float(np.average(steepness(small[..., 1:]), weights=flat))


def patch_score(coloured: Sequence[float], truth: Sequence[float]) -> float:
    """Patches of coloured photos relative to the true ones': ``sum(coloured) / sum(truth)``.

    A ratio of sums and not a mean of ratios: a photo whose truth is nearly gray would outweigh all others.

    Parameters
    ----------
    coloured, truth : sequence of float
        `patch_gradient` of the same photos.

    Returns
    -------
    float
        1: as much unexplained change of colour as in the true photos; 0: gray. NaN if the truth has none.
    """
    total = float(np.sum(truth))
    return float(np.sum(coloured)) / total if total > 0 else float("nan")
