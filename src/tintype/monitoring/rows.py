"""Statistics of some days against the reference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tintype.measures.statistics import Statistic
from tintype.monitoring.drift import Drift, drift_of
from tintype.monitoring.photos import Photos
from tintype.monitoring.reference import Reference


@dataclass(frozen=True)
class Row:
    """A statistic in the judged days.

    Attributes
    ----------
    statistic : Statistic
    middle : float
        Median; NaN if there is none.
    drift : Drift or None
        Against the reference; None without one.
    """

    statistic: Statistic
    middle: float
    drift: Drift | None


def of_side(photos: Photos, statistic: Statistic) -> Photos:
    """Those in which a statistic means something: not how colourful an answer is that a client asked to be gray."""
    return photos if statistic.of == "input" else photos.as_the_model_gives_them()


def drift_in(photos: Photos, statistic: Statistic, reference: Reference | None) -> Drift | None:
    """A statistic of some photos against the reference; None where there is none."""
    if reference is None or statistic.name not in reference.statistics:
        return None
    values = of_side(photos, statistic).values(statistic.name)
    return drift_of(values, reference.statistics[statistic.name])


def median(values: NDArray[np.float64]) -> float:
    """Of values of shape (n,) that are no NaN; NaN if all are."""
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else float("nan")
