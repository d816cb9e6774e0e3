"""What recipes make of photos, to be looked at: the project's own go into docs, test photos stay in .study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.study.experiment import bundle_of
from experiments.study.recipes import DEFAULT, PROJECT
from experiments.study.results import DELTA, Results
from experiments.study.workshop import WORK
from tintype.colorize import Colorizer
from tintype.evaluation.baselines import Method, all_gray
from tintype.formats.photo import read_photo, write_photo
from tintype.imaging.finding import find_photos
from tintype.imaging.grid import draw_grid
from tintype.measures.metrics import reduced

SIDE = 320
SEED = 1
SHOWN = ("paper", "paper-converged", DEFAULT)
OLD = (*SHOWN, "scans")  # before and after training on what old photos suffer
WORST = 20


def draw_pictures(results: Results, docs: Path) -> list[Path]:
    """Grids of the project's photos into docs, of test photos into .study; nothing without trained bundles."""
    loaded = {
        name: Colorizer.load(bundle_of(name, SEED)).colorize for name in OLD if bundle_of(name, SEED).is_dir()
    }
    methods = {name: colorize for name, colorize in loaded.items() if name in SHOWN}
    if DEFAULT not in methods:
        return []
    written = [
        draw_photos(
            docs / "quality-sample.jpg", find_photos(PROJECT / "data/sample"), methods, truth="truth"
        ),
        draw_photos(docs / "quality-legacy.jpg", find_photos(PROJECT / "data/legacy"), loaded, truth=None),
    ]
    photos = [_of_workshop(name) for name in results.photos]
    if all(photo.is_file() for photo in photos):
        error = results.runs[DEFAULT].scores[DELTA].mean(axis=0)
        worst = [photos[at] for at in np.argsort(-error)[:WORST]]
        written += [
            draw_photos(WORK / "grids/test.jpg", photos[:WORST], methods, truth="truth"),
            draw_photos(WORK / "grids/worst.jpg", worst, methods, truth="truth"),
        ]
    return written


def draw_photos(
    destination: Path, photos: Sequence[Path], methods: Mapping[str, Method], truth: str | None
) -> Path:
    """Photos as methods colour them, beside gray and, where it is named, what they are; the destination."""
    rows: list[list[NDArray[np.uint8]]] = []
    for photo in photos:
        rgb8 = reduced(read_photo(photo).rgb8, SIDE)
        ours = [colorize(rgb8) for colorize in methods.values()]
        rows.append([all_gray(rgb8), *ours, *([rgb8] if truth else [])])
    headings = ["gray", *methods, *([truth] if truth else [])]
    destination.parent.mkdir(parents=True, exist_ok=True)
    write_photo(
        destination,
        draw_grid(rows, headings=headings, captions=[photo.stem for photo in photos]),
        quality=85,
    )
    return destination


def _of_workshop(name: str) -> Path:
    return WORK / "worker-1/data/raw/photos" / name
