"""The report: one HTML file that loads nothing from elsewhere, for a desk and for a phone, in light and in dark.

Here is what the page says; how it looks is report.html.j2 and report.css.
"""

from __future__ import annotations

import base64
import datetime
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tintype.measures.records import PICTURES
from tintype.measures.statistics import KINDS, STATISTICS, Statistic
from tintype.monitoring.days import Photos
from tintype.monitoring.drift import DRIFT, WATCH, Distribution, Level, counts_in, distribution_of
from tintype.monitoring.judging import Judgement
from tintype.monitoring.reference import Reference, Row, of_side

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
    counts, most = _counts(photos, days)
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
        "counts": counts,
        "most": f"{most:,}",
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
    return _render(page)


def _render(page: Mapping[str, Any]) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {"counted": _counted, "number": _number, "place": lambda value: f"{value:.5g}"}
    return environment.get_template("report.html.j2").render(page=page) + "\n"


def _torn(lines: int) -> list[str]:
    if not lines:
        return []
    return [
        f"{_counted(lines, 'line')} could not be read and {'is' if lines == 1 else 'are'} left out: a process that "
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


def _counts(photos: Photos, days: NDArray[np.datetime64]) -> tuple[list[dict[str, float]], int]:
    """The photos of each day by kind, as shares of those of the fullest day; and how many that day has."""
    kinds = photos.values("kind")
    numbers = [{kind: int(np.sum((photos.day == day) & (kinds == kind))) for kind in KINDS} for day in days]
    most = max(sum(day.values()) for day in numbers)
    return [{kind: number / max(most, 1) for kind, number in day.items()} for day in numbers], most


@dataclass(frozen=True)
class _Tenths:
    """Photos in each bin of the reference, and what they are there, as shares of the chart's height."""

    shares: list[float]
    usual: list[float]


@dataclass(frozen=True)
class _Trend:
    """A statistic over days on a scale from `bottom` to `top`; heights are shares of it."""

    bottom: float
    top: float
    band: tuple[float, float] | None
    days: list[tuple[int, float, float, float]]  # its place, 10th percentile, median, 90th percentile


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
    quantiles: Sequence[str]
    tenths: _Tenths | None
    trend: _Trend | None  # None: it is defined for no photo


def _card(
    row: Row, photos: Photos, judged: Photos, reference: Reference | None, days: NDArray[np.datetime64]
) -> _Card:
    name = row.statistic.name
    usual = (reference.statistics.get(name) if reference else None) or _UNKNOWN
    shown = of_side(photos, row.statistic)
    tenths, quantiles = _tenths(of_side(judged, row.statistic).values(name), usual)
    level, level_class = _level(row)
    return _Card(
        statistic=row.statistic,
        level=level,
        level_class=level_class,
        psi=row.drift.psi if row.drift else None,
        limit=row.drift.limit if row.drift and row.statistic.judged else None,
        middle=row.middle,
        usual=usual,
        quantiles=quantiles,
        tenths=tenths,
        trend=_trend(shown.values(name), shown.day, usual, days),
    )


def _level(row: Row) -> tuple[str, str]:
    """The verdict in words, and the style's class for it."""
    if row.drift is None:
        return _DASH, ""
    if row.drift.level is Level.DRIFT and not row.statistic.judged:
        return "differs, no alarm", "watch"
    return row.drift.level.value, _CLASSES.get(row.drift.level, "")


def _tenths(values: NDArray[np.float64], usual: Distribution) -> tuple[_Tenths | None, list[str]]:
    """Bars of the judged photos in the reference's bins, and words for both ends and the middle below them."""
    if usual.middle is None:
        known = distribution_of(values) if len(values) else _UNKNOWN
        if known.middle is None:
            return None, []
        return None, [
            f"10th percentile {_number(known.low)}",
            f"median {_number(known.middle)}",
            f"90th {_number(known.high)}",
        ]
    counts = counts_in(values, usual.edges)
    shares = counts / max(counts.sum(), 1)
    # The last bin is of photos for which it is not defined: shown if there are any.
    used = len(shares) if shares[-1] + usual.shares[-1] > 0 else len(shares) - 1
    top = max(*shares[:used], *usual.shares[:used], 0.2) * 1.05
    last = "not defined" if used == len(shares) else f"above {_number(usual.edges[-1])}"
    return (
        _Tenths(
            [float(share / top) for share in shares[:used]], [share / top for share in usual.shares[:used]]
        ),
        [f"up to {_number(usual.edges[0])}", _number(usual.middle), last],
    )


def _trend(
    values: NDArray[np.float64],
    day: NDArray[np.datetime64],
    usual: Distribution,
    days: NDArray[np.datetime64],
) -> _Trend | None:
    defined = ~np.isnan(values)
    quantiles = {
        place: np.quantile(values[chosen], [0.1, 0.5, 0.9])
        for place, date in enumerate(days)
        if (chosen := defined & (day == date)).any()
    }
    if not quantiles:
        return None
    band = (usual.low, usual.high) if usual.low is not None and usual.high is not None else None
    ends = [*(band or ()), *(value for three in quantiles.values() for value in three)]
    margin = 0.06 * (max(ends) - min(ends)) or 0.5
    bottom, top = float(min(ends) - margin), float(max(ends) + margin)
    if min(ends) >= 0:
        bottom = max(bottom, 0.0)

    def height(value: float) -> float:
        return (float(value) - bottom) / (top - bottom)

    return _Trend(
        bottom,
        top,
        (height(band[0]), height(band[1])) if band else None,
        [
            (place, height(low), height(middle), height(high))
            for place, (low, middle, high) in quantiles.items()
        ],
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


def _counted(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"
