"""How sure a figure is: bootstrap intervals over photos and over seeds of training.

Both the photos and the trainings are a sample of what could have been, so both are drawn anew, with replacement
(Efron, Tibshirani 1993, "An introduction to the bootstrap", percentile intervals). Photos are drawn
together for all recipes that are compared, since all colour the same ones; seeds are drawn for each recipe on its own.
With three seeds the spread between trainings is known roughly, and intervals are somewhat too narrow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
LEVEL = 0.95
_SEED = 20170428
_MISSING = 0.05  # share of draws that may be undefined

Index = NDArray[np.intp]
Statistic = Callable[[Index, Sequence[Index]], float]


class Interval(NamedTuple):
    """An estimate and where it may lie."""

    estimate: float
    low: float
    high: float


def bootstrap(
    statistic: Statistic, photos: int, seeds: Sequence[int], resamples: int = RESAMPLES
) -> Interval:
    """Percentile interval of any figure.

    Parameters
    ----------
    statistic : callable
        Takes the numbers of the photos drawn, of shape (photos,), and for each recipe those of the seeds drawn, of
        shape (its seeds,); returns the figure.
    photos : int
        How many there are.
    seeds : sequence of int
        How many each recipe has.

    Returns
    -------
    Interval
        At a level of 95 %; the same at every call. NaN as bounds if the figure is undefined in more than a
        twentieth of the draws, as one at the end of a curve may be.
    """
    random = np.random.default_rng(_SEED)
    estimate = statistic(np.arange(photos), [np.arange(count) for count in seeds])
    draws = np.array(
        [
            statistic(random.integers(photos, size=photos), [random.integers(n, size=n) for n in seeds])
            for _ in range(resamples)
        ]
    )
    return _percentiles(estimate, draws)


def paired(
    one: Callable[[Index], float], other: Callable[[Index], float], photos: int, resamples: int = RESAMPLES
) -> tuple[Interval, Interval, Interval]:
    """Percentile intervals of two figures of the same photos and of their difference, second minus first.

    Parameters
    ----------
    one, other : callable
        Take the numbers of the photos drawn, of shape (photos,).
    photos : int
        How many there are.

    Returns
    -------
    tuple of three Interval
        As `bootstrap` gives them; both figures are of the same draws.
    """
    random = np.random.default_rng(_SEED)
    everything = np.arange(photos)
    first, second = one(everything), other(everything)
    drawn = [random.integers(photos, size=photos) for _ in range(resamples)]
    firsts, seconds = (np.array([figure(index) for index in drawn]) for figure in (one, other))
    return (
        _percentiles(first, firsts),
        _percentiles(second, seconds),
        _percentiles(second - first, seconds - firsts),
    )


def _percentiles(estimate: float, draws: NDArray[np.float64]) -> Interval:
    defined = draws[np.isfinite(draws)]
    if not np.isfinite(estimate) or len(defined) < (1 - _MISSING) * len(draws):
        return Interval(estimate, float("nan"), float("nan"))
    low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(estimate, float(low), float(high))
