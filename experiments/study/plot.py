"""The fronts as a picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from experiments.study.effects import RATIO, Figure, Measure, value
from experiments.study.results import DELTA, Results
from tintype.files.atomic import new_file

# Okabe and Ito's colours, which colour-blind people can distinguish too, and dashes for print without colours.
LINES = {
    "default": ("#0072B2", "-", "default"),
    "paper-converged": ("#D55E00", "--", "paper, converged"),
    "paper": ("#CC79A7", "-.", "paper, 1 epoch"),
    "mean-ab": ("#777777", ":", "mean ab"),
}
GRID = np.arange(0.0, 1.21, 0.05)
RESAMPLES = 500
ERROR = "CIEDE2000 over that of the gray photos\n(less is better)"
TITLE = "Test photos, 95 % intervals over photos and seeds; dots: as each recipe comes"
LABEL = 0.05  # height of a line's name, as a share of the picture's


def draw_fronts(results: Results, destination: Path, resamples: int = RESAMPLES) -> None:
    """CIEDE2000 against colourfulness, with 95 % bands, as PNG."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    with pyplot.rc_context({"font.size": 10, "axes.spines.top": False, "axes.spines.right": False}):
        figure, axes = pyplot.subplots(figsize=(7.5, 4.6), dpi=140)
        ends = []
        for name, style in LINES.items():
            if name in results.runs:
                ends.append(_draw(axes, results, name, style, resamples))
        axes.axhline(0, color="black", lw=0.8, zorder=0)
        axes.plot(0, 0, "o", color="black", zorder=5, clip_on=False)
        axes.annotate("all gray", (0, 0), (5, -14), textcoords="offset points")
        axes.set(
            xlabel="colourfulness, ratio to the truth",
            ylabel=ERROR,
            xlim=(0, 1.42),
        )
        axes.set_xticks(np.arange(0, 1.21, 0.2))
        axes.set_title(TITLE, loc="left", fontsize=9)
        _label(axes, ends)
        figure.tight_layout()
        destination.parent.mkdir(parents=True, exist_ok=True)
        with new_file(destination) as part, part.open("wb") as file:
            figure.savefig(file, format="png", metadata={"Software": None})
        pyplot.close(figure)


def _draw(
    axes: Any, results: Results, name: str, style: tuple[str, str, str], resamples: int
) -> tuple[float, float, str, str]:
    colour, dashes, label = style
    found = [value(results, name, Measure("", _front_over_gray(float(ratio))), resamples) for ratio in GRID]
    points = [(ratio, one) for ratio, one in zip(GRID, found, strict=True) if one is not None]
    ratios = np.array([ratio for ratio, _ in points])
    middle, low, high = (
        np.array([getattr(one, part) for _, one in points]) for part in ("estimate", "low", "high")
    )
    axes.fill_between(ratios, low, high, color=colour, alpha=0.15, lw=0)
    axes.plot(ratios, middle, dashes, color=colour, lw=2)
    own, error = (value(results, name, measure, 1) for measure in (RATIO, Measure("", _own_over_gray)))
    if own and error:
        axes.plot(own.estimate, error.estimate, "o", color=colour, ms=7, mec="white", zorder=4)
    return float(ratios[-1]), float(middle[-1]), colour, label


def _front_over_gray(ratio: float) -> Callable[[Results, str], Figure]:
    """Photos differ in how much colour there is to miss: over their own gray versions they can be compared."""

    def figure(results: Results, recipe: str) -> Figure:
        front = results.front(recipe)
        over = replace(front, values=front.values - front.values[..., :1])  # the first factor is 0
        return lambda photos, seeds: over.at(ratio, photos, seeds)

    return figure


def _own_over_gray(results: Results, recipe: str) -> Figure:
    runs = results.runs[recipe]
    over = runs.scores[DELTA] - runs.swept[DELTA][..., 0]
    return lambda photos, seeds: float(over[np.ix_(seeds, photos)].mean())


def _label(axes: Any, ends: list[tuple[float, float, str, str]]) -> None:
    """Lines' names at their ends, moved up as little as is needed for them not to overlap."""
    low, high = axes.get_ylim()
    below = -np.inf
    for ratio, error, colour, label in sorted(ends, key=lambda end: end[1]):
        place = max(error, below + LABEL * (high - low))
        axes.text(ratio + 0.02, place, label, color=colour, va="center")
        below = place
