"""What a person should look at, in sentences: what, since when, how far, what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tintype.monitoring.days import Photos
from tintype.monitoring.drift import FEW, Level
from tintype.monitoring.reference import GRAY, Reference, Row, drift_in

WEEK = 7  # days
_FEW_GRAY = 20  # a photo is gray or not: shares need fewer photos than distributions
_MANY_GRAY = 0.25  # share of answers, above that in the reference
_HIGHLY = 82.0  # colourfulness that people call so (Hasler, Suesstrunk 2003)
_STRONGER, _PALER = 1.3, 0.7  # median colourfulness, times the reference's


@dataclass(frozen=True)
class Alarm:
    """Something that a person should look at.

    Attributes
    ----------
    key : str
        For programs: ``silent``, ``gray``, ``garish``, ``pale``, ``answers`` or ``inputs``.
    what, since, how_far, to_do : str
        Sentences; `since` and `how_far` may be empty, and `how_far` has a line for each statistic.
    """

    key: str
    what: str
    since: str
    how_far: str
    to_do: str

    def __str__(self) -> str:
        """The whole alarm as one text."""
        parts = (self.what, self.since, self.how_far.replace("\n", " "), self.to_do)
        return " ".join(filter(None, parts))


def alarms_of(
    photos: Photos, judged: Photos, rows: Sequence[Row], reference: Reference | None
) -> tuple[Alarm, ...]:
    """Alarms about the judged days.

    Parameters
    ----------
    photos : Photos
        Of all days that are shown.
    judged : Photos
        Of the judged days.
    rows : sequence of Row
        Of the judged days.
    """
    return (
        *_gray(photos, judged, reference),
        *_answers(photos, judged, rows, reference),
        *_inputs(photos, judged, rows, reference),
    )


def silent(photos: Photos) -> Alarm:
    """The alarm that there is nothing new to judge."""
    last = f"The last was on {photos.days[-1]}." if len(photos) else "There is none in the days shown."
    return Alarm(
        "silent",
        f"No photo was recorded for more than {WEEK} days.",
        last,
        "",
        "Ask whether the service runs and is used, whether TINTYPE_MONITOR_DIR is still this folder, and look at "
        "tintype_monitored_total for what could not be written.",
    )


def _gray(photos: Photos, judged: Photos, reference: Reference | None) -> Iterator[Alarm]:
    usual = (reference.gray if reference else None) or 0.0
    limit = min(usual + _MANY_GRAY, (1 + usual) / 2)

    def share(some: Photos) -> float:
        chroma = some.as_the_model_gives_them().values("mean_chroma")
        return float(np.mean(chroma < GRAY)) if len(chroma) >= _FEW_GRAY else np.nan

    found = share(judged)
    if found > limit:
        yield Alarm(
            "gray",
            "Many answers have no colour.",
            _since([day for day in photos.days if share(_day(photos, day)) > limit], photos, judged),
            f"{found:.0%} of {_span(judged)} have a mean chroma below {GRAY:g}; the reference has {usual:.0%}."
            if reference
            else f"{found:.0%} of {_span(judged)} have a mean chroma below {GRAY:g}.",
            "See which version answers (below) and go back to the one before: `tintype rollback`, or start the older "
            "image. A model that learnt to be gray looks good by PSNR alone: compare colourfulness before promoting.",
        )


def _answers(
    photos: Photos, judged: Photos, rows: Sequence[Row], reference: Reference | None
) -> Iterator[Alarm]:
    colours = next(row for row in rows if row.statistic.name == "colourfulness")
    moved = _moved(rows, "output")
    if reference is None or not any(row.drift for row in rows if row.statistic.measured_on == "output"):
        if len(judged.as_the_model_gives_them()) >= _FEW_GRAY and colours.middle > _HIGHLY:
            yield Alarm(
                "garish",
                "Answers are garish.",
                "",
                f"Half of {_span(judged)} have a colourfulness above {colours.middle:.0f}; people call "
                f"{_HIGHLY:.0f} highly colourful. There is no reference of answers to compare with.",
                _LOOK,
            )
        return
    if not moved:
        return
    known = reference.statistics["colourfulness"].middle or np.nan
    key, what = "answers", "Answers are not what they were."
    if colours in moved and colours.middle > _STRONGER * known:
        key, what = "garish", "Answers are garish."
    elif colours in moved and colours.middle < _PALER * known:
        key, what = "pale", "Answers are pale."
    also = _moved(rows, "input")
    yield Alarm(
        key,
        what,
        _since(_days_of(photos, moved, reference), photos, judged),
        _distances(moved, reference),
        _both(also) if also else _BACK,
    )


_LOOK = (
    "Look at the model: which version answers (below), and since when. Go back with `tintype rollback` or the older "
    "image, and compare both on test photos."
)
_BACK = f"The photos that come have not changed. {_LOOK}"


def _both(also: Sequence[Row]) -> str:
    names = ", ".join(row.statistic.title.lower() for row in also)
    return f"The photos that come have changed too ({names}), so the model need not be at fault: look at that first."


def _inputs(
    photos: Photos, judged: Photos, rows: Sequence[Row], reference: Reference | None
) -> Iterator[Alarm]:
    moved = _moved(rows, "input")
    if reference is None or not moved:
        return
    yield Alarm(
        "inputs",
        "The photos that come are not those of the reference.",
        _since(_days_of(photos, moved, reference), photos, judged),
        _distances(moved, reference),
        "Look at some of them: another scanner, another collection, inverted negatives, a client that changes photos "
        "before it sends them. If they are what they should be and their colours are good, take these days as the new "
        "reference (`tintype monitor reference --days-of DIR`); if colours are bad, train on such photos or use "
        "`tintype adapt`.",
    )


def _moved(rows: Sequence[Row], measured_on: str) -> list[Row]:
    return [
        row
        for row in rows
        if row.statistic.measured_on == measured_on
        and row.statistic.judged
        and row.drift
        and row.drift.level is Level.DRIFT
    ]


def _days_of(photos: Photos, moved: Sequence[Row], reference: Reference) -> list[np.datetime64]:
    """Days that would have had the alarm by themselves."""
    return [
        day
        for day in photos.days
        for drifts in [[drift_in(_day(photos, day), row.statistic, reference) for row in moved]]
        if any(drift and drift.level is Level.DRIFT for drift in drifts)
    ]


def _since(bad: Sequence[np.datetime64], photos: Photos, judged: Photos) -> str:
    """The first of the bad days that no good day follows; days of few photos are neither."""
    enough = [day for day in photos.days if day in bad or len(_day(photos, day)) >= FEW]
    start = None
    for day in reversed(enough):
        if day not in bad:
            break
        start = day
    if start is None:
        return f"It shows in the days from {judged.days[0]} to {judged.days[-1]} taken together."
    if start == photos.days[0]:
        return f"It has been so since {start} or longer: that is the first day shown."
    return f"It has been so since {start}."


def _distances(moved: Sequence[Row], reference: Reference) -> str:
    return "\n".join(f"{_distance(row, reference)}." for row in moved)


def _distance(row: Row, reference: Reference) -> str:
    usual = reference.statistics[row.statistic.name]
    psi = row.drift.psi if row.drift else np.nan
    unit = "" if row.statistic.unit in {"", "share", "probability"} else f" {row.statistic.unit}"
    return (
        f"{row.statistic.title}: median {row.middle:.3g}{unit}, in the reference {usual.middle:.3g} "
        f"({usual.low:.3g} to {usual.high:.3g} for eight in ten), PSI {psi:.2f}"
    )


def _day(photos: Photos, day: np.datetime64) -> Photos:
    return photos.of_days(day, day)


def _span(photos: Photos) -> str:
    first, last = photos.days[0], photos.days[-1]
    return f"the answers of {last}" if first == last else f"the answers from {first} to {last}"
