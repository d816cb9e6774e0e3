"""The report: one HTML file that asks nobody for anything, for a desk and for a phone, in light and in dark."""

from __future__ import annotations

import base64
import datetime
import math
from collections.abc import Iterator, Sequence
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tintype.measures.records import PICTURES
from tintype.measures.statistics import KINDS, STATISTICS, Statistic
from tintype.monitoring.alarms import Alarm
from tintype.monitoring.charts import stacked_bars, tenths, trend
from tintype.monitoring.drift import DRIFT, WATCH, Distribution, Level, counts_in, distribution_of
from tintype.monitoring.judging import Judgement
from tintype.monitoring.photos import Photos
from tintype.monitoring.reference import Reference
from tintype.monitoring.rows import Row, of_side

_PICTURES = 12
_CLASSES = {Level.DRIFT: "drift", Level.WATCH: "watch", Level.SAME: "same"}
_DASH = "\N{EN DASH}"
_SIDES = {"output": "Answers", "input": "Photos that came"}


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
    reference : Reference or None
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
    style = resources.files("tintype.monitoring").joinpath("report.css").read_text(encoding="utf-8")
    body = "\n".join(
        [
            *_head(photos, torn, judgement, reference, first, last),
            *_counts(photos, days),
            *_table(judgement, reference),
            *(
                line
                for of, title in _SIDES.items()
                for line in _cards(title, of, photos, judgement, reference, days)
            ),
            *_mix(judgement.judged),
            *_pictures(judgement.judged, folder),
            *_meanings(),
        ]
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Tintype monitor, {last}</title><style>\n{style}</style></head>\n"
        f"<body><main>\n{body}\n</main></body></html>\n"
    )


def _head(
    photos: Photos,
    torn: int,
    judgement: Judgement,
    reference: Reference | None,
    first: datetime.date,
    last: datetime.date,
) -> Iterator[str]:
    alarms = judgement.alarms
    yield "<h1>Tintype monitor</h1>"
    yield f'<p class="soft">{first} to {last}, days of UTC</p>'
    state, word = ("bad", _counted(len(alarms), "alarm")) if alarms else ("good", "No alarm")
    yield f'<div class="state {state}">{word}</div>'
    yield from map(_alarm, alarms)
    notes = list(judgement.notes)
    if torn:
        notes.append(
            f"{_counted(torn, 'line')} could not be read and {'is' if torn == 1 else 'are'} left out: a process that "
            "is killed may leave one torn."
        )
    yield from (f'<div class="note"><p>{escape(note)}</p></div>' for note in notes)
    judged = judgement.judged
    facts = {
        "photos shown": f"{len(photos):,}",
        "photos judged": f"{len(judged):,}",
        "days judged": _span(judged.days),
        "answered by": ", ".join(sorted(map(str, set(judged.values("model"))))) or _DASH,
    }
    yield '<dl class="facts">'
    yield from (
        f"<div><dt>{name}</dt><dd>{escape(fact).replace(' to ', ' to<br>')}</dd></div>"
        for name, fact in facts.items()
    )
    yield "</dl>"
    if reference:
        model = f", model {reference.model}" if reference.model else ""
        yield f'<p class="soft">Reference: {escape(reference.source + model)}.</p>'


def _alarm(alarm: Alarm) -> str:
    distances = [part for part in alarm.how_far.split("\n") if part]
    far = (
        f"<p>{escape(distances[0])}</p>"
        if len(distances) == 1
        else f"<ul>{''.join(f'<li>{escape(part)}</li>' for part in distances)}</ul>"
        if distances
        else ""
    )
    return (
        f'<section class="alarm" data-alarm="{alarm.key}"><h3>{escape(alarm.what)}</h3>'
        f"{f'<p>{escape(alarm.since)}</p>' if alarm.since else ''}{far}<p>{_with_code(alarm.to_do)}</p></section>"
    )


def _with_code(text: str) -> str:
    """Escaped, with what stands in backquotes as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts))


def _counts(photos: Photos, days: NDArray[np.datetime64]) -> Iterator[str]:
    kinds = photos.values("kind")
    parts = {kind: [int(np.sum((photos.day == day) & (kinds == kind))) for day in days] for kind in KINDS}
    most = max(map(sum, zip(*parts.values(), strict=True)))
    words = {"gray": "came in gray", "toned": "in one tint, as sepia", "colour": "in colour"}
    yield "<h2>Photos a day</h2>"
    yield "<p>" + "".join(
        f'<span class="key"><i style="background:var(--{kind})"></i>{words[kind]}</span>' for kind in KINDS
    )
    yield f'</p><div class="wide">{stacked_bars(parts, f"Photos a day, {most} at most")}</div>'
    yield _ends(str(days[0]), f"most on a day: {most:,}", str(days[-1]))


def _table(judgement: Judgement, reference: Reference | None) -> Iterator[str]:
    if reference is None or not judgement.rows:
        return
    yield "<h2>Drift</h2>"
    yield (
        f'<p class="soft">Population stability index of {_span(judgement.judged.days)} against the reference: below '
        f"{WATCH:g} as it was, from {DRIFT:g} an alarm, unless chance gives as much once in a thousand times.</p>"
    )
    yield '<div class="scroll"><table><thead><tr><th>Statistic</th><th class="text">Verdict</th><th>PSI</th>'
    yield "<th>Alarm from</th><th>Median</th><th>Reference</th><th>Eight in ten there</th></tr></thead><tbody>"
    for of, title in _SIDES.items():
        yield f'<tr class="side"><th colspan="7">{title}</th></tr>'
        for row in judgement.rows:
            if row.statistic.of == of:
                yield _line(row, reference.statistics.get(row.statistic.name))
    yield "</tbody></table></div>"


def _line(row: Row, usual: Distribution | None) -> str:
    drift = row.drift
    limit = drift.limit if drift and row.statistic.judged else None
    middle, low, high = (usual.middle, usual.low, usual.high) if usual else (None, None, None)
    return (
        f"<tr><td>{escape(row.statistic.title)}</td><td class='text'>{_level(row)}</td>"
        f"<td>{_number(drift.psi if drift else None, 2)}</td><td>{_number(limit, 2)}</td>"
        f"<td>{_number(row.middle)}</td><td>{_number(middle)}</td><td>{_number(low)} to {_number(high)}</td></tr>"
    )


def _level(row: Row) -> str:
    if row.drift is None:
        return f'<span class="level">{_DASH}</span>'
    level = row.drift.level
    word = level.value
    if level is Level.DRIFT and not row.statistic.judged:
        return '<span class="level watch">differs, no alarm</span>'
    return f'<span class="level {_CLASSES.get(level, "")}">{word}</span>'


def _cards(
    title: str,
    of: str,
    photos: Photos,
    judgement: Judgement,
    reference: Reference | None,
    days: NDArray[np.datetime64],
) -> Iterator[str]:
    rows = [row for row in judgement.rows if row.statistic.of == of]
    if not rows:
        return
    yield f"<h2>{title}</h2>"
    yield (
        '<p class="soft">Above: photos of the judged days by the tenths of '
        f"{'the reference' if reference else 'themselves'}, from low to high"
        f"{', and the reference as a line' if reference else ''}. "
        "Below: each day, median and the middle eight of ten"
        f"{', on the band of the reference' if reference else ''}.</p>"
    )
    yield '<div class="cards">'
    for row in rows:
        usual = reference.statistics.get(row.statistic.name) if reference else None
        yield _card(row, photos, judgement.judged, usual, days)
    yield "</div>"


def _card(
    row: Row, photos: Photos, judged: Photos, usual: Distribution | None, days: NDArray[np.datetime64]
) -> str:
    statistic = row.statistic
    shown = of_side(photos, statistic)
    values = of_side(judged, statistic).values(statistic.name)
    unit = f' <span class="soft">{statistic.unit}</span>' if statistic.unit else ""
    drifts = bool(row.drift and row.drift.level is Level.DRIFT and statistic.judged)
    head = (
        f"<header><h3>{escape(statistic.title)}{unit}</h3>{_level(row)}</header>"
        f'<p class="soft meaning">{escape(statistic.meaning)}</p>'
    )
    if np.isnan(shown.values(statistic.name)).all():
        return f'<article class="card">{head}<p class="soft">Not defined for any photo shown.</p></article>'
    return (
        f'<article class="card{" drift" if drifts else ""}">{head}{_tenths(statistic, values, usual)}'
        f"{_trend(statistic, shown, usual, days)}</article>"
    )


def _tenths(statistic: Statistic, values: NDArray[np.float64], usual: Distribution | None) -> str:
    if usual is None or usual.middle is None:
        known = distribution_of(values) if len(values) else None
        if known is None or known.middle is None:
            return ""
        return _ends(
            f"10th percentile {_number(known.low)}",
            f"median {_number(known.middle)}",
            f"90th {_number(known.high)}",
        )
    counts = counts_in(values, usual.edges)
    shares = counts / max(counts.sum(), 1)
    used = len(shares) if shares[-1] + usual.shares[-1] > 0 else len(shares) - 1
    chart = tenths(list(shares[:used]), usual.shares[:used], f"{statistic.title} by tenths of the reference")
    undefined = "not defined" if used == len(shares) else f"above {_number(usual.edges[-1])}"
    return chart + _ends(f"up to {_number(usual.edges[0])}", _number(usual.middle), undefined)


def _trend(
    statistic: Statistic, photos: Photos, usual: Distribution | None, days: NDArray[np.datetime64]
) -> str:
    values = photos.values(statistic.name)
    quantiles = np.array([_quantiles(values[photos.day == day]) for day in days])
    band = (
        (usual.low, usual.high)
        if usual is not None and usual.low is not None and usual.high is not None
        else None
    )
    low, middle, high = quantiles.T
    chart, bottom, top = trend(low, middle, high, band, f"{statistic.title} by day")
    return chart + _ends(str(days[0]), f"scale {_number(bottom)} to {_number(top)}", str(days[-1]))


def _quantiles(values: NDArray[np.float64]) -> NDArray[np.float64]:
    known = values[~np.isnan(values)]
    return np.quantile(known, [0.1, 0.5, 0.9]) if len(known) else np.full(3, np.nan)


def _mix(photos: Photos) -> Iterator[str]:
    if not len(photos):
        return
    yield "<h2>What the judged days were made of</h2>"
    yield '<div class="scroll"><table><thead><tr><th></th><th class="text"></th><th>Photos</th><th>Share</th></tr>'
    yield "</thead><tbody>"
    columns = {"format": "Format", "bits": "Bits a channel", "kind": "Came as", "model": "Answered by"}
    for name, title in columns.items():
        values, counts = np.unique(photos.values(name).astype(str), return_counts=True)
        for place in np.argsort(-counts):
            word = values[place].removesuffix(".0")
            yield (
                f"<tr><td>{title}</td><td class='text'>{escape(word)}</td><td>{counts[place]:,}</td>"
                f"<td>{counts[place] / len(photos):.0%}</td></tr>"
            )
    changed = len(photos) - len(photos.as_the_model_gives_them())
    yield (
        f"<tr><td>Saturation</td><td class='text'>chosen by the client</td><td>{changed:,}</td>"
        f"<td>{changed / len(photos):.0%}</td></tr></tbody></table></div>"
    )


def _pictures(photos: Photos, folder: Path) -> Iterator[str]:
    names, days = photos.values("picture"), photos.day
    kept = [
        (day, [folder / PICTURES / str(day) / f"{name}-{key}.jpg" for key in ("gray", "colour")])
        for name, day in zip(names[::-1], days[::-1], strict=True)
        if name
    ]
    there = [(day, files) for day, files in kept if all(file.is_file() for file in files)][:_PICTURES]
    if not there:
        return
    yield "<h2>Kept pictures</h2>"
    yield (
        f'<p class="soft">The newest of {_counted(len(kept), "photo")} of which the service was told to keep small '
        "copies.</p>"
    )
    yield '<div class="pictures">'
    for day, files in there:
        images = "".join(
            f'<img alt="" src="data:image/jpeg;base64,{base64.b64encode(file.read_bytes()).decode()}">'
            for file in files
        )
        yield f'<figure>{images}<figcaption class="soft">{day}</figcaption></figure>'
    yield "</div>"


def _meanings() -> Iterator[str]:
    yield "<h2>How it is measured</h2>"
    yield (
        '<p class="soft">Each photo and its answer are measured by the service on copies of at most 192 pixels a side, '
        "without knowing the true colours. Answers to clients that chose a saturation are left out of what is said of "
        f"answers. All {len(STATISTICS)} figures are explained in docs/monitoring.md.</p>"
    )


def _ends(*words: str) -> str:
    return f'<div class="ends">{"".join(f"<span>{escape(word)}</span>" for word in words)}</div>'


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
