"""The report: one HTML file that loads nothing from elsewhere, for a desk and for a phone, in light and in dark.

Here is what the page says and what its charts show; how it looks is report.html.j2 and `tintype.pages`.
"""

from __future__ import annotations

import base64
import datetime
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tintype.measures.records import PICTURES
from tintype.measures.statistics import KINDS, STATISTICS, Statistic
from tintype.monitoring.days import Photos
from tintype.monitoring.drift import DRIFT, WATCH, Distribution, Level, counts_in
from tintype.monitoring.judging import Judgement
from tintype.monitoring.reference import Reference, Row, of_side
from tintype.pages.charts import COLOURS, chart
from tintype.pages.render import counted, render

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PICTURES = 12
_CLASSES = {Level.DRIFT: "drift", Level.WATCH: "watch", Level.SAME: "same"}
_DASH = "\N{EN DASH}"
_SIDES = {"output": "Answers", "input": "Photos that came"}
_KINDS = {"gray": "came in gray", "toned": "in one tint, as sepia", "colour": "in colour"}
_MIXED = {"format": "Format", "bits": "Bits a channel", "kind": "Came as", "model": "Answered by"}
_UNKNOWN = Distribution(count=0, edges=[], shares=[0.0], low=None, middle=None, high=None)


def report(
    photos: Photos,
    torn: int,
    judgement: Judgement,
    reference: Reference | None,
    first: datetime.date,
    last: datetime.date,
    folder: Path,
) -> str:
    """The page.

    Parameters
    ----------
    photos : Photos
        Of the days shown.
    torn : int
        Lines that could not be read.
    judgement : Judgement
        Of them.
    first, last : date
        Of the days shown.
    folder : Path
        The monitor's, for kept pictures.

    Returns
    -------
    str
        HTML.
    """
    days = np.arange(np.datetime64(first), np.datetime64(last) + 1)
    judged = judgement.judged
    kept, pictures = _pictures(judged, folder)
    page = {
        "first": str(first),
        "last": str(last),
        "alarms": judgement.alarms,
        "notes": [*judgement.notes, *_torn(torn)],
        "facts": {
            "photos shown": f"{len(photos):,}",
            "photos judged": f"{len(judged):,}",
            "days judged": _span(judged.days),
            "answered by": ", ".join(sorted(map(str, set(judged.values("model"))))) or _DASH,
        },
        "reference": _source(reference),
        "kinds": {kind: _KINDS[kind] for kind in KINDS},
        "counts": _counts(photos, days),
        "drift": _rule(judged) if reference and judgement.rows else "",
        "sides": {
            title: [
                _card(row, photos, judged, reference, days)
                for row in judgement.rows
                if row.statistic.measured_on == side
            ]
            for side, title in _SIDES.items()
        },
        "mix": _mix(judged),
        "kept": kept,
        "pictures": pictures,
        "statistics": len(STATISTICS),
    }
    return render(Path(__file__).with_name("report.html.j2"), page=page, number=_number)


def _torn(lines: int) -> list[str]:
    if not lines:
        return []
    return [
        f"{counted(lines, 'line')} could not be read and {'is' if lines == 1 else 'are'} left out: a process that "
        "is killed may leave one torn."
    ]


def _source(reference: Reference | None) -> str:
    if reference is None:
        return ""
    return f"{reference.source}, model {reference.model}" if reference.model else reference.source


def _rule(judged: Photos) -> str:
    return (
        f"Population stability index of {_span(judged.days)} against the reference: below {WATCH:g} as it was, from "
        f"{DRIFT:g} an alarm, unless chance gives as much once in a thousand times."
    )


def _counts(photos: Photos, days: NDArray[np.datetime64]) -> str:
    """A bar for each day, the kinds of photos on each other."""
    kinds = photos.values("kind")
    colours = {"gray": COLOURS["gray"], "toned": COLOURS["toned"], "colour": COLOURS["now"]}

    def draw(axes: Axes) -> None:
        places = (photos.day - days[0]).astype(int)
        base = np.zeros(len(days), int)
        for kind in KINDS:
            numbers = np.bincount(places[kinds == kind], minlength=len(days))
            [there] = np.nonzero(numbers)  # bars of ten years take seconds, of which most may be empty
            axes.bar(there, numbers[there], 0.84, base[there], color=colours[kind])
            base += numbers
        axes.locator_params(axis="y", integer=True, nbins=4)
        _dates(axes, days)

    return chart(draw, "Photos a day", width=9, height=1.8)


def _dates(axes: Axes, days: NDArray[np.datetime64]) -> None:
    ends = sorted({0, len(days) - 1})
    axes.set_xlim(-0.6, len(days) - 0.4)
    axes.set_xticks(ends, [str(days[place]) for place in ends])


@dataclass(frozen=True)
class _Card:
    """What the page says of a statistic."""

    statistic: Statistic
    level: str
    level_class: str
    psi: float | None
    limit: float | None
    middle: float
    usual: Distribution
    chart: str  # empty: it is defined for no photo


def _card(
    row: Row, photos: Photos, judged: Photos, reference: Reference | None, days: NDArray[np.datetime64]
) -> _Card:
    name = row.statistic.name
    usual = (reference.statistics.get(name) if reference else None) or _UNKNOWN
    shown = of_side(photos, row.statistic)
    level, level_class = _level(row)
    return _Card(
        statistic=row.statistic,
        level=level,
        level_class=level_class,
        psi=row.drift.psi if row.drift else None,
        limit=row.drift.limit if row.drift and row.statistic.judged else None,
        middle=row.middle,
        usual=usual,
        chart=_chart(row.statistic, of_side(judged, row.statistic).values(name), shown, usual, days),
    )


def _level(row: Row) -> tuple[str, str]:
    """The verdict in words, and the style's class for it."""
    if row.drift is None:
        return _DASH, ""
    if row.drift.level is Level.DRIFT and not row.statistic.judged:
        return "differs, no alarm", "watch"
    return row.drift.level.value, _CLASSES.get(row.drift.level, "")


def _chart(
    statistic: Statistic,
    judged: NDArray[np.float64],
    shown: Photos,
    usual: Distribution,
    days: NDArray[np.datetime64],
) -> str:
    """Above how the judged photos lie, below each day's median and middle eight of ten."""
    values = shown.values(statistic.name)
    known = ~np.isnan(values)
    day, values = shown.day[known], values[known]
    quantiles = {
        int((one - days[0]).astype(int)): np.quantile(values[day == one], [0.1, 0.5, 0.9])
        for one in np.unique(day)
    }
    if not quantiles:
        return ""
    low, middle, high = np.array(list(quantiles.values())).T

    def draw(above: Axes, below: Axes) -> None:
        if usual.middle is None:
            above.hist(judged[np.isfinite(judged)], bins=24)
        else:
            _tenths(above, judged, usual)
        above.set_yticks([])
        if usual.low is not None and usual.high is not None:
            below.axhspan(usual.low, usual.high, color=COLOURS["band"])
        places = list(quantiles)
        below.vlines(places, low, high, color=COLOURS["spread"], lw=min(120 / len(days), 12))
        below.hlines(middle, np.subtract(places, 0.4), np.add(places, 0.4), color=COLOURS["now"], lw=2)
        below.locator_params(axis="y", nbins=3)
        below.margins(y=0.1)
        _dates(below, days)

    return chart(draw, f"{statistic.title}: photos of the judged days, and by day", rows=2, height=2.6)


def _tenths(axes: Axes, values: NDArray[np.float64], usual: Distribution) -> None:
    """Bars of the judged photos in the reference's bins, and a line of what they are there."""
    counts = counts_in(values, usual.edges)
    shares = counts / max(counts.sum(), 1)
    # The last bin is of photos for which it is not defined: shown if there are any.
    used = len(shares) if shares[-1] + usual.shares[-1] > 0 else len(shares) - 1
    axes.bar(range(used), shares[:used], 0.84)
    edges = np.arange(used + 1) - 0.5
    axes.stairs(usual.shares[:used], edges, baseline=None, color=COLOURS["usual"], lw=1.5)
    last = "not defined" if used == len(shares) else f"above {_number(usual.edges[-1])}"
    axes.set_xticks(
        [0, (used - 1) / 2, used - 1], [f"up to {_number(usual.edges[0])}", _number(usual.middle), last]
    )


def _mix(photos: Photos) -> list[tuple[str, str, int, float]]:
    """What the photos were, most first: title, value, how many, share."""
    if not len(photos):
        return []
    rows = []
    for name, title in _MIXED.items():
        values, counts = np.unique(photos.values(name).astype(str), return_counts=True)
        rows += [
            (title, values[place].removesuffix(".0"), int(counts[place])) for place in np.argsort(-counts)
        ]
    changed = len(photos) - len(photos.as_the_model_gives_them())
    rows.append(("Saturation", "chosen by the client", changed))
    return [(title, word, count, count / len(photos)) for title, word, count in rows]


def _pictures(photos: Photos, folder: Path) -> tuple[int, list[tuple[str, list[str]]]]:
    """How many photos were kept, and the newest that are still there: day, gray and coloured as base64."""
    kept = [
        (str(day), [folder / PICTURES / str(day) / f"{name}-{key}.jpg" for key in ("gray", "colour")])
        for name, day in zip(photos.values("picture")[::-1], photos.day[::-1], strict=True)
        if name
    ]
    there = [(day, files) for day, files in kept if all(file.is_file() for file in files)][:_PICTURES]
    return len(kept), [
        (day, [base64.b64encode(file.read_bytes()).decode() for file in files]) for day, files in there
    ]


def _span(days: Sequence[Any]) -> str:
    if not days:
        return _DASH
    return str(days[0]) if len(days) == 1 else f"{days[0]} to {days[-1]}"


def _number(value: float | None, digits: int | None = None) -> str:
    if value is None or math.isnan(value):
        return _DASH
    return f"{value:.{digits}f}" if digits is not None else f"{value:.3g}"
