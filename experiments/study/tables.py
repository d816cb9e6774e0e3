"""Tables of docs/quality.md, as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from experiments.study import effects
from experiments.study.criteria import Criterion
from experiments.study.recipes import DEFAULT, RECIPES
from experiments.study.results import Results
from tintype.evaluation.intervals import Interval

FRONT = (effects.AT_HALF, effects.AT_MOST, effects.PATCH_AT_HALF)
OPERATING = (
    effects.DIFFERENCE, effects.RATIO, effects.PSNR, effects.AUC, effects.REBALANCED, effects.PATCH, effects.BLEED,
    effects.FEATURES,
)  # fmt: skip
BASES = {"paper-converged": "paper", "paper-input-fault": "paper-converged"}
"""What a recipe is compared with, where that is not the default."""
DASH = "\N{EN DASH}"


def front_table(results: Results, resamples: int) -> str:
    """Recipes at equal colourfulness, with intervals."""
    rows = [
        [f"`{name}`", *(cell(effects.value(results, name, one, resamples), one.digits) for one in FRONT)]
        for name, runs in results.runs.items()
        if runs.swept
    ]
    return table(["", *(one.name for one in FRONT)], rows)


def operating_table(results: Results, resamples: int) -> str:
    """Recipes as they come, with intervals."""
    rows = [
        [f"`{name}`", *(cell(effects.value(results, name, one, resamples), one.digits) for one in OPERATING)]
        for name in results.runs
    ]
    return table(["", *(one.name for one in OPERATING)], rows)


def effect_table(results: Results, resamples: int) -> str:
    """What each change does."""
    rows = []
    for recipe in RECIPES:
        base = BASES.get(recipe.name, DEFAULT)
        if not {recipe.name, base} <= set(results.runs) or recipe.kind == "baseline" or recipe.name == base:
            continue
        half, most, ratio, patches = (
            effects.effect(results, recipe.name, base, one, resamples)
            for one in (effects.AT_HALF, effects.AT_MOST, effects.RATIO, effects.PATCH_AT_HALF)
        )
        cells = [cell(one, 2, signed=True) for one in (half, most, patches, ratio)]
        rows.append(
            [
                f"`{recipe.name}` {DASH} {recipe.question.partition('?')[0]}?",
                f"`{base}`",
                *cells,
                effects.verdict(half, most),
            ]
        )
    heads = ["recipe and its question", "against", "CIEDE2000 at .5", "at .8", "patches at .5", "own ratio"]
    return table([*heads, "at equal colourfulness the change"], rows, text=2)


def cost_table(results: Results) -> str:
    """What a training takes, the mean over seeds."""
    rows = []
    for name, runs in results.runs.items():
        histories = [history for history in runs.histories if history]
        if not histories:
            continue
        seconds = [sum(epoch["seconds"] for epoch in history) for history in histories]
        speed = [max(epoch["crops_per_second"] for epoch in history) for history in histories]
        memory = [record.get("peak_memory_bytes", np.nan) / 1e9 for record in runs.records]
        size = [record["bundle_bytes"] / 1e6 for record in runs.records]
        rows.append(
            [
                f"`{name}`",
                f"{np.mean([len(history) for history in histories]):.1f}",
                f"{np.mean(seconds):.0f}",
                f"{np.mean(speed):.0f}",
                f"{max(memory):.1f}",
                f"{np.mean(size):.1f}",
            ]
        )
    return table(["", "epochs", "seconds", "crops a second", "memory, GB", "bundle, MB"], rows)


def criteria_table(criteria: Sequence[Criterion]) -> str:
    """What had to be shown."""
    return table(
        ["demand", "found", "verdict"], [[one.demand, one.found, one.verdict] for one in criteria], text=3
    )


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], text: int = 1) -> str:
    """Markdown; the first `text` columns to the left, numbers to the right."""
    marks = ["---" if at < text else "---:" for at in range(len(heads))]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [heads, marks, *rows])


def cell(one: Interval | None, digits: int, *, signed: bool = False) -> str:
    """A figure with its interval."""
    if one is None:
        return DASH
    form = f"{'+' if signed else ''}.{digits}f"
    bounds = f" [{one.low:{form}}, {one.high:{form}}]" if np.isfinite(one.low) else ""
    return f"{one.estimate:{form}}{bounds}"
