"""Two models on the same photos: a card with intervals, a sentence, a picture.

Photos are drawn anew for the intervals, the same ones for both models, as `tintype.evaluation.intervals` says. What the
interval of a difference leaves open is left open.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from tintype.evaluation.baselines import Painter, all_gray
from tintype.evaluation.intervals import Index, Interval, bootstrap
from tintype.evaluation.judging import Judgement, judge
from tintype.evaluation.reducing import reduced
from tintype.imaging.grid import draw_grid
from tintype.imaging.photo import read_photo

SIDE = 512  # pixels; long side at which photos are coloured and judged
GRID_PHOTOS = 8
BEFORE, AFTER, GRAY = "before", "after", "all_gray"
_DELTA = "delta_e2000_mean"

Rgb8 = NDArray[np.uint8]


@dataclass(frozen=True)
class _Figure:
    """A row of the card: mean of a metric over photos, or its sum over the truth's."""

    title: str
    metric: str
    form: str
    truth: str | None = None

    def of(self, painter: str, judgements: Sequence[Judgement]) -> Callable[[Index], float]:
        scores = np.array([judgement.scores[painter][self.metric] for judgement in judgements], np.float64)
        if self.truth is None:
            return lambda drawn: float(np.nanmean(scores[drawn]))
        truth = np.array([judgement.truth[self.truth] for judgement in judgements], np.float64)
        return lambda drawn: float(scores[drawn].sum() / truth[drawn].sum())


_FIGURES = (
    _Figure("CIEDE2000 (less is better)", _DELTA, ".2f"),
    _Figure("PSNR, dB (more; rewards gray)", "psnr_db", ".2f"),
    _Figure("colourfulness, ratio to the truth (1 is right)", "colourfulness", ".2f", "colourfulness"),
    _Figure("patches, ratio to the truth (less is better)", "patch_gradient", ".2f", "patch_gradient"),
)


@dataclass(frozen=True)
class Compared:
    """What came of a comparison.

    Attributes
    ----------
    judgements : list of Judgement
        One for each photo, with the painters `BEFORE`, `AFTER` and `GRAY`.
    grid : ndarray of shape (H, W, 3), uint8
        The first photos: gray, before, after, truth.
    """

    judgements: list[Judgement]
    grid: Rgb8


def compare(photos: Mapping[str, Path], before: Painter, after: Painter) -> Compared:
    """Have two models colour the same photos.

    Parameters
    ----------
    photos : mapping of str to Path
        Name in reports -> file; at least one.
    before, after : Painter

    Returns
    -------
    Compared

    Raises
    ------
    PhotoError
        If a photo cannot be read.
    """
    judgements: list[Judgement] = []
    rows: list[list[Rgb8]] = []
    for name, path in tqdm(photos.items(), desc="compare", unit=" photos", disable=None):
        truth = reduced(read_photo(path).rgb8, SIDE)
        painted = {BEFORE: before(truth), AFTER: after(truth), GRAY: all_gray(truth)}
        judgements.append(judge(name, truth, painted, side=SIDE))
        if len(rows) < GRID_PHOTOS:
            rows.append([painted[GRAY], painted[BEFORE], painted[AFTER], truth])
    captions = [Path(name).stem for name in list(photos)[: len(rows)]]
    return Compared(judgements, draw_grid(rows, headings=["gray", BEFORE, AFTER, "truth"], captions=captions))


def comparison_table(judgements: Sequence[Judgement]) -> str:
    """The figures of both models as a Markdown table, each with its 95 % interval.

    Parameters
    ----------
    judgements : sequence of Judgement
        Of `compare`.
    """
    lines = ["| | before | after | difference | all gray |", "|---|---:|---:|---:|---:|"]
    for figure in _FIGURES:
        before, after, gray = (figure.of(painter, judgements) for painter in (BEFORE, AFTER, GRAY))
        cells = [_interval(one, judgements) for one in (before, after)]
        difference = _interval(_minus(after, before), judgements)
        shown = [_shown(cell, figure.form) for cell in cells] + [_shown(difference, f"+{figure.form}")]
        everything = format(gray(np.arange(len(judgements))), figure.form)
        lines.append(f"| {figure.title} | {' | '.join(shown)} | {everything} |")
    return "\n".join(lines)


def verdict(judgements: Sequence[Judgement]) -> str:
    """Whether it helped, in a sentence or two.

    Parameters
    ----------
    judgements : sequence of Judgement
        Of `compare`.
    """
    before, after, gray = (_FIGURES[0].of(painter, judgements) for painter in (BEFORE, AFTER, GRAY))
    estimate, low, high = _interval(_minus(after, before), judgements)
    count = len(judgements)
    if high < 0:
        said = f"It helped: on {count} photos held out, colours came nearer to the truth by {-estimate:.2f} CIEDE2000"
    elif low > 0:
        said = (
            f"It made matters worse: on {count} photos held out, colours went off by {estimate:.2f} CIEDE2000"
        )
    else:
        said = f"It made no difference that {count} photos held out could show: {estimate:+.2f} CIEDE2000"
    sentence = f"{said} (95 % interval {low:+.2f} to {high:+.2f})."
    everything = np.arange(count)
    if after(everything) > gray(everything):
        sentence += " It is still farther from the truth than gray is, as colours that people see often are."
    return sentence


def _minus(one: Callable[[Index], float], other: Callable[[Index], float]) -> Callable[[Index], float]:
    return lambda drawn: one(drawn) - other(drawn)


def _interval(figure: Callable[[Index], float], judgements: Sequence[Judgement]) -> Interval:
    return bootstrap(lambda drawn, _: figure(drawn), len(judgements), [1])


def _shown(interval: Interval, form: str) -> str:
    return f"{interval.estimate:{form}} [{interval.low:{form}}, {interval.high:{form}}]"
