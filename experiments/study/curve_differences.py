"""Fronts compared at the same colourfulness, with intervals over photos and seeds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from tintype.evaluation.intervals import RESAMPLES, Interval, bootstrap
from tintype.evaluation.quality_curve import QualityCurve


def difference_at(
    ours: QualityCurve, theirs: QualityCurve, ratio: float, resamples: int = RESAMPLES
) -> Interval:
    """One front minus another at a ratio: below 0 where less is better and ours lies lower."""
    return _compared(ours, theirs, lambda a, b: a - b, ratio, resamples)


def quotient_at(
    ours: QualityCurve, theirs: QualityCurve, ratio: float, resamples: int = RESAMPLES
) -> Interval:
    """One front over another at a ratio: 0.5 where ours is half."""
    return _compared(ours, theirs, lambda a, b: a / b, ratio, resamples)


def difference_to(
    front: QualityCurve, values: ArrayLike, ratio: float, resamples: int = RESAMPLES
) -> Interval:
    """A front at a ratio minus the mean of what has no front, such as all-gray photos' CIEDE2000."""
    fixed = np.asarray(values, np.float64)
    return bootstrap(
        lambda photos, seeds: front.at(ratio, photos, seeds[0]) - float(fixed[photos].mean()),
        len(front.photos),
        [len(front.values)],
        resamples,
    )


def _compared(
    ours: QualityCurve,
    theirs: QualityCurve,
    compare: Callable[[float, float], float],
    ratio: float,
    resamples: int,
) -> Interval:
    if ours.photos != theirs.photos:
        raise ValueError("Expected two fronts of the same photos in the same order. Received: others.")
    return bootstrap(
        lambda photos, seeds: compare(ours.at(ratio, photos, seeds[0]), theirs.at(ratio, photos, seeds[1])),
        len(ours.photos),
        [len(ours.values), len(theirs.values)],
        resamples,
    )
