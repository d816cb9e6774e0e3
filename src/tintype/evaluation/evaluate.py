"""Judge methods on photos whose colours are known, and write the report.

Photos are read, coloured at full size, judged and forgotten one at a time, so memory does not grow with their number.
Everything but timing.json is the same at every run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from tintype.evaluation.baselines import ChromaOf, Clock, Method, all_gray
from tintype.evaluation.faces import FaceComparison
from tintype.evaluation.features import FeatureComparison, FeatureDistances
from tintype.evaluation.judging import Judgement, judge
from tintype.evaluation.prior import AbPrior
from tintype.evaluation.quality_curve import Row, pooled, sweep
from tintype.evaluation.reliability import Reliability, draw_reliability
from tintype.evaluation.scores import DIGITS, write_csv
from tintype.evaluation.steadiness import CHANGES, MOVED, unsteadiness
from tintype.evaluation.summary import ab_error_rows, headline, photo_rows, summarize
from tintype.files.atomic import write_json
from tintype.imaging.grid import draw_grid, write_picture
from tintype.imaging.lab import lightness
from tintype.imaging.picture import PhotoFile
from tintype.measures.gamut import out_of_gamut_share
from tintype.measures.metrics import reduced
from tintype.models.backbone import Backbone

STEADY_PHOTOS = 100  # for which colours are computed four times more
GRID_SIDE = 512  # pixels of a photo kept for the grid: more than its cell ever shows
GRID_QUALITY = 90


SureOf = Callable[[NDArray[np.uint8]], tuple[NDArray[np.float32], NDArray[np.float32] | None]]


def evaluate(
    methods: Mapping[str, Method],
    photos: Mapping[str, PhotoFile],
    report: Path,
    *,
    network_size: int,
    grid_photos: int,
    side: int,
    chroma: Mapping[str, ChromaOf] | None = None,
    confidence: SureOf | None = None,
    prior: AbPrior | None = None,
    backbone: Backbone | None = None,
) -> dict[str, Any]:
    """Judge methods on photos.

    Parameters
    ----------
    methods : mapping of str to Method
        ``ours`` and what it is compared with; see `tintype.evaluation.baselines.methods`.
    photos : mapping of str to PhotoFile
        Name in the report -> file, at least one.
    report : Path
        Folder to write to: ``metrics.json``; ``headline.json``, a few of them; ``timing.json``; ``photos.csv``, a row a
        photo; ``ab_error.csv``, the curve; ``grid.jpg`` with the first `grid_photos` photos as gray, ours and truth.
        With `chroma` also ``front.csv``, its part for each method as ``front_METHOD.csv``, and ``front_photos.csv``.
        With `confidence` also ``reliability.png``.
    network_size : int
        Side in pixels of the square that the network sees.
    grid_photos : int
        At most so many photos in the grid.
    side : int
        Long side in pixels at which photos are judged; larger ones are reduced.
    chroma : mapping of str to ChromaOf, optional
        Methods whose chroma can be had before it is merged: they are swept over factors on it, and the share of it
        that lies outside the gamut is counted.
    confidence : SureOf, optional
        Gives our colours of a photo, at the network's size, and how sure it is of them; None for a network that does
        not say.
    prior : AbPrior, optional
        Of the training photos; without it there is no rebalanced AuC.
    backbone : Backbone, optional
        Through which feature distances are measured; without it there are none.

    Returns
    -------
    dict
        The content of metrics.json: as `tintype.evaluation.summary.summarize` gives it; ``faces``, as
        `FaceComparison.summary`; with `chroma` ``unsteadiness``, the mean over photos.

    Raises
    ------
    PhotoError
        If a photo cannot be read or the grid cannot be written.
    """
    judgements: list[Judgement] = []
    curves: list[Row] = []
    rows: list[list[NDArray[np.uint8]]] = []
    clock, reliability, faces = Clock(), Reliability(), FaceComparison(side)
    unsteady: list[dict[str, float]] = []
    viewer = FeatureComparison(backbone, tuple(methods)) if backbone else None
    for name, photo in tqdm(photos.items(), desc="evaluate", unit="photo", disable=None):
        truth = photo.read().rgb8
        coloured = {method: clock.time(method, colorize, truth) for method, colorize in methods.items()}
        judgement = judge(name, truth, coloured, side=side, prior=prior)
        faces.add(truth, coloured)
        if viewer:
            viewer.add(truth, coloured)
        if chroma:
            seen = reduced(truth, side)
            planes = {method: of(seen) for method, of in chroma.items()}
            curves += sweep(name, seen, planes)
            if len(unsteady) < STEADY_PHOTOS and min(seen.shape[:2]) > MOVED:
                unsteady.append(unsteadiness(seen, planes["ours"], chroma["ours"]))
            outside = {method: out_of_gamut_share(lightness(seen), ab) for method, ab in planes.items()}
            judgement = judgement.with_scores("out_of_gamut_share", outside)
        if confidence:
            ab, sure = confidence(truth)
            if sure is not None:
                reliability.add(truth, ab, sure)
        judgements.append(judgement)
        if len(rows) < grid_photos:
            rows.append([reduced(rgb8, GRID_SIDE) for rgb8 in (all_gray(truth), coloured["ours"], truth)])
    looks = viewer.finish() if viewer else None
    judgements = _with_looks(judgements, looks)
    metrics = summarize(judgements, network_size) | {"faces": faces.summary()}
    if unsteady:
        metrics["unsteadiness"] = {
            change: round(float(np.mean([one[change] for one in unsteady])), DIGITS) for change in CHANGES
        }
    if looks and backbone:
        _note_features(metrics, looks, backbone)
    if confidence:
        draw_reliability(reliability.rows(), report / "reliability.png")
        if reliability.rows():
            metrics["ours"]["calibration_error"] = round(reliability.error(), DIGITS)
    write_json(report / "metrics.json", metrics)
    write_json(report / "headline.json", headline(metrics))
    write_csv(report / "photos.csv", photo_rows(judgements))
    write_csv(report / "ab_error.csv", ab_error_rows(judgements))
    write_json(report / "timing.json", clock.summary("ours"))
    if curves:
        _write_fronts(report, curves)
    captions = [photo.path.stem for photo in list(photos.values())[: len(rows)]]
    grid = draw_grid(rows, headings=["gray", "ours", "truth"], captions=captions)
    write_picture(report / "grid.jpg", grid, quality=GRID_QUALITY)
    return metrics


def _with_looks(judgements: list[Judgement], looks: FeatureDistances | None) -> list[Judgement]:
    if looks is None:
        return judgements
    return [
        judgement.with_scores("feature_distance", distances)
        for judgement, distances in zip(judgements, looks.distances, strict=True)
    ]


def _note_features(metrics: dict[str, Any], looks: FeatureDistances, backbone: Backbone) -> None:
    """What the backbone says of all photos together, and which one it is."""
    for method, distance in looks.frechet.items():
        if np.isfinite(distance):
            metrics[method]["frechet_distance"] = round(distance, DIGITS)
    metrics["features"] = {"backbone": backbone.spec.name, "origin": backbone.spec.origin}


def _write_fronts(report: Path, curves: list[Row]) -> None:
    points = pooled(curves)
    write_csv(report / "front.csv", points)
    write_csv(report / "front_photos.csv", curves)
    for method in dict.fromkeys(str(row["painter"]) for row in points):  # a line each in DVC's plot
        write_csv(report / f"front_{method}.csv", [row for row in points if row["painter"] == method])
