"""One photo judged: every painter by the same path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tintype.evaluation.metrics import colourfulness, delta_ab, delta_e2000, psnr_db, ssim
from tintype.imaging.geometry import resize
from tintype.imaging.lab import chroma, rgb_to_lab

Rgb8 = NDArray[np.uint8]

JUDGED_SIDE = 1024
"""Long side in pixels at which photos are compared.

Photos are coloured at full size. Truth and result are then reduced alike where they are larger: a person does
not see more of a photo at once, and CIEDE2000 of 12 megapixels takes 6 s and 2 GB.
"""

AB_ERRORS = np.arange(151)
"""Where the curve of a*b* errors is sampled, in Lab units, as in Zhang et al. 2016."""


@dataclass(frozen=True)
class Judgement:
    """What is known of one photo.

    Attributes
    ----------
    photo : str
        Its name in reports.
    height, width : int
        Its full size in pixels.
    chroma : float
        Mean C* of the truth.
    colourfulness : float
        Of the truth.
    scores : dict
        Painter -> metric -> value.
    ab_curves : dict
        Painter -> ndarray of shape (151,), float64: share of pixels with an a*b* error below each of `AB_ERRORS`.
    """

    photo: str
    height: int
    width: int
    chroma: float
    colourfulness: float
    scores: dict[str, dict[str, float]]
    ab_curves: dict[str, NDArray[np.float64]]


def judge(photo: str, truth: Rgb8, painted: Mapping[str, Rgb8]) -> Judgement:
    """Compare what painters made of a photo with the photo.

    Parameters
    ----------
    photo : str
        Its name in reports.
    truth : ndarray of shape (H, W, 3), uint8
        The photo in its own colours.
    painted : mapping of str to ndarray of shape (H, W, 3), uint8
        Painter -> its version.

    Returns
    -------
    Judgement
    """
    seen = reduced(truth, JUDGED_SIDE)
    lab = rgb_to_lab(seen)
    scores, curves = {}, {}
    for name, rgb8 in painted.items():
        scores[name], curves[name] = _scores(reduced(rgb8, JUDGED_SIDE), seen, lab)
    height, width = truth.shape[:2]
    return Judgement(photo, height, width, float(chroma(lab).mean()), colourfulness(seen), scores, curves)


def _scores(
    rgb8: Rgb8, truth: Rgb8, truth_lab: NDArray[np.float32]
) -> tuple[dict[str, float], NDArray[np.float64]]:
    lab = rgb_to_lab(rgb8)
    ab_error = delta_ab(lab, truth_lab)
    scores = {
        "psnr_db": psnr_db(rgb8, truth),
        "ssim": ssim(rgb8, truth),
        "delta_e2000_mean": float(delta_e2000(lab, truth_lab).mean(dtype=np.float64)),
        "delta_ab_mean": float(ab_error.mean(dtype=np.float64)),
        "colourfulness": colourfulness(rgb8),
    }
    return scores, _share_below(ab_error)


def _share_below(ab_error: NDArray[np.float32]) -> NDArray[np.float64]:
    """Share of pixels whose error is below each of `AB_ERRORS`."""
    last = int(AB_ERRORS[-1])
    counts = np.bincount(np.minimum(ab_error, last).astype(np.intp).ravel(), minlength=last + 1)
    return np.concatenate([[0.0], np.cumsum(counts[:last]) / ab_error.size])


def reduced(rgb8: Rgb8, side: int) -> Rgb8:
    """The photo with its long side reduced to `side` pixels, averaged over area; smaller ones stay as they are."""
    height, width = rgb8.shape[:2]
    if max(height, width) <= side:
        return rgb8
    scale = side / max(height, width)
    small = resize(rgb8.astype(np.float32), max(1, round(height * scale)), max(1, round(width * scale)))
    return np.clip(np.rint(small), 0, 255).astype(np.uint8)
