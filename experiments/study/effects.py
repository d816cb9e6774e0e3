"""What each recipe is worth, and what it changes against the default, with intervals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from experiments.study.results import DELTA, PATCHES, Results, Runs
from tintype.evaluation.intervals import Index, Interval, bootstrap

RESAMPLES = 2000
Figure = Callable[[Index, Index], float]
"""Takes the numbers of photos and of seeds drawn, and gives a figure."""


@dataclass(frozen=True)
class Measure:
    """A figure that every recipe has.

    Attributes
    ----------
    name : str
        As in tables' heads.
    figure : callable
        Of results and a recipe's name, the `Figure`; raises `KeyError` for recipes without it.
    """

    name: str
    figure: Callable[[Results, str], Figure]
    digits: int = 2


def front_at(ratio: float, metric: str = DELTA) -> Callable[[Results, str], Figure]:
    """The front at a colourfulness ratio."""

    def figure(results: Results, recipe: str) -> Figure:
        front = results.front(recipe, metric)
        return lambda photos, seeds: front.at(ratio, photos, seeds)

    return figure


def mean_of(metric: str) -> Callable[[Results, str], Figure]:
    """The mean over photos and seeds at the operating point."""

    def figure(results: Results, recipe: str) -> Figure:
        values = results.runs[recipe].scores[metric]
        return lambda photos, seeds: _mean(values[np.ix_(seeds, photos)])

    return figure


def weighted_mean_of(metric: str, weight: str) -> Callable[[Results, str], Figure]:
    """The mean in which photos weigh as another column says."""

    def figure(results: Results, recipe: str) -> Figure:
        values, weights = (results.runs[recipe].scores[name] for name in (metric, weight))

        def figure(photos: Index, seeds: Index) -> float:
            chosen = np.ix_(seeds, photos)
            return float(np.average(values[chosen], weights=weights[chosen]))

        return figure

    return figure


def ratio_to_truth(metric: str) -> Callable[[Results, str], Figure]:
    """A ratio of sums to the truth's at the operating point."""

    def figure(results: Results, recipe: str) -> Figure:
        values, truth = results.runs[recipe].scores[metric], results.truth[f"truth_{metric}"]
        return lambda photos, seeds: float(values[np.ix_(seeds, photos)].mean() / truth[photos].mean())

    return figure


AT_HALF = Measure("CIEDE2000 at ratio .5", front_at(0.5))
AT_MOST = Measure("at .8", front_at(0.8))
DIFFERENCE = Measure("CIEDE2000", mean_of(DELTA))
RATIO = Measure("ratio", ratio_to_truth("colourfulness"))
PATCH = Measure("patches", ratio_to_truth(PATCHES))
PATCH_AT_HALF = Measure("patches at ratio .5", front_at(0.5, PATCHES))
PSNR = Measure("PSNR, dB", mean_of("psnr_db"))
AUC = Measure("AuC", mean_of("auc"), 3)
REBALANCED = Measure("AuC, rebalanced", weighted_mean_of("auc_rebalanced", "auc_weight"), 3)
BLEED = Measure("bleeding, %", mean_of("bleed_score"))
FEATURES = Measure("feature distance", mean_of("feature_distance"), 3)


def value(results: Results, recipe: str, measure: Measure, resamples: int = RESAMPLES) -> Interval | None:
    """A recipe's figure with its interval over photos and seeds; None if it has none."""
    runs = results.runs[recipe]
    try:
        figure = measure.figure(results, recipe)
    except KeyError:
        return None
    found = bootstrap(
        lambda photos, seeds: figure(photos, seeds[0]), len(results.photos), [len(runs.seeds)], resamples
    )
    return found if np.isfinite(found.estimate) else None


def effect(
    results: Results, recipe: str, base: str, measure: Measure, resamples: int = RESAMPLES
) -> Interval | None:
    """A recipe's figure minus another's, over the same photos.

    Trainings of two recipes are drawn apart: that they share a seed makes them no more alike. Only where a recipe
    decodes the other's own networks are they drawn together.
    """
    try:
        ours, theirs = measure.figure(results, recipe), measure.figure(results, base)
    except KeyError:
        return None
    one, other = results.runs[recipe], results.runs[base]
    if decodes(one):
        found = bootstrap(
            lambda photos, seeds: ours(photos, seeds[0]) - theirs(photos, seeds[0]),
            len(results.photos),
            [len(one.seeds)],
            resamples,
        )
    else:
        found = bootstrap(
            lambda photos, seeds: ours(photos, seeds[0]) - theirs(photos, seeds[1]),
            len(results.photos),
            [len(one.seeds), len(other.seeds)],
            resamples,
        )
    return found if np.isfinite(found.estimate) else None


def decodes(runs: Runs) -> bool:
    """Whether the networks are the default's, decoded another way."""
    return not any(runs.histories) and 0 not in runs.seeds


def verdict(*differences: Interval | None) -> str:
    """What a change does, of differences that are better below 0; each at 95 %."""
    seen = [one for one in differences if one is not None and np.isfinite(one.low)]
    worse, better = any(one.low > 0 for one in seen), any(one.high < 0 for one in seen)
    if worse and better:
        return "helps and hurts"
    if worse or better:
        return "hurts" if worse else "helps"
    return "no difference seen"


def _mean(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if defined.size else float("nan")
