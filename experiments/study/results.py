"""reports/study as arrays."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.study.record import RECORD, RESULTS, SCORES, TRUTH
from tintype.evaluation.quality_curve import QualityCurve

Floats = NDArray[np.float64]
PATCHES = "patch_gradient"
DELTA = "delta_e2000_mean"


@dataclass(frozen=True)
class Runs:
    """One recipe's results.

    Attributes
    ----------
    scores : dict
        Metric -> ndarray of shape (seeds, N), float64; NaN where it is not defined.
    swept : dict
        Metric -> ndarray of shape (seeds, N, factors), float64; empty for what cannot be swept.
    records : tuple of dict
        What made them.
    histories : tuple of list of dict
        Epochs of each training; empty for what was not trained.
    """

    name: str
    seeds: tuple[int, ...]
    scores: dict[str, Floats]
    swept: dict[str, Floats]
    records: tuple[dict[str, Any], ...]
    histories: tuple[list[dict[str, float]], ...]


@dataclass(frozen=True)
class Results:
    """All recipes of the same test photos.

    Attributes
    ----------
    truth : dict
        Metric of the true photos -> ndarray of shape (N,), float64.
    runs : dict
        Recipe -> its runs, in the order asked for.
    """

    photos: tuple[str, ...]
    truth: dict[str, Floats]
    runs: dict[str, Runs]

    def front(self, recipe: str, metric: str = DELTA) -> QualityCurve:
        """A recipe's front: CIEDE2000, or patches, against colourfulness."""
        swept = self.runs[recipe].swept
        over = self.truth["truth_patch_gradient"] if metric == PATCHES else np.ones(len(self.photos))
        return QualityCurve(
            self.photos, swept["colourfulness"], self.truth["truth_colourfulness"], swept[metric], over
        )


def read_results(names: Sequence[str], folder: Path = RESULTS) -> Results:
    """Read what is there."""
    if not (folder / "truth.csv").is_file():
        raise ValueError(f"Expected results in {folder}. Found none. Run `make study`.")
    rows = _read(folder / "truth.csv")
    photos = tuple(row["photo"] for row in rows)
    truth = {name: _column(rows, name) for name in TRUTH}
    runs = {name: _runs(name, folder / name, photos) for name in names if _seeds(folder / name)}
    return Results(photos, truth, runs)


def _seeds(folder: Path) -> list[int]:
    return sorted(int(path.parent.name) for path in folder.glob(f"*/{RECORD}"))


def _runs(name: str, folder: Path, photos: tuple[str, ...]) -> Runs:
    seeds = _seeds(folder)
    scores = [_read(folder / str(seed) / "photos.csv") for seed in seeds]
    for seed, rows in zip(seeds, scores, strict=True):
        if tuple(row["photo"] for row in rows) != photos:
            raise ValueError(
                f"Expected the photos of truth.csv in {folder / str(seed)}. Received: others. Delete results of other "
                "photos, then run `make study`."
            )
    fronts = [folder / str(seed) / "front.csv" for seed in seeds]
    swept = [_read(file) for file in fronts] if all(file.is_file() for file in fronts) else []
    return Runs(
        name,
        tuple(seeds),
        {metric: np.stack([_column(rows, metric) for rows in scores]) for metric in SCORES},
        _swept(swept) if swept else {},
        tuple(json.loads((folder / str(seed) / RECORD).read_text(encoding="utf-8")) for seed in seeds),
        tuple(_history(folder / str(seed) / "history.csv") for seed in seeds),
    )


def _swept(tables: Sequence[Sequence[dict[str, str]]]) -> dict[str, Floats]:
    columns = [name for name in tables[0][0] if "@" in name]
    metrics = dict.fromkeys(name.partition("@")[0] for name in columns)
    return {
        metric: np.stack(
            [
                np.stack(
                    [_column(rows, name) for name in columns if name.partition("@")[0] == metric], axis=-1
                )
                for rows in tables
            ]
        )
        for metric in metrics
    }


def _history(file: Path) -> list[dict[str, float]]:
    rows = _read(file) if file.is_file() else []
    return [{name: float(value) for name, value in row.items() if value} for row in rows]


def _column(rows: Sequence[dict[str, str]], name: str) -> Floats:
    return np.array([float(row[name] or "nan") for row in rows])


def _read(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as rows:
        return list(csv.DictReader(rows))
