"""Bundles against the first of them, on the same photos that none has seen.

`python -m experiments.bundles before=OLD after=NEW --project FOLDER --report FOLDER` judges each as `evaluate` does, on
the test photos of a project's manifest, and prints Markdown: error at equal colourfulness with the paired difference
and its 95 % interval over photos, patches, washes, unsteadiness, and hue errors inside faces by tone of skin. A bundle
whose report is there is not judged again.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiments.study.curve_differences import difference_at, difference_to
from tintype.colorize import Colorizer
from tintype.evaluation.baselines import all_gray
from tintype.evaluation.evaluate import evaluate
from tintype.evaluation.intervals import Interval
from tintype.evaluation.photos import photos_of_split
from tintype.evaluation.quality_curve import QualityCurve, read_curve
from tintype.formats.photo import read_photo
from tintype.imaging.finding import find_photos
from tintype.imaging.grid import draw_grid, write_picture
from tintype.imaging.own_colours import has_own_colours
from tintype.imaging.picture import PhotoFile
from tintype.measures.metrics import reduced

RATIOS = (0.3, 0.5, 0.6, 0.8, 1.0)
SIDE = 256  # pixels of the long side
GRID_SIDE = 320


def main() -> None:
    """Judge what is not judged yet, and print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundles", nargs="+", metavar="NAME=FOLDER", help="the first is compared with")
    parser.add_argument("--project", type=Path, default=Path(), help="folder with data/raw and data/manifest")
    parser.add_argument(
        "--report", type=Path, required=True, help="folder to write to, a folder for each bundle"
    )
    parser.add_argument("--only", default="", help="photos whose name begins so")
    parser.add_argument(
        "--without", nargs="*", default=[], metavar="PREFIX", help="photos whose name does not"
    )
    parser.add_argument("--most", type=int, help="at most so many photos")
    parser.add_argument(
        "--grid",
        nargs="*",
        default=[],
        metavar="FOLDER=FILE",
        help="draw a folder's photos as each colours them",
    )
    given = parser.parse_args()
    bundles = {name: Path(folder) for name, _, folder in (bundle.partition("=") for bundle in given.bundles)}
    photos = {
        name: photo
        for name, photo in photos_of_split(
            given.project / "data/raw", given.project / "data/manifest"
        ).items()
        if name.startswith(given.only) and not name.startswith(tuple(given.without))
    }
    photos = dict(list(photos.items())[: given.most])
    reports = {}
    for name, bundle in bundles.items():
        reports[name] = given.report / name
        if not (reports[name] / "metrics.json").is_file():
            judge(bundle, photos, reports[name])
    print(tables(reports, len(photos)))
    for grid in given.grid:
        folder, _, file = grid.partition("=")
        draw(bundles, find_photos(Path(folder)), Path(file))


def judge(bundle: Path, photos: Mapping[str, PhotoFile], report: Path) -> None:
    """As the stage `evaluate` does, without what takes a backbone."""
    colorizer = Colorizer.load(bundle)
    evaluate(
        {"ours": colorizer.colorize},
        photos,
        report,
        network_size=colorizer.info.size,
        grid_photos=8,
        side=SIDE,
        chroma={"ours": lambda rgb8: colorizer.chroma_of([rgb8])[0]},
        confidence=colorizer.chroma_with_confidence,
    )


def draw(bundles: Mapping[str, Path], photos: Sequence[Path], destination: Path) -> None:
    """Each photo gray, as the bundles colour it, and as it is where that is in colour."""
    methods = {name: Colorizer.load(bundle).colorize for name, bundle in bundles.items()}
    seen = [reduced(read_photo(photo).rgb8, GRID_SIDE) for photo in photos]
    truth = np.mean([has_own_colours(rgb8) for rgb8 in seen]) > 0.5  # more than toned prints
    rows = [
        [
            all_gray(rgb8),
            *(colorize(rgb8) for colorize in methods.values()),
            *([rgb8] if truth else []),
        ]
        for rgb8 in seen
    ]
    headings = ["gray", *methods, *(["truth"] if truth else [])]
    grid = draw_grid(rows, headings=headings, captions=[photo.stem for photo in photos])
    write_picture(destination, grid, quality=85)


def tables(reports: Mapping[str, Path], photos: int) -> str:
    """What `judge` wrote, as Markdown."""
    metrics = {name: json.loads((report / "metrics.json").read_text()) for name, report in reports.items()}
    errors = {name: read_curve([report / "front_photos.csv"]) for name, report in reports.items()}
    patches = {
        name: read_curve([report / "front_photos.csv"], metric="patch_score")
        for name, report in reports.items()
    }
    first = next(iter(reports))
    gray = errors[first].values[0, :, 0]  # at a factor of 0
    rows = [
        _row(f"{photos} photos", *reports),
        _row("---", *("---:" for _ in reports)),
        *(
            _row(
                f"CIEDE2000 at {ratio:g}",
                *(_against(name, first, errors, ratio) for name in reports),
            )
            for ratio in RATIOS
        ),
        *(
            _row(
                f"the same at {ratio:g} less all gray's {gray.mean():.2f}",
                *(_signed(difference_to(errors[name], gray, ratio)) for name in reports),
            )
            for ratio in RATIOS[1:3]
        ),
        _row("patches at 0.8", *(_against(name, first, patches, 0.8) for name in reports)),
        *(_row(title, *(_number(of(metrics[name])) for name in reports)) for title, of in FIGURES.items()),
    ]
    return "\n".join(rows)


def _of_face(tone: str, figure: str) -> Callable[[dict[str, Any]], Any]:
    return lambda metrics: metrics["faces"].get(tone, {}).get("ours", {}).get(figure)


def _unsteadiness(change: str) -> Callable[[dict[str, Any]], Any]:
    return lambda metrics: metrics["unsteadiness"][change]


FIGURES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "as it comes: CIEDE2000": lambda metrics: metrics["ours"]["delta_e2000_mean"],
    "ratio": lambda metrics: metrics["ours"]["colourfulness_ratio"],
    "washes, C* on plain neutral regions": lambda metrics: metrics["ours"].get("wash_chroma"),
    **{f"unsteadiness: {change}": _unsteadiness(change) for change in ("grain", "moved", "brighter", "jpeg")},
    **{f"hue error of {tone} skin, degrees": _of_face(tone, "hue_error") for tone in ("light", "dark")},
    **{f"its standard error, {tone}": _of_face(tone, "hue_error_se") for tone in ("light", "dark")},
}


def _against(name: str, first: str, curves: Mapping[str, QualityCurve], ratio: float) -> str:
    value = curves[name].at(ratio)
    if name == first:
        return f"{value:.2f}"
    return f"{value:.2f} ({_signed(difference_at(curves[name], curves[first], ratio))})"


def _signed(interval: Interval) -> str:
    return f"{interval.estimate:+.2f} [{interval.low:+.2f}, {interval.high:+.2f}]"


def _number(value: float | None) -> str:
    return "-" if value is None or not np.isfinite(value) else f"{value:.2f}"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
