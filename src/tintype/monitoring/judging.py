"""What a monitor's folder means: drift of each statistic, and alarms.

Judged are the newest days, as many as it takes for `ENOUGH` photos, at most a week: where there are many photos a new
trouble is not diluted by good days, and where there are few it is seen at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tintype.measures.statistics import STATISTICS
from tintype.monitoring.alarms import WEEK, Alarm, alarms_of, silent
from tintype.monitoring.days import Photos
from tintype.monitoring.drift import FEW, Level
from tintype.monitoring.reference import Reference, Row, drift_in, median, of_side

ENOUGH = 300  # photos
_SILENT = np.timedelta64(WEEK, "D")


@dataclass(frozen=True)
class Judgement:
    """What is said.

    Attributes
    ----------
    judged : Photos
        Of the judged days.
    notes : tuple of str
        Sentences on what is worth knowing and is no alarm.
    """

    judged: Photos
    rows: tuple[Row, ...]
    alarms: tuple[Alarm, ...]
    notes: tuple[str, ...]


def judge(photos: Photos, reference: Reference | None, today: np.datetime64) -> Judgement:
    """Judge the newest days.

    Parameters
    ----------
    photos : Photos
        Of all days that are shown.
    today : datetime64[D]
    """
    if not len(photos) or photos.days[-1] < today - _SILENT:
        return Judgement(photos.where(photos.day < photos.day), (), (silent(photos),), ())
    judged = newest(photos)
    rows = tuple(
        Row(statistic, median(of_side(judged, statistic).values(statistic.name)), drift)
        for statistic in STATISTICS
        for drift in [drift_in(judged, statistic, reference)]
    )
    alarms = alarms_of(photos, judged, rows, reference)
    return Judgement(judged, rows, alarms, tuple(_notes(judged, rows, reference)))


def newest(photos: Photos) -> Photos:
    """The judged days."""
    last = photos.days[-1]
    for back in range(WEEK):
        chosen = photos.of_days(last - np.timedelta64(back, "D"), last)
        if len(chosen) >= ENOUGH:
            break
    return chosen


def _notes(judged: Photos, rows: Sequence[Row], reference: Reference | None) -> Iterator[str]:
    if reference is None:
        yield (
            "There is no reference, so nothing is said of drift. Make one with `tintype monitor reference` and give it "
            "with --reference."
        )
        return
    bundles = set(judged.values("bundle")) - {None}
    if reference.bundle and bundles - {reference.bundle}:
        others = sorted(set(judged.values("model")[judged.values("bundle") != reference.bundle]))
        yield (
            f"The reference has answers of {reference.model}, but {', '.join(others)} answers now: make a new "
            "reference for it, or what differs between the versions counts as drift."
        )
    if any(row.drift and row.drift.level is Level.FEW for row in rows):
        small = min(distribution.count for distribution in reference.statistics.values())
        yield (
            f"Drift is told from {FEW} photos on. The newest days have {len(judged):,}, of which "
            f"{len(judged.as_the_model_gives_them()):,} in the colours that the model gives by itself; the reference "
            f"has {small:,} or more."
        )
