"""Many photos' scores in one table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tintype.evaluation.judging import AB_ERRORS, Judgement
from tintype.evaluation.metrics import colourfulness_ratio
from tintype.evaluation.slices import slices_of

DIGITS = 4  # after the point: more is noise in a diff
SLICE_METRICS = ("delta_e2000_mean", "colourfulness_ratio")

_COLUMNS = {
    "psnr_db": ("PSNR, dB", ".2f"),
    "ssim": ("SSIM", ".3f"),
    "delta_e2000_mean": ("CIEDE2000", ".2f"),
    "delta_ab_mean": ("ab error", ".2f"),
    "colourfulness": ("colourfulness", ".1f"),
    "colourfulness_ratio": ("ratio to truth", ".2f"),
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
        For each painter a block of means over photos, with ``delta_e2000_se``, the standard error of
        ``delta_e2000_mean``, where there are two photos at least. ``truth`` has its ``colourfulness``, ``photos`` is
        their number, and ``slices`` has for each kind of photo that occurs its number and `SLICE_METRICS`.
    """
    slices: dict[str, list[Judgement]] = {}
    for judgement in judgements:
        for name in slices_of(judgement.height, judgement.width, judgement.chroma, network_size):
            slices.setdefault(name, []).append(judgement)
    return {
        **_blocks(judgements),
        "truth": {"colourfulness": _rounded(np.mean([judgement.colourfulness for judgement in judgements]))},
        "photos": len(judgements),
        "slices": {
            name: {"photos": len(members), **_blocks(members, SLICE_METRICS)}
            for name, members in sorted(slices.items())
        },
    }


def _blocks(
    judgements: Sequence[Judgement], only: Sequence[str] | None = None
) -> dict[str, dict[str, float]]:
    return {painter: _block(painter, judgements, only) for painter in judgements[0].scores}


def _block(painter: str, judgements: Sequence[Judgement], only: Sequence[str] | None) -> dict[str, float]:
    """A painter's means; a number that is not defined for these photos is left out."""
    scores = [judgement.scores[painter] for judgement in judgements]
    block = {metric: float(np.mean([score[metric] for score in scores])) for metric in scores[0]}
    block["colourfulness_ratio"] = colourfulness_ratio(
        [score["colourfulness"] for score in scores], [judgement.colourfulness for judgement in judgements]
    )
    block["delta_e2000_se"] = _standard_error([score["delta_e2000_mean"] for score in scores])
    return {
        metric: _rounded(value)
        for metric, value in block.items()
        if math.isfinite(value) and (only is None or metric in only)
    }


def _standard_error(values: Sequence[float]) -> float:
    return float(np.std(values, ddof=1) / math.sqrt(len(values))) if len(values) > 1 else math.nan


def _rounded(value: Any) -> float:
    return round(float(value), DIGITS)


def ab_error_rows(judgements: Sequence[Judgement]) -> list[dict[str, float]]:
    """The curve of a*b* errors, each photo with the same weight.

    Returns
    -------
    list of dict
        One for each of `AB_ERRORS`: ``error`` in Lab units, and for each painter the share of pixels with a
        smaller one. The area under a curve is the AuC of Zhang et al. 2016.
    """
    curves = {
        painter: np.mean([judgement.ab_curves[painter] for judgement in judgements], axis=0)
        for painter in judgements[0].ab_curves
    }
    return [
        {"error": int(error), **{painter: _rounded(curve[index]) for painter, curve in curves.items()}}
        for index, error in enumerate(AB_ERRORS)
    ]


def photo_rows(judgements: Sequence[Judgement], painter: str = "ours") -> list[dict[str, str | float]]:
    """One row a photo with one painter's scores: for finding the worst, and for plots."""
    return [
        {
            "photo": judgement.photo,
            "width": judgement.width,
            "height": judgement.height,
            "truth_chroma": _rounded(judgement.chroma),
            "truth_colourfulness": _rounded(judgement.colourfulness),
            **{metric: _rounded(value) for metric, value in judgement.scores[painter].items()},
        }
        for judgement in judgements
    ]


def metrics_table(metrics: dict[str, Any]) -> str:
    """The headline of metrics.json as a Markdown table.

    Parameters
    ----------
    metrics : dict
        As made by `summarize`; of each block, what is missing is shown as a dash.

    Returns
    -------
    str
        Lines without a final newline.
    """
    lines = [
        "| | " + " | ".join(title for title, _ in _COLUMNS.values()) + " |",
        "|---|" + "---:|" * len(_COLUMNS),
    ]
    for name, title in _ROWS.items():
        if name in metrics:
            cells = [_cell(metrics[name], metric, form) for metric, (_, form) in _COLUMNS.items()]
            lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(block: dict[str, float], metric: str, form: str) -> str:
    return format(block[metric], form) if metric in block else "\N{EN DASH}"
