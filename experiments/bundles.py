"""Bundles against the first of them, on the same photos that none has seen.

`python -m experiments.bundles before=OLD after=NEW --project FOLDER --report FOLDER` judges each as `evaluate` does, on
the test photos of a project's manifest, and prints Markdown: error at equal colourfulness with the paired difference
and its 95 % interval over photos, patches, washes, unsteadiness, and hue errors inside faces by tone of skin. A bundle
whose report is there is not judged again.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from experiments.study.curve_differences import difference_at, difference_to
from experiments.study.pictures import draw_photos
from experiments.study.tables import DASH, cell, table
from tintype.colorize import Colorizer
from tintype.evaluation.evaluate import evaluate
from tintype.evaluation.photos import photos_of_split
from tintype.evaluation.quality_curve import QualityCurve, read_curve
from tintype.evaluation.steadiness import CHANGES
from tintype.formats.photo import read_photo
from tintype.imaging.finding import find_photos
from tintype.imaging.own_colours import has_own_colours
from tintype.imaging.picture import PhotoFile

RATIOS = (0.3, 0.5, 0.6, 0.8, 1.0)
SIDE = 256  # pixels of the long side


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
        "--without", nargs="*", default=[], metavar="FOLDER", help="as evaluate.without in params.yaml"
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
    photos = photos_of_split(
        given.project / "data/raw", given.project / "data/manifest", without=given.without
    )
    photos = {name: photo for name, photo in photos.items() if name.startswith(given.only)}
    photos = dict(list(photos.items())[: given.most])
    reports = {}
    for name, bundle in bundles.items():
        reports[name] = given.report / name
        if not (reports[name] / "metrics.json").is_file():
            judge(bundle, photos, reports[name])
    print(tables(reports, len(photos)))
    for grid in given.grid:
        folder, _, file = grid.partition("=")
        seen = find_photos(Path(folder))
        # Where more than toned prints are among them, they are the truth.
        coloured = np.mean([has_own_colours(read_photo(photo).rgb8) for photo in seen]) > 0.5
        methods = {name: Colorizer.load(bundle).colorize for name, bundle in bundles.items()}
        draw_photos(Path(file), seen, methods, truth="truth" if coloured else None)


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
        *(
            [f"CIEDE2000 at {ratio:g}", *(_against(name, first, errors, ratio) for name in reports)]
            for ratio in RATIOS
        ),
        *(
            [
                f"the same at {ratio:g} less all gray's {gray.mean():.2f}",
                *(cell(difference_to(errors[name], gray, ratio), 2, signed=True) for name in reports),
            ]
            for ratio in RATIOS[1:3]
        ),
        ["patches at 0.8", *(_against(name, first, patches, 0.8) for name in reports)],
        *([title, *(_number(of(metrics[name])) for name in reports)] for title, of in FIGURES.items()),
    ]
    return table([f"{photos} photos", *reports], rows)


def _of_face(tone: str, figure: str) -> Callable[[dict[str, Any]], Any]:
    return lambda metrics: metrics["faces"].get(tone, {}).get("ours", {}).get(figure)


def _unsteadiness(change: str) -> Callable[[dict[str, Any]], Any]:
    return lambda metrics: metrics["unsteadiness"][change]


FIGURES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "as it comes: CIEDE2000": lambda metrics: metrics["ours"]["delta_e2000_mean"],
    "ratio": lambda metrics: metrics["ours"]["colourfulness_ratio"],
    "washes, C* on plain neutral regions": lambda metrics: metrics["ours"].get("wash_chroma"),
    **{f"unsteadiness: {change}": _unsteadiness(change) for change in CHANGES},
    **{f"hue error of {tone} skin, degrees": _of_face(tone, "hue_error") for tone in ("light", "dark")},
    **{f"its standard error, {tone}": _of_face(tone, "hue_error_se") for tone in ("light", "dark")},
}


def _against(name: str, first: str, curves: Mapping[str, QualityCurve], ratio: float) -> str:
    value = curves[name].at(ratio)
    if name == first:
        return f"{value:.2f}"
    return f"{value:.2f} ({cell(difference_at(curves[name], curves[first], ratio), 2, signed=True)})"


def _number(value: float | None) -> str:
    return DASH if value is None or not np.isfinite(value) else f"{value:.2f}"


if __name__ == "__main__":
    main()
