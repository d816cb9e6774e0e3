"""Judge painters on photos whose colours are known, and write the report.

Photos are read, coloured at full size, judged and forgotten one at a time, so memory does not grow with their number.
Everything but timing.json is the same at every run.
"""

from __future__ import annotations

import csv
import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from tintype.evaluation.baselines import Painter, all_gray
from tintype.evaluation.judging import Judgement, judge, reduced
from tintype.evaluation.summary import ab_error_rows, photo_rows, summarize
from tintype.files.atomic import new_file, write_json
from tintype.imaging.grid import draw_grid
from tintype.imaging.photo import read_photo, write_photo

GRID_SIDE = 512  # pixels of a photo kept for the grid: more than its cell ever shows
GRID_QUALITY = 90


def evaluate(
    painters: Mapping[str, Painter],
    photos: Mapping[str, Path],
    report: Path,
    *,
    network_size: int,
    grid_photos: int,
) -> dict[str, Any]:
    """Judge painters on photos.

    Parameters
    ----------
    painters : mapping of str to Painter
        ``ours`` and what it is compared with; see `tintype.evaluation.baselines.painters`.
    photos : mapping of str to Path
        Name in the report -> file, at least one.
    report : Path
        Folder to write to: ``metrics.json``; ``timing.json``; ``photos.csv``, a row a photo; ``ab_error.csv``, the
        curve; ``grid.jpg`` with the first `grid_photos` photos as gray, ours and truth.
    network_size : int
        Side in pixels of the square that the network sees.
    grid_photos : int
        At most so many photos in the grid.

    Returns
    -------
    dict
        The content of metrics.json; see `tintype.evaluation.summary.summarize`.

    Raises
    ------
    PhotoError
        If a photo cannot be read or the grid cannot be written.
    """
    judgements: list[Judgement] = []
    rows: list[list[NDArray[np.uint8]]] = []
    clock = _Clock()
    for name, path in tqdm(photos.items(), desc="evaluate", unit="photo", disable=None):
        truth = read_photo(path).rgb8
        painted = {painter: clock.time(painter, paint, truth) for painter, paint in painters.items()}
        judgements.append(judge(name, truth, painted))
        if len(rows) < grid_photos:
            rows.append([reduced(rgb8, GRID_SIDE) for rgb8 in (all_gray(truth), painted["ours"], truth)])
    metrics = summarize(judgements, network_size)
    write_json(report / "metrics.json", metrics)
    write_json(report / "timing.json", clock.summary("ours"))
    _write_csv(report / "photos.csv", photo_rows(judgements))
    _write_csv(report / "ab_error.csv", ab_error_rows(judgements))
    captions = [path.stem for path in list(photos.values())[: len(rows)]]
    grid = draw_grid(rows, headings=["gray", "ours", "truth"], captions=captions)
    write_photo(report / "grid.jpg", grid, quality=GRID_QUALITY)
    return metrics


class _Clock:
    """How long painters take."""

    def __init__(self) -> None:
        self._seconds: dict[str, list[float]] = {}
        self._megapixels: dict[str, list[float]] = {}

    def time(self, painter: str, paint: Painter, rgb8: NDArray[np.uint8]) -> NDArray[np.uint8]:
        start = time.perf_counter()
        painted = paint(rgb8)
        self._seconds.setdefault(painter, []).append(time.perf_counter() - start)
        self._megapixels.setdefault(painter, []).append(rgb8.shape[0] * rgb8.shape[1] / 1e6)
        return painted

    def summary(self, painter: str) -> dict[str, float]:
        """Medians: the first photo pays for the network's compilation."""
        return {
            "photos": len(self._seconds[painter]),
            "seconds_per_photo": round(statistics.median(self._seconds[painter]), 4),
            "megapixels_per_photo": round(statistics.median(self._megapixels[painter]), 4),
        }


def _write_csv(destination: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    with new_file(destination) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
