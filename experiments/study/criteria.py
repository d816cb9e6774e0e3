"""What the study had to show, each point with its verdict, computed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from experiments.study.curve_differences import difference_at, difference_to, quotient_at
from experiments.study.results import DELTA, PATCHES, Results, Runs
from tintype.evaluation.intervals import Interval, bootstrap

RATIOS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
MINUTES, GIGABYTES = 30, 6
MET, NOT_SURE, NOT_MET, UNKNOWN = "met", "not certain", "not met", "not measured"


@dataclass(frozen=True)
class Criterion:
    """A point, what was found, and whether it is met."""

    demand: str
    found: str
    verdict: str


def criteria(results: Results, resamples: int = 2000) -> list[Criterion]:
    """All points that the results suffice for."""
    runs = results.runs
    points = []
    if {"default", "paper-converged"} <= set(runs):
        points.append(_below(results, "default", "paper-converged", resamples))
    points += [
        _beats(results, "default", other, resamples)
        for other in ("all-gray", "mean-ab")
        if {"default", other} <= set(runs)
    ]
    if {"default", "paper"} <= set(runs):
        points += [_fewer_patches(results, resamples), _preferred(results, resamples)]
    if "default" in runs:
        points.append(_cheap(runs["default"]))
    return points


def _below(results: Results, ours: str, theirs: str, resamples: int) -> Criterion:
    fronts = results.front(ours), results.front(theirs)
    lower = {ratio: difference_at(*fronts, ratio, resamples) for ratio in RATIOS}
    reached = {ratio: found for ratio, found in lower.items() if np.isfinite(found.estimate)}
    cells = ", ".join(f"{_signed(found)} at {_ratio(ratio)}" for ratio, found in reached.items())
    beyond = [ratio for ratio in RATIOS if ratio not in reached]
    if beyond:
        cells += f"; one of them does not reach {', '.join(map(_ratio, beyond))}"
    return Criterion(
        f"The front of CIEDE2000 of `{ours}` lies below that of `{theirs}` at every colourfulness ratio from .3 to 1",
        cells,
        _verdict(list(reached.values()), 0.0),
    )


def _beats(results: Results, ours: str, other: str, resamples: int) -> Criterion:
    less = difference_to(results.front(ours), results.runs[other].scores[DELTA][0], 0.5, resamples)
    return Criterion(
        f"At a ratio of .5, CIEDE2000 of `{ours}` is below that of {other}",
        _signed(less),
        _verdict([less], 0.0),
    )


def _fewer_patches(results: Results, resamples: int) -> Criterion:
    fronts = results.front("default", PATCHES), results.front("paper", PATCHES)
    shares = {ratio: quotient_at(*fronts, ratio, resamples) for ratio in (0.5, 0.8)}
    reached = {ratio: share for ratio, share in shares.items() if np.isfinite(share.estimate)}
    cells = ", ".join(f"{_interval(share)} times at {_ratio(ratio)}" for ratio, share in reached.items())
    return Criterion(
        "At equal colourfulness the patch score of `default` is at most half of `paper`'s",
        cells or "`paper` does not reach .5",
        _verdict(list(reached.values()), 0.5),
    )


def _preferred(results: Results, resamples: int) -> Criterion:
    ours, theirs = (results.runs[name].scores["feature_distance"] for name in ("default", "paper"))
    nearer = (ours[:, None] < theirs[None]).astype(np.float64)  # (our seeds, their seeds, photos)
    share = bootstrap(
        lambda photos, seeds: float(nearer[np.ix_(seeds[0], seeds[1], photos)].mean()),
        len(results.photos),
        [len(ours), len(theirs)],
        resamples,
    )
    return Criterion(
        "The backbone's feature distance prefers `default` over `paper`",
        f"on {100 * share.estimate:.0f} % [{100 * share.low:.0f}, {100 * share.high:.0f}] of the test photos",
        "counted",
    )


def _cheap(runs: Runs) -> Criterion:
    demand = f"A training of `default` takes less than {MINUTES} minutes and {GIGABYTES} GB"
    seconds = [sum(epoch["seconds"] for epoch in history) for history in runs.histories if history]
    memory = [record["peak_memory_bytes"] / 1e9 for record in runs.records if "peak_memory_bytes" in record]
    if not seconds or not memory:
        return Criterion(demand, "", UNKNOWN)
    met = max(seconds) < 60 * MINUTES and max(memory) < GIGABYTES
    return Criterion(
        demand,
        f"{max(seconds) / 60:.1f} minutes and {max(memory):.1f} GB at most, two trainings side by side on two cores",
        MET if met else NOT_MET,
    )


def _verdict(found: list[Interval], bound: float) -> str:
    """Whether all lie below a bound."""
    if not found or any(not np.isfinite(one.estimate) for one in found):
        return UNKNOWN
    if any(one.estimate > bound for one in found):
        return NOT_MET
    return MET if all(one.high <= bound for one in found) else NOT_SURE


def _interval(one: Interval) -> str:
    return f"{one.estimate:.2f} [{one.low:.2f}, {one.high:.2f}]"


def _signed(one: Interval) -> str:
    return f"{one.estimate:+.2f} [{one.low:+.2f}, {one.high:+.2f}]"


def _ratio(ratio: float) -> str:
    return f"{ratio:g}".removeprefix("0")
