"""Champion and challenger colour the same photos: scores photo by photo, and a picture of where they differ most.

Photos are coloured at their own size, as in service, judged at the metric card's and forgotten one at a time.
"""

from __future__ import annotations

import csv
import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from tintype.evaluation.baselines import Clock, Method, all_gray, constant_ab
from tintype.evaluation.metric_card import EQUAL_SIDE, SIDE
from tintype.evaluation.quality_curve import QualityCurve, Row, read_curve, sweep
from tintype.evaluation.scores import TRUTH, Floats, Scores, write_csv
from tintype.imaging.grid import draw_grid, write_picture
from tintype.imaging.lab import rgb_to_lab
from tintype.imaging.picture import PhotoFile
from tintype.measures.bleeding import bleed_score
from tintype.measures.colourfulness import colourfulness
from tintype.measures.metrics import delta_e2000, psnr_db, reduced
from tintype.measures.patches import patch_gradient

CHAMPION, CHALLENGER, ALL_GRAY, MEAN_AB = "champion", "challenger", "all_gray", "mean_ab"
PHOTOS_FILE, FRONT_FILE, PICTURE_FILE = "photos.csv", "front.csv", "picture.jpg"
GRID_PHOTOS = 8
_QUALITY = 90
_HEADINGS = {ALL_GRAY: "gray", CHAMPION: CHAMPION, CHALLENGER: CHALLENGER, TRUTH: TRUTH}

Rgb8 = NDArray[np.uint8]


@dataclass(frozen=True)
class PairedScores:
    """The scores of two models and of the baselines on the same photos.

    Attributes
    ----------
    scores : Scores
        Of the champion, if it has any, the challenger, `ALL_GRAY` and `MEAN_AB`. The models that coloured here have
        ``seconds`` as well.
    curves : dict of str to QualityCurve
        Method -> its CIEDE2000 against its colourfulness; all but `ALL_GRAY`.
    """

    scores: Scores
    curves: dict[str, QualityCurve]

    @classmethod
    def read(cls, folder: Path) -> PairedScores:
        """Read the files that `score_photos` wrote."""
        scores = Scores.read(folder / PHOTOS_FILE)
        swept = [method for method in (CHAMPION, CHALLENGER, MEAN_AB) if method in scores.by_method]
        return cls(scores, {method: read_curve([folder / FRONT_FILE], method) for method in swept})


def score_photos(
    photos: Mapping[str, PhotoFile],
    challenger: Method,
    champion: Method | None,
    mean_ab: tuple[float, float],
    folder: Path,
    known: Path | None = None,
) -> PairedScores:
    """Have the models colour the photos, and write their scores.

    Parameters
    ----------
    photos : mapping of str to PhotoFile
        Name in reports -> file; at least one.
    champion : Method or None
        None if there is none, or it is not available.
    mean_ab : tuple of two floats
        Mean a* and b* of the training photos.
    folder : Path
        To write to: ``photos.csv`` and ``front.csv``, from which the result is read, and ``picture.jpg``.
    known : Path, optional
        The folder of an earlier comparison on the same photos, in which the champion was the challenger: its
        scores stand, and it colours for the clock and the picture only.

    Raises
    ------
    PhotoError
        If a photo cannot be read.
    """
    models = {CHAMPION: champion, CHALLENGER: challenger}
    at_hand = {name: colorize for name, colorize in models.items() if colorize is not None}
    judged = [name for name in at_hand if not (name == CHAMPION and known)]
    baselines = {ALL_GRAY: all_gray, MEAN_AB: constant_ab(*mean_ab)}
    record, clock, differences = _Record(), Clock(), _LargestDifferences()
    for index, (name, photo) in enumerate(tqdm(photos.items(), desc="compare", unit="photo", disable=None)):
        full_size = photo.read().rgb8
        truth = reduced(full_size, SIDE)
        if index == 0:
            for colorize in at_hand.values():
                colorize(full_size)  # the first photo pays for the network's compilation
        # Each twice, there and back, so that neither of them always finds the caches that the other left.
        for order in (list(at_hand.items()), list(at_hand.items())[::-1]):
            coloured = {
                model: reduced(clock.time(model, colorize, full_size), SIDE) for model, colorize in order
            }
        coloured |= {baseline: colorize(truth) for baseline, colorize in baselines.items()}
        record.add(name, truth, {method: coloured[method] for method in (*judged, *baselines)})
        differences.add(photo.path.stem, coloured | {TRUTH: truth})
    scores = record.scores()
    for model in judged:
        scores.by_method[model]["seconds"] = _faster(clock.seconds(model))
    if known:
        earlier = Scores.read(known / PHOTOS_FILE).by_method[CHALLENGER]
        timed = {"seconds": _faster(clock.seconds(CHAMPION))} if champion else {}
        own = {metric: values for metric, values in earlier.items() if metric != "seconds"}
        scores = scores.with_method(CHAMPION, own | timed)
        record.curves += _renamed(known, scores.photos)
    scores.write(folder / PHOTOS_FILE)
    write_csv(folder / FRONT_FILE, record.curves)
    write_picture(folder / PICTURE_FILE, differences.picture(), quality=_QUALITY)
    return PairedScores.read(folder)


@dataclass
class _Record:
    """What has been measured so far."""

    photos: list[str] = field(default_factory=list)
    rows: dict[str, list[dict[str, float]]] = field(default_factory=dict)
    curves: list[Row] = field(default_factory=list)

    def add(self, name: str, truth: Rgb8, coloured: Mapping[str, Rgb8]) -> None:
        self.photos.append(name)
        lab = rgb_to_lab(truth)
        self.rows.setdefault(TRUTH, []).append(_alone(truth, lab, lab))
        for method, rgb8 in coloured.items():
            seen = rgb_to_lab(rgb8)
            self.rows.setdefault(method, []).append(
                {
                    "delta_e2000_mean": float(delta_e2000(seen, lab).mean(dtype=np.float64)),
                    "psnr_db": psnr_db(rgb8, truth),
                    **_alone(rgb8, seen, lab),
                }
            )
        small = reduced(truth, EQUAL_SIDE)
        chroma = {
            method: rgb_to_lab(reduced(rgb8, EQUAL_SIDE))[..., 1:]
            for method, rgb8 in coloured.items()
            if method != ALL_GRAY
        }
        self.curves += sweep(name, small, chroma)

    def scores(self) -> Scores:
        columns = {
            method: {metric: np.array([row[metric] for row in table], np.float64) for metric in table[0]}
            for method, table in self.rows.items()
        }
        return Scores(tuple(self.photos), columns)


def _alone(rgb8: Rgb8, lab: NDArray[np.float32], truth_lab: NDArray[np.float32]) -> dict[str, float]:
    lightness = truth_lab[..., 0]
    return {
        "colourfulness": colourfulness(rgb8),
        "patch_gradient": patch_gradient(lab, lightness),
        "bleed_score": bleed_score(lab, lightness),
    }


class _LargestDifferences:
    """The photos on which the models differ most; without a champion, on which the challenger is farthest off."""

    def __init__(self) -> None:
        self._kept: list[tuple[float, int, str, list[Rgb8]]] = []
        self._seen = 0
        self._columns: list[str] = []

    def add(self, caption: str, coloured: Mapping[str, Rgb8]) -> None:
        other = coloured[CHAMPION] if CHAMPION in coloured else coloured[TRUTH]
        ours, theirs = (rgb_to_lab(reduced(rgb8, EQUAL_SIDE)) for rgb8 in (coloured[CHALLENGER], other))
        apart = float(delta_e2000(ours, theirs).mean(dtype=np.float64))
        self._seen += 1
        self._columns = [method for method in _HEADINGS if method in coloured]
        row = [coloured[method] for method in self._columns]
        # The running number decides between equals, so that pictures are never compared.
        heapq.heappush(self._kept, (apart, -self._seen, f"{caption}: {apart:.1f} apart", row))
        if len(self._kept) > GRID_PHOTOS:
            heapq.heappop(self._kept)

    def picture(self) -> Rgb8:
        rows = sorted(self._kept, key=lambda kept: kept[:2], reverse=True)
        return draw_grid(
            [row for *_, row in rows],
            headings=[_HEADINGS[method] for method in self._columns],
            captions=[caption for *_, caption, _ in rows],
        )


def _faster(seconds: list[float]) -> Floats:
    """The shorter of two times of each photo: in the longer one it waited for something else."""
    return np.array(seconds).reshape(-1, 2).min(axis=1)


def _renamed(known: Path, photos: tuple[str, ...]) -> list[Row]:
    """The champion's part of an earlier comparison's curves, under the names that it and the photos have here."""
    with (known / FRONT_FILE).open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["painter"] == CHALLENGER]
    names = dict(zip(dict.fromkeys(row["photo"] for row in rows), photos, strict=True))
    return [{**row, "photo": names[row["photo"]], "painter": CHAMPION} for row in rows]
