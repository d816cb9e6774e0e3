"""Figures of two models on the same photos, each with its interval, as rows of a Markdown table.

Photos are drawn anew for the intervals, the same ones for both models, as `tintype.evaluation.intervals` says: so what
makes a photo hard for both of them cancels in the difference.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tintype.evaluation.intervals import Index, Interval, bootstrap, paired

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
    of : callable
        Painter -> the statistic; raises KeyError for a painter of which it is not known.
    """

    title: str
    form: str
    of: Callable[[str], Statistic]


@dataclass(frozen=True)
class Compared:
    """A figure of two painters and of those that they stand beside.

    Attributes
    ----------
    figure : Figure
    photos : int
    before, after, difference : Interval or None
        `difference` is after minus before; None where one of them is not known.
    beside : dict of str to float
        Painter -> estimate; NaN where it is not known.
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
    """A figure of two painters.

    Parameters
    ----------
    figure : Figure
    photos : int
        How many there are.
    before, after : str
        Painters; None if there is nothing to compare with.
    beside : sequence of str
        Painters of which the estimate is enough.

    Returns
    -------
    Compared
    """
    one, other = _known(figure, before), figure.of(after)
    everything = np.arange(photos)
    known = {painter: _known(figure, painter) for painter in beside}
    estimates = {painter: of(everything) if of else float("nan") for painter, of in known.items()}
    if one is None:
        alone = bootstrap(lambda drawn, _: other(drawn), photos, [1])
        return Compared(figure, photos, None, alone, None, estimates)
    return Compared(figure, photos, *paired(one, other, photos), estimates)


def table(rows: Sequence[Compared], headings: Sequence[str]) -> str:
    """Rows as a Markdown table.

    Parameters
    ----------
    rows : sequence of Compared
        With the same painters beside.
    headings : sequence of str
        Of before, after, difference, and each painter beside; where no row has anything before, of after and those
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
        cells = [_shown(row.after, form)]
        if paired:
            cells = [_shown(row.before, form), *cells, _shown(row.difference, f"+{form}")]
        cells += [_number(value, form) for value in row.beside.values()]
        lines.append(f"| {row.figure.title} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _known(figure: Figure, painter: str | None) -> Statistic | None:
    try:
        return None if painter is None else figure.of(painter)
    except KeyError:
        return None


def _shown(one: Interval | None, form: str) -> str:
    if one is None or np.isnan(one.estimate):
        return DASH
    return f"{one.estimate:{form}} [{_number(one.low, form)}, {_number(one.high, form)}]"


def _number(value: float, form: str) -> str:
    return DASH if np.isnan(value) else format(value, form)
