"""Methods' scores on the same photos, photo by photo: all comparisons are made from these."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tintype.evaluation.intervals import Index
from tintype.evaluation.judging import Judgement
from tintype.files.atomic import new_file

DIGITS = 4  # after the point: more is noise in a diff


def write_csv(destination: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows under the names of the first one's keys; what is not defined (NaN) is left empty."""
    with new_file(destination) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({key: _cell(value) for key, value in row.items()} for row in rows)


def _cell(value: Any) -> Any:
    if not isinstance(value, float):
        return value
    return "" if math.isnan(value) else round(value, DIGITS)


Floats = NDArray[np.float64]
TRUTH = "truth"  # stands where a method's name stands, for what is known of the true photos
_NAMES = ("photo", "painter")


@dataclass(frozen=True)
class Scores:
    """A table.

    Attributes
    ----------
    photos : tuple of str
        Names, N of them.
    by_method : dict
        Method -> metric -> ndarray of shape (N,), float64, NaN where a metric is not defined. `TRUTH` has those that
        need no comparison.
    """

    photos: tuple[str, ...]
    by_method: dict[str, dict[str, Floats]]

    @classmethod
    def judged(cls, judgements: Sequence[Judgement]) -> Scores:
        """The scores in judgements of `tintype.evaluation.judging.judge`, one for each photo."""
        tables = {TRUTH: [judgement.truth for judgement in judgements]} | {
            method: [judgement.scores[method] for judgement in judgements] for method in judgements[0].scores
        }
        return cls(
            tuple(judgement.photo for judgement in judgements),
            {method: _columns(rows) for method, rows in tables.items()},
        )

    @classmethod
    def read(cls, file: Path) -> Scores:
        """Read a file that `write` made."""
        rows: dict[str, list[dict[str, str]]] = {}
        with file.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                rows.setdefault(row["painter"], []).append(row)
        return cls(
            tuple(row["photo"] for row in rows[TRUTH]),
            {
                method: {
                    metric: np.array([float(row[metric] or "nan") for row in table])
                    for metric in table[0]
                    if metric not in _NAMES
                }
                for method, table in rows.items()
            },
        )

    def write(self, file: Path) -> None:
        """Write a CSV file with a row for each photo and method."""
        metrics = dict.fromkeys(metric for table in self.by_method.values() for metric in table)
        write_csv(
            file,
            [
                {"photo": photo, "painter": method}
                | {
                    metric: float(table[metric][index]) if metric in table else float("nan")
                    for metric in metrics
                }
                for method, table in self.by_method.items()
                for index, photo in enumerate(self.photos)
            ],
        )

    def with_method(self, method: str, table: Mapping[str, Floats]) -> Scores:
        """The same with one method more, or another's scores under its name."""
        return Scores(self.photos, self.by_method | {method: dict(table)})

    def mean(self, method: str, metric: str) -> Callable[[Index], float]:
        """The statistic: mean of a metric over the photos drawn for which it is defined."""
        values = self.by_method[method][metric]
        return lambda drawn: _mean(values[drawn])

    def ratio(self, method: str, metric: str, to: str = TRUTH) -> Callable[[Index], float]:
        """The statistic: sum of a metric over the photos drawn, over another method's or the truth's.

        A ratio of sums and not a mean of ratios: a photo whose truth is nearly gray would outweigh all others.
        """
        above, below = self.by_method[method][metric], self.by_method[to][metric]
        return lambda drawn: _over(float(above[drawn].sum()), float(below[drawn].sum()))


def _columns(rows: Sequence[Mapping[str, float]]) -> dict[str, Floats]:
    return {metric: np.array([row[metric] for row in rows], np.float64) for metric in rows[0]}


def _mean(values: Floats) -> float:
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if defined.size else float("nan")


def _over(above: float, below: float) -> float:
    return above / below if below else float("nan")
