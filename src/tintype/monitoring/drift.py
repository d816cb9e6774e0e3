"""How far photos are from a reference: the population stability index.

``PSI = sum (p - q) ln(p / q)`` over bins that each hold a tenth of the reference (N. Siddiqi, 2006, "Credit risk
scorecards"). By the rule that goes with it less than 0.1 is no change and more than 0.25 a large one. Few photos give
a large PSI by chance: where nothing changed it is distributed about as ``chi2(bins - 1) (1/n + 1/m)`` for n photos and
m in the reference (B. Yurdakul, 2018, "Statistical properties of population stability index"), so what chance gives
once in a thousand times is no drift either.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

BINS = 10
WATCH, DRIFT = 0.1, 0.25
FEW = 100  # photos below which nothing is said
_Z = 3.0902  # of a normal distribution; one in a thousand is beyond
_HALF = 0.5  # photo added to each bin, as an empty one has no logarithm


class Level(StrEnum):
    """A verdict on one statistic."""

    SAME = "as in the reference"
    WATCH = "differs"
    DRIFT = "drift"
    FEW = "too few photos"
    ABSENT = "not in both"


class Distribution(BaseModel):
    """How a statistic lies in the reference.

    Parameters
    ----------
    count : int
        Photos, those for which it is not defined among them.
    edges : list of float
        Between bins, ascending. A value on an edge is in the lower bin.
    shares : list of float
        Of photos in each bin, one more than edges; then of those for which it is not defined.
    low, middle, high : float or None
        The 10th, 50th and 90th percentile; None if it is defined for none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int
    edges: list[float]
    shares: list[float]
    low: float | None
    middle: float | None
    high: float | None


def distribution_of(values: NDArray[np.float64]) -> Distribution:
    """The distribution of values of shape (n,), n at least 1; NaN is not defined."""
    known = values[~np.isnan(values)]
    if not len(known):
        return Distribution(count=len(values), edges=[], shares=[0.0, 1.0], low=None, middle=None, high=None)
    # Where many photos have one value, such as no black at all, several edges are one.
    edges = np.unique(np.quantile(known, np.arange(1, BINS) / BINS))
    low, middle, high = np.quantile(known, [0.1, 0.5, 0.9])
    shares = counts_in(values, list(edges)) / len(values)
    return Distribution(
        count=len(values),
        edges=[float(edge) for edge in edges],
        shares=[float(share) for share in shares],
        low=float(low),
        middle=float(middle),
        high=float(high),
    )


def counts_in(values: NDArray[np.float64], edges: Sequence[float]) -> NDArray[np.float64]:
    """How many of `values` are in each bin, and how many are not defined, of shape (edges + 2,)."""
    known = values[~np.isnan(values)]
    bins = np.searchsorted(np.asarray(edges, np.float64), known, side="left")
    counts = np.bincount(bins, minlength=len(edges) + 1)
    return np.append(counts, len(values) - len(known)).astype(np.float64)


@dataclass(frozen=True)
class Drift:
    """A statistic against the reference.

    Attributes
    ----------
    psi : float
        NaN for too few photos.
    chance : float
        What it would exceed once in a thousand times if nothing had changed.
    count : int
        Photos.
    """

    level: Level
    psi: float
    chance: float
    count: int

    @property
    def limit(self) -> float:
        """The PSI from which on it counts as drift."""
        return max(DRIFT, self.chance)


def drift_of(values: NDArray[np.float64], reference: Distribution, few: int = FEW) -> Drift:
    """Compare values with a reference.

    Parameters
    ----------
    values : ndarray of shape (n,), float64
        NaN where it is not defined.
    few : int
        Photos below which nothing is said, here and in the reference.
    """
    if min(len(values), reference.count) < few:
        return Drift(Level.FEW, math.nan, math.nan, len(values))
    if reference.middle is None or np.isnan(values).all():
        return Drift(Level.ABSENT, math.nan, math.nan, len(values))
    counts = counts_in(values, reference.edges)
    expected = np.asarray(reference.shares) * reference.count
    used = (counts + expected) > 0
    p, q = (_shares(side[used]) for side in (counts, expected))
    psi = float(np.sum((p - q) * np.log(p / q)))
    chance = _chi2(int(used.sum()) - 1) * (1 / len(values) + 1 / reference.count)
    if psi >= max(DRIFT, chance):
        level = Level.DRIFT
    elif psi >= max(WATCH, chance):
        level = Level.WATCH
    else:
        level = Level.SAME
    return Drift(level, psi, chance, len(values))


def _shares(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    return (counts + _HALF) / (counts + _HALF).sum()


def _chi2(degrees: int) -> float:
    """The 99.9th percentile of chi squared, as E. B. Wilson and M. M. Hilferty (1931) have it, to 3 %."""
    if degrees < 1:
        return 0.0
    part = 2 / (9 * degrees)
    return degrees * (1 - part + _Z * math.sqrt(part)) ** 3
