"""The figures of a contest: what the gate looks at, and what people see beside it.

Every error rewards gray, so the error is read off where both models have the same colourfulness: their chroma is
multiplied until they have, which moves neither hues nor where colours lie. Patches are counted for the colour there
is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tintype.evaluation.contest import CHALLENGER, CHAMPION, Contest
from tintype.evaluation.figures import Compared, Figure, compared
from tintype.evaluation.intervals import Index

EQUAL = (0.5, 1.0)
"""Colourfulness ratios between which errors are compared: at the champion's own, if it lies here. Below, all models are
nearly gray and nearly alike; above, it is the gamut that is compared."""

FLOOR = 0.01
"""Colourfulness ratio below which a painter counts as gray; its logarithm stands for that of gray."""


@dataclass(frozen=True)
class Figures:
    """What the gate looks at, and what else stands in the table, each with its interval."""

    photos: int
    equal_at: float  # the colourfulness ratio at which errors are compared
    error: Compared
    merit: Compared
    colourful: Compared
    off_colourful: Compared
    patches: Compared
    per_colour: Compared
    bleeding: Compared
    psnr: Compared
    seconds: Compared | None  # None where nothing was timed

    def rows(self) -> list[Compared]:
        """In the table's order."""
        rows = (
            self.merit,
            self.colourful,
            self.off_colourful,
            self.per_colour,
            self.patches,
            self.bleeding,
            self.error,
            self.psnr,
            self.seconds,
        )
        return [row for row in rows if row]


def figures_of(contest: Contest, beside: tuple[str, ...]) -> Figures:
    """The figures of a contest.

    Parameters
    ----------
    contest : Contest
    beside : tuple of str
        Painters that stand beside in the table.

    Returns
    -------
    Figures
    """
    scores, photos = contest.scores, len(contest.scores.photos)
    champion = CHAMPION if CHAMPION in scores.of else None
    everything = np.arange(photos)

    def colourful(painter: str) -> Callable[[Index], float]:
        return scores.ratio(painter, "colourfulness")

    def distance(painter: str) -> Callable[[Index], float]:
        ratio = colourful(painter)
        return lambda drawn: abs(math.log(max(ratio(drawn), FLOOR)))

    def per_colour(painter: str) -> Callable[[Index], float]:
        ratio, patches = colourful(painter), scores.ratio(painter, "patch_gradient")
        return lambda drawn: patches(drawn) / ratio(drawn) if ratio(drawn) > FLOOR else math.nan

    own = colourful(champion or CHALLENGER)(everything)
    equal_at = min(max(own, EQUAL[0]), EQUAL[1])

    def merit(painter: str) -> Callable[[Index], float]:
        front = contest.fronts[painter]
        return lambda drawn: front.at(equal_at, drawn)

    def seconds(painter: str) -> Callable[[Index], float]:
        values = scores.of[painter]["seconds"]
        if np.isnan(values).all():
            raise KeyError(painter)  # it was not at hand
        return lambda drawn: float(np.median(values[drawn]))

    def row(title: str, form: str, of: Callable[[str], Callable[[Index], float]]) -> Compared:
        return compared(Figure(title, form, of), photos, champion, CHALLENGER, beside)

    return Figures(
        photos,
        equal_at,
        error=row(
            "CIEDE2000 (less is better, but gray has little)",
            ".2f",
            lambda painter: scores.mean(painter, "delta_e2000_mean"),
        ),
        merit=row(f"CIEDE2000 at {equal_at:.2f} of the truth's colourfulness (less)", ".2f", merit),
        colourful=row("colourfulness, ratio to the truth (1 is right)", ".2f", colourful),
        off_colourful=row("colourfulness, distance from right, as abs(ln ratio) (less)", ".2f", distance),
        patches=row(
            "chromatic patches, ratio to the truth (gray has none)",
            ".2f",
            lambda painter: scores.ratio(painter, "patch_gradient"),
        ),
        per_colour=row("patches for the colour there is (1 as in true photos)", ".2f", per_colour),
        bleeding=row(
            "bleeding, % of the diagonal (less)", ".2f", lambda painter: scores.mean(painter, "bleed_score")
        ),
        psnr=row(
            "PSNR, dB (more, but gray has much)", ".2f", lambda painter: scores.mean(painter, "psnr_db")
        ),
        seconds=row("seconds a photo (less)", ".3f", seconds) if "seconds" in scores.of[CHALLENGER] else None,
    )
