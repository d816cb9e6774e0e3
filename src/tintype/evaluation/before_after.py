"""Two models on the same photos: a card with intervals, a sentence, a picture.

A difference whose interval includes 0 decides nothing; see `tintype.evaluation.figures`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from tintype.evaluation.baselines import Method, all_gray
from tintype.evaluation.figures import Figure, compared, table
from tintype.evaluation.intervals import paired
from tintype.evaluation.judging import Judgement, judge
from tintype.evaluation.scores import Scores
from tintype.imaging.grid import draw_grid
from tintype.imaging.picture import PhotoFile
from tintype.measures.metrics import reduced

SIDE = 512  # pixels; long side at which photos are coloured and judged
GRID_PHOTOS = 8
BEFORE, AFTER, GRAY = "before", "after", "all_gray"
_DELTA = "delta_e2000_mean"

Rgb8 = NDArray[np.uint8]


def _figures(scores: Scores) -> list[Figure]:
    return [
        Figure("CIEDE2000 (less is better)", ".2f", lambda method: scores.mean(method, _DELTA)),
        Figure("PSNR, dB (more; rewards gray)", ".2f", lambda method: scores.mean(method, "psnr_db")),
        Figure(
            "colourfulness, ratio to the truth (1 is right)",
            ".2f",
            lambda method: scores.ratio(method, "colourfulness"),
        ),
        Figure(
            "patches, ratio to the truth (less is better)",
            ".2f",
            lambda method: scores.ratio(method, "patch_gradient"),
        ),
    ]


@dataclass(frozen=True)
class Compared:
    """The result of a comparison.

    Attributes
    ----------
    judgements : list of Judgement
        One for each photo, with the methods `BEFORE`, `AFTER` and `GRAY`.
    grid : ndarray of shape (H, W, 3), uint8
        The first photos: gray, before, after, truth.
    """

    judgements: list[Judgement]
    grid: Rgb8


def compare(photos: Mapping[str, PhotoFile], before: Method, after: Method) -> Compared:
    """Have two models colour the same photos.

    Parameters
    ----------
    photos : mapping of str to PhotoFile
        Name in reports -> file; at least one.

    Raises
    ------
    PhotoError
        If a photo cannot be read.
    """
    judgements: list[Judgement] = []
    rows: list[list[Rgb8]] = []
    for name, photo in tqdm(photos.items(), desc="compare", unit=" photos", disable=None):
        truth = reduced(photo.read().rgb8, SIDE)
        coloured = {BEFORE: before(truth), AFTER: after(truth), GRAY: all_gray(truth)}
        judgements.append(judge(name, truth, coloured, side=SIDE))
        if len(rows) < GRID_PHOTOS:
            rows.append([coloured[GRAY], coloured[BEFORE], coloured[AFTER], truth])
    captions = [Path(name).stem for name in list(photos)[: len(rows)]]
    return Compared(judgements, draw_grid(rows, headings=["gray", BEFORE, AFTER, "truth"], captions=captions))


def comparison_table(judgements: Sequence[Judgement]) -> str:
    """The figures of both models as a Markdown table, each with its 95 % interval.

    Parameters
    ----------
    judgements : sequence of Judgement
        Of `compare`.
    """
    rows = [
        compared(figure, len(judgements), BEFORE, AFTER, [GRAY])
        for figure in _figures(Scores.judged(judgements))
    ]
    return table(rows, [BEFORE, AFTER, "difference", "all gray"])


def verdict(judgements: Sequence[Judgement]) -> str:
    """Whether it helped, in a sentence or two.

    Parameters
    ----------
    judgements : sequence of Judgement
        Of `compare`.
    """
    count, scores = len(judgements), Scores.judged(judgements)
    before, after, gray = (scores.mean(method, _DELTA) for method in (BEFORE, AFTER, GRAY))
    _, _, (estimate, low, high) = paired(before, after, count)
    if high < 0:
        effect = f"It helped: on {count} photos held out, colours came nearer to the truth by {-estimate:.2f} CIEDE2000"
    elif low > 0:
        effect = (
            f"It made matters worse: on {count} photos held out, colours went off by {estimate:.2f} CIEDE2000"
        )
    else:
        effect = f"It made no difference that {count} photos held out could show: {estimate:+.2f} CIEDE2000"
    sentence = f"{effect} (95 % interval {low:+.2f} to {high:+.2f})."
    everything = np.arange(count)
    if after(everything) > gray(everything):
        sentence += " It is still farther from the truth than gray is, as colours that people see often are."
    return sentence
