"""Figures of two models on the same photos, each with its interval, as rows of a Markdown table.

For the intervals photos are drawn anew, the same ones for both models (`tintype.evaluation.intervals`), so what makes a
photo hard for both of them cancels in the difference.

Every error rewards gray, so the error is read off where both models have the same colourfulness: their chroma is
multiplied until they do, which moves neither hues nor the places of colours. Patches are counted relative to the
colourfulness.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tintype.evaluation.intervals import Index, Interval, bootstrap, paired
from tintype.evaluation.paired_scores import CHALLENGER, CHAMPION, PairedScores

Statistic = Callable[[Index], float]
DASH = "\N{EN DASH}"


@dataclass(frozen=True)
class Figure:
    """What is compared.

    Attributes
    ----------
    title : str
        As the table shows it, with which way is better.
    form : str
        How its numbers are written.
    statistic : callable
        Method -> the statistic; raises KeyError for a method for which it is not known.
    """

    title: str
    form: str
    statistic: Callable[[str], Statistic]


@dataclass(frozen=True)
class Compared:
    """A figure of two methods and of those that they stand beside.

    Attributes
    ----------
    before, after, difference : Interval or None
        `difference` is after minus before; None where one of them is not known.
    beside : dict of str to float
        Method -> estimate; NaN where it is not known.
    """

    figure: Figure
    photos: int
    before: Interval | None
    after: Interval
    difference: Interval | None
    beside: dict[str, float]


def compared(
    figure: Figure, photos: int, before: str | None, after: str, beside: Sequence[str] = ()
) -> Compared:
    """Compute a figure for two methods.

    Parameters
    ----------
    photos : int
        How many there are.
    before, after : str
        Methods; None if there is nothing to compare with.
    beside : sequence of str
        Methods for which the estimate is enough.
    """
    one, other = _statistic(figure, before), figure.statistic(after)
    everything = np.arange(photos)
    statistics = {method: _statistic(figure, method) for method in beside}
    estimates = {method: of(everything) if of else float("nan") for method, of in statistics.items()}
    if one is None:
        alone = bootstrap(lambda drawn, _: other(drawn), photos, [1])
        return Compared(figure, photos, None, alone, None, estimates)
    return Compared(figure, photos, *paired(one, other, photos), estimates)


def table(rows: Sequence[Compared], headings: Sequence[str]) -> str:
    """Rows as a Markdown table.

    Parameters
    ----------
    rows : sequence of Compared
        With the same methods beside.
    headings : sequence of str
        Of before, after, difference, and each method beside; where no row has anything before, of after and those
        beside alone.

    Returns
    -------
    str
        Lines without a final newline.
    """
    paired = any(row.before for row in rows)
    lines = ["| | " + " | ".join(headings) + " |", "|---|" + "---:|" * len(headings)]
    for row in rows:
        form = row.figure.form
        cells = [_interval(row.after, form)]
        if paired:
            cells = [_interval(row.before, form), *cells, _interval(row.difference, f"+{form}")]
        cells += [_number(value, form) for value in row.beside.values()]
        lines.append(f"| {row.figure.title} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _statistic(figure: Figure, method: str | None) -> Statistic | None:
    try:
        return None if method is None else figure.statistic(method)
    except KeyError:
        return None


def _interval(one: Interval | None, form: str) -> str:
    if one is None or np.isnan(one.estimate):
        return DASH
    return f"{one.estimate:{form}} [{_number(one.low, form)}, {_number(one.high, form)}]"


def _number(value: float, form: str) -> str:
    return DASH if np.isnan(value) else format(value, form)


EQUAL = (0.5, 1.0)
"""Colourfulness ratios between which errors are compared: at the champion's own, if it lies here. Below, all models are
nearly gray and nearly alike; above, it is the gamut that is compared."""

FLOOR = 0.01
"""Colourfulness ratio below which a method counts as gray; its logarithm stands for that of gray."""


@dataclass(frozen=True)
class Figures:
    """The figures that the gate looks at, and the others in the table, each with its interval."""

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
        """The figures in the table's order."""
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


def figures_of(scored: PairedScores, beside: tuple[str, ...]) -> Figures:
    """The figures that the gate decides by, and those that stand beside them.

    Parameters
    ----------
    beside : tuple of str
        Methods that stand beside in the table.
    """
    scores, photos = scored.scores, len(scored.scores.photos)
    champion = CHAMPION if CHAMPION in scores.by_method else None
    everything = np.arange(photos)

    def colourful(method: str) -> Callable[[Index], float]:
        return scores.ratio(method, "colourfulness")

    def distance(method: str) -> Callable[[Index], float]:
        ratio = colourful(method)
        return lambda drawn: abs(math.log(max(ratio(drawn), FLOOR)))

    def per_colour(method: str) -> Callable[[Index], float]:
        ratio, patches = colourful(method), scores.ratio(method, "patch_gradient")
        return lambda drawn: patches(drawn) / ratio(drawn) if ratio(drawn) > FLOOR else math.nan

    own = colourful(champion or CHALLENGER)(everything)
    equal_at = min(max(own, EQUAL[0]), EQUAL[1])

    def merit(method: str) -> Callable[[Index], float]:
        curve = scored.curves[method]
        return lambda drawn: curve.at(equal_at, drawn)

    def seconds(method: str) -> Callable[[Index], float]:
        values = scores.by_method[method]["seconds"]
        if np.isnan(values).all():
            raise KeyError(method)  # it was not at hand
        return lambda drawn: float(np.median(values[drawn]))

    def row(title: str, form: str, of: Callable[[str], Callable[[Index], float]]) -> Compared:
        return compared(Figure(title, form, of), photos, champion, CHALLENGER, beside)

    return Figures(
        photos,
        equal_at,
        error=row(
            "CIEDE2000 (less is better, but gray has little)",
            ".2f",
            lambda method: scores.mean(method, "delta_e2000_mean"),
        ),
        merit=row(f"CIEDE2000 at {equal_at:.2f} of the truth's colourfulness (less)", ".2f", merit),
        colourful=row("colourfulness, ratio to the truth (1 is right)", ".2f", colourful),
        off_colourful=row("colourfulness, distance from right, as abs(ln ratio) (less)", ".2f", distance),
        patches=row(
            "chromatic patches, ratio to the truth (gray has none)",
            ".2f",
            lambda method: scores.ratio(method, "patch_gradient"),
        ),
        per_colour=row("patches for the colour there is (1 as in true photos)", ".2f", per_colour),
        bleeding=row(
            "bleeding, % of the diagonal (less)", ".2f", lambda method: scores.mean(method, "bleed_score")
        ),
        psnr=row("PSNR, dB (more, but gray has much)", ".2f", lambda method: scores.mean(method, "psnr_db")),
        seconds=row("seconds a photo (less)", ".3f", seconds)
        if "seconds" in scores.by_method[CHALLENGER]
        else None,
    )
