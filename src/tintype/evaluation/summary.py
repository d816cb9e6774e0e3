"""Many photos' scores in one table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tintype.evaluation.judging import Judgement
from tintype.evaluation.scores import DIGITS
from tintype.measures.colourfulness import colourfulness_ratio
from tintype.measures.metrics import AB_ERRORS, area_under
from tintype.measures.patches import patch_score

LOW_CHROMA = 15.0  # mean C* of the truth; natural photos have about 18
SQUARE = 1.1  # sides that differ by less than a tenth
LARGE_UPSCALE = 4.0  # photo's long side over the network's


def slices_of(height: int, width: int, chroma: float, network_size: int) -> list[str]:
    """Names of the slices that a photo belongs to.

    Parameters
    ----------
    height, width : int
        The photo's size in pixels.
    chroma : float
        Mean C* of the true photo.
    network_size : int
        Side in pixels of the square that the network sees.

    Returns
    -------
    list of str
        ``low_chroma`` or ``high_chroma``; ``portrait``, ``landscape`` or ``square``; and ``large_upscale``
        where the network's chroma had to be enlarged more than `LARGE_UPSCALE` times.
    """
    names = ["low_chroma" if chroma < LOW_CHROMA else "high_chroma", _shape(height, width)]
    if max(height, width) > LARGE_UPSCALE * network_size:
        names.append("large_upscale")
    return names


def _shape(height: int, width: int) -> str:
    if max(height, width) < SQUARE * min(height, width):
        return "square"
    return "portrait" if height > width else "landscape"


SLICE_METRICS = ("delta_e2000_mean", "colourfulness_ratio")

_COLUMNS = {
    "psnr_db": ("PSNR, dB", ".2f"),
    "ssim": ("SSIM", ".3f"),
    "delta_e2000_mean": ("CIEDE2000", ".2f"),
    "delta_ab_mean": ("ab error", ".2f"),
    "auc": ("AuC", ".3f"),
    "auc_rebalanced": ("rebalanced", ".3f"),
    "colourfulness": ("colourfulness", ".1f"),
    "colourfulness_ratio": ("ratio to truth", ".2f"),
    "patch_score": ("patches", ".2f"),
    "bleed_score": ("bleeding, %", ".2f"),
    "wash_chroma": ("washes", ".1f"),
    "out_of_gamut_share": ("out of gamut", ".3f"),
    "feature_distance": ("feature distance", ".3f"),
    "frechet_distance": ("Fr\N{LATIN SMALL LETTER E WITH ACUTE}chet", ".1f"),
}
# Ratios of sums over photos to the truth's.
_RATIOS = (
    ("colourfulness_ratio", colourfulness_ratio, "colourfulness"),
    ("patch_score", patch_score, "patch_gradient"),
)
# Few, and with short names: `dvc exp show` has room for parameters beside them then.
_HEADLINE = {
    "ciede2000": "delta_e2000_mean",
    "psnr": "psnr_db",
    "ssim": "ssim",
    "colour": "colourfulness_ratio",
    "patches": "patch_score",
}
_ROWS = {"ours": "ours", "all_gray": "all gray", "mean_ab": "mean ab", "truth": "truth"}


def summarize(judgements: Sequence[Judgement], network_size: int) -> dict[str, Any]:
    """The content of metrics.json.

    Parameters
    ----------
    judgements : sequence of Judgement
        One for each photo, at least one.
    network_size : int
        Side in pixels of the square that the network sees; it defines the slice ``large_upscale``.

    Returns
    -------
    dict
        For each method a block of means over the photos for which a metric is defined, with the ratios of sums
        ``colourfulness_ratio`` and ``patch_score``, with ``auc_rebalanced`` over all photos' pixels if there was a
        prior, and ``delta_e2000_se``, the standard error of ``delta_e2000_mean``, where there are two photos at least.
        What is defined for no photo is left out. ``truth`` has what can be said of the true photos alone, ``photos`` is
        their number, and ``slices`` has for each kind of photo that occurs its number and `SLICE_METRICS`.
    """
    slices: dict[str, list[Judgement]] = {}
    for judgement in judgements:
        for name in slices_of(judgement.height, judgement.width, judgement.chroma, network_size):
            slices.setdefault(name, []).append(judgement)
    return {
        **_blocks(judgements),
        "truth": _defined(
            {
                metric: _mean([judgement.truth[metric] for judgement in judgements])
                for metric in judgements[0].truth
            }
        ),
        "photos": len(judgements),
        "slices": {
            name: {"photos": len(members), **_blocks(members, SLICE_METRICS)}
            for name, members in sorted(slices.items())
        },
    }


def _blocks(
    judgements: Sequence[Judgement], only: Sequence[str] | None = None
) -> dict[str, dict[str, float]]:
    return {method: _block(method, judgements, only) for method in judgements[0].scores}


def _block(method: str, judgements: Sequence[Judgement], only: Sequence[str] | None) -> dict[str, float]:
    """A method's means; a number that is not defined for these photos is left out."""
    scores = [judgement.scores[method] for judgement in judgements]
    block = {metric: _mean([score[metric] for score in scores]) for metric in scores[0]}
    for ratio, of, metric in _RATIOS:
        block[ratio] = of(
            [score[metric] for score in scores], [judgement.truth[metric] for judgement in judgements]
        )
    block["auc_rebalanced"] = _rebalanced(method, judgements)
    block["delta_e2000_se"] = _standard_error([score["delta_e2000_mean"] for score in scores])
    return {metric: value for metric, value in _defined(block).items() if only is None or metric in only}


def _rebalanced(method: str, judgements: Sequence[Judgement]) -> float:
    """AuC of all photos' pixels together: a photo of rare colours counts more."""
    if not judgements[0].rebalanced:
        return math.nan
    curves = [judgement.rebalanced[method] for judgement in judgements]
    return area_under(np.average(curves, axis=0, weights=[judgement.weight for judgement in judgements]))


def _mean(values: Sequence[float]) -> float:
    """The mean of the values that are defined."""
    defined = [value for value in values if not math.isnan(value)]
    return float(np.mean(defined)) if defined else math.nan


def _standard_error(values: Sequence[float]) -> float:
    return float(np.std(values, ddof=1) / math.sqrt(len(values))) if len(values) > 1 else math.nan


def _defined(block: Mapping[str, float]) -> dict[str, float]:
    return {metric: _rounded(value) for metric, value in block.items() if math.isfinite(value)}


def _rounded(value: Any) -> float:
    return round(float(value), DIGITS)


def headline(metrics: Mapping[str, Any]) -> dict[str, float]:
    """The content of headline.json, DVC's metrics: our figures that one compares between experiments.

    Parameters
    ----------
    metrics : mapping
        As made by `summarize`.

    Returns
    -------
    dict
        By short names; what is not defined for these photos is left out.
    """
    return {name: metrics["ours"][metric] for name, metric in _HEADLINE.items() if metric in metrics["ours"]}


def ab_error_rows(judgements: Sequence[Judgement]) -> list[dict[str, float]]:
    """The curve of a*b* errors, each photo with the same weight.

    Returns
    -------
    list of dict
        One for each of `AB_ERRORS`: ``error`` in Lab units, and for each method the share of pixels with a
        smaller one. The area under a curve is the AuC of Zhang et al. 2016.
    """
    curves = {
        method: np.mean([judgement.ab_curves[method] for judgement in judgements], axis=0)
        for method in judgements[0].ab_curves
    }
    return [
        {"error": int(error), **{method: _rounded(curve[index]) for method, curve in curves.items()}}
        for index, error in enumerate(AB_ERRORS)
    ]


def photo_rows(judgements: Sequence[Judgement], method: str = "ours") -> list[dict[str, str | float]]:
    """One row a photo with one method's scores: for finding the worst, for plots and for pooling.

    ``auc_rebalanced`` is the photo's own; among others it counts `auc_weight`.
    """
    return [
        {
            "photo": judgement.photo,
            "width": judgement.width,
            "height": judgement.height,
            "truth_chroma": judgement.chroma,
            **{f"truth_{metric}": value for metric, value in judgement.truth.items()},
            **judgement.scores[method],
            "patch_score": patch_score(
                [judgement.scores[method]["patch_gradient"]], [judgement.truth["patch_gradient"]]
            ),
            "auc_rebalanced": area_under(judgement.rebalanced[method]) if judgement.rebalanced else math.nan,
            "auc_weight": judgement.weight,
        }
        for judgement in judgements
    ]


def metrics_table(metrics: dict[str, Any]) -> str:
    """The headline of metrics.json as a Markdown table.

    Parameters
    ----------
    metrics : dict
        As made by `summarize`; of each block, what is missing is shown as a dash. Metrics that no block has are left
        out.

    Returns
    -------
    str
        Lines without a final newline.
    """
    blocks = [metrics[name] for name in _ROWS if name in metrics]
    columns = {
        metric: column for metric, column in _COLUMNS.items() if any(metric in block for block in blocks)
    }
    lines = [
        "| | " + " | ".join(title for title, _ in columns.values()) + " |",
        "|---|" + "---:|" * len(columns),
    ]
    for name, title in _ROWS.items():
        if name in metrics:
            cells = [_cell(metrics[name], metric, form) for metric, (_, form) in columns.items()]
            lines.append(f"| {title} | " + " | ".join(cells) + " |")
    if "features" in metrics:
        lines += ["", f"Features: those of the backbone {metrics['features']['backbone']}."]
    return "\n".join(lines)


def _cell(block: dict[str, float], metric: str, form: str) -> str:
    return format(block[metric], form) if metric in block else "\N{EN DASH}"
