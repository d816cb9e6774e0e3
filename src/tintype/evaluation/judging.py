"""One photo judged: every method by the same path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tintype.evaluation.prior import AbPrior
from tintype.imaging.lab import chroma, rgb_to_lab
from tintype.measures.bleeding import bleed_score
from tintype.measures.colourfulness import colourfulness
from tintype.measures.metrics import area_under, delta_ab, delta_e2000, psnr_db, share_below, ssim
from tintype.measures.metrics import reduced as reduced
from tintype.measures.patches import patch_gradient
from tintype.measures.washes import wash_chroma

Rgb8 = NDArray[np.uint8]
Curve = NDArray[np.float64]


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
    truth : dict
        Metric -> value of those that need no comparison: ``colourfulness``, ``patch_gradient``, ``bleed_score``.
    scores : dict
        Method -> metric -> value. NaN where a metric is not defined for the photo.
    ab_curves : dict
        Method -> ndarray of shape (151,), float64: share of pixels with an a*b* error below each of `AB_ERRORS`.
    rebalanced : dict
        The same with pixels weighted by the inverse prior of their true colour; empty without a prior.
    weight : float
        Mean weight of the photo's pixels there: what its rebalanced curves count among those of others.
    """

    photo: str
    height: int
    width: int
    chroma: float
    truth: dict[str, float]
    scores: dict[str, dict[str, float]]
    ab_curves: dict[str, Curve]
    rebalanced: dict[str, Curve]
    weight: float

    def with_scores(self, metric: str, values: Mapping[str, float]) -> Judgement:
        """The same with one metric more, for the methods that are named."""
        added = {
            method: scores | ({metric: values[method]} if method in values else {})
            for method, scores in self.scores.items()
        }
        return replace(self, scores=added)


def judge(
    photo: str, truth: Rgb8, coloured: Mapping[str, Rgb8], *, side: int, prior: AbPrior | None = None
) -> Judgement:
    """Compare what methods made of a photo with the photo.

    Parameters
    ----------
    photo : str
        Its name in reports.
    truth : ndarray of shape (H, W, 3), uint8
        The photo in its own colours.
    coloured : mapping of str to ndarray of shape (H, W, 3), uint8
        Method -> its version.
    side : int
        Long side in pixels at which photos are compared: truth and result are reduced alike where they are larger. A
        person does not see more of a photo at once than 1024, and CIEDE2000 of 12 megapixels takes 6 s and 2 GB.
    prior : AbPrior, optional
        Of training photos, for the rebalanced curves.
    """
    seen = reduced(truth, side)
    lab = rgb_to_lab(seen)
    weights = None if prior is None else prior.weights(lab[..., 1:])
    scores, curves, rebalanced = {}, {}, {}
    for name, rgb8 in coloured.items():
        scores[name], error = _scores(reduced(rgb8, side), seen, lab)
        curves[name] = share_below(error)
        scores[name]["auc"] = area_under(curves[name])
        if weights is not None:
            rebalanced[name] = share_below(error, weights)
    height, width = truth.shape[:2]
    return Judgement(
        photo,
        height,
        width,
        chroma=float(chroma(lab).mean()),
        truth=_alone(seen, lab, lab),
        scores=scores,
        ab_curves=curves,
        rebalanced=rebalanced,
        weight=1.0 if weights is None else float(weights.mean(dtype=np.float64)),
    )


def _scores(
    rgb8: Rgb8, truth: Rgb8, truth_lab: NDArray[np.float32]
) -> tuple[dict[str, float], NDArray[np.float32]]:
    lab = rgb_to_lab(rgb8)
    ab_error = delta_ab(lab, truth_lab)
    scores = {
        "psnr_db": psnr_db(rgb8, truth),
        "ssim": ssim(rgb8, truth),
        "delta_e2000_mean": float(delta_e2000(lab, truth_lab).mean(dtype=np.float64)),
        "delta_ab_mean": float(ab_error.mean(dtype=np.float64)),
        "wash_chroma": wash_chroma(lab, truth_lab),
        **_alone(rgb8, lab, truth_lab),
    }
    return scores, ab_error


def _alone(rgb8: Rgb8, lab: NDArray[np.float32], truth_lab: NDArray[np.float32]) -> dict[str, float]:
    """What can be measured of one photo, given only the lightness of the truth."""
    lightness = truth_lab[..., 0]
    return {
        "colourfulness": colourfulness(rgb8),
        "patch_gradient": patch_gradient(lab, lightness),
        "bleed_score": bleed_score(lab, lightness),
    }
