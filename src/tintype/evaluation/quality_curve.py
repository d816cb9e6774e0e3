"""Quality curves: a figure of merit against colourfulness, as saturation rises.

The same colours paler and stronger: how a method's error grows with its colourfulness.

A single figure can be bought with saturation, or with the lack of it. A curve of both cannot. The network runs once
a photo; only its chroma is multiplied.

Curves are kept by photo, so that several trainings can be pooled and intervals drawn, and read off at the same
colourfulness for all.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tintype.evaluation.intervals import Index
from tintype.imaging.lab import rgb_to_lab
from tintype.imaging.merge import merge
from tintype.measures.colourfulness import colourfulness, colourfulness_ratio
from tintype.measures.metrics import delta_e2000
from tintype.measures.patches import patch_gradient, patch_score

FACTORS = (0.0, 0.4, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.6, 8.0)
"""On the chroma that a method gives by itself; 0 is gray, 8 brings even pale recipes to the truth's colourfulness."""

Row = dict[str, str | float]


def sweep(
    photo: str,
    truth: NDArray[np.uint8],
    chroma: Mapping[str, NDArray[np.float32]],
    factors: Sequence[float] = FACTORS,
) -> list[Row]:
    """Judge methods on a photo at each factor.

    Parameters
    ----------
    photo : str
        Its name in reports.
    truth : ndarray of shape (H, W, 3), uint8
        At the size at which it is judged.
    chroma : mapping of str to ndarray of shape (h, w, 2), float32
        Method -> a* and b* in Lab units, at any size.

    Returns
    -------
    list of dict
        For each method and factor: ``photo``, ``painter``, ``factor``, ``colourfulness``, ``truth_colourfulness``,
        ``delta_e2000_mean``, ``patch_score`` (NaN if the truth has no gradient), ``patch_gradient``,
        ``truth_patch_gradient``.
    """
    lab = rgb_to_lab(truth)
    colours, patches = colourfulness(truth), patch_gradient(lab, lab[..., 0])
    rows: list[Row] = []
    for method, ab in chroma.items():
        for factor in factors:
            rgb8 = merge(truth, ab, saturation=factor)[0]
            coloured = rgb_to_lab(rgb8)
            gradient = patch_gradient(coloured, lab[..., 0])
            rows.append(
                {
                    "photo": photo,
                    "painter": method,
                    "factor": factor,
                    "colourfulness": colourfulness(rgb8),
                    "truth_colourfulness": colours,
                    "delta_e2000_mean": float(delta_e2000(coloured, lab).mean(dtype=np.float64)),
                    "patch_score": patch_score([gradient], [patches]),
                    "patch_gradient": gradient,
                    "truth_patch_gradient": patches,
                }
            )
    return rows


def pooled(rows: Sequence[Row]) -> list[Row]:
    """Many photos' sweeps as one curve for each method.

    Parameters
    ----------
    rows : sequence of dict
        Of `sweep`, of any number of photos.

    Returns
    -------
    list of dict
        For each method and factor: ``painter``, ``factor``, ``colourfulness_ratio``, ``delta_e2000_mean``,
        ``patch_score``.
    """
    groups: dict[tuple[str, float], list[Row]] = {}
    for row in rows:
        groups.setdefault((str(row["painter"]), float(row["factor"])), []).append(row)
    return [
        {
            "painter": method,
            "factor": factor,
            "colourfulness_ratio": colourfulness_ratio(
                _column(group, "colourfulness"), _column(group, "truth_colourfulness")
            ),
            "delta_e2000_mean": float(np.mean(_column(group, "delta_e2000_mean"))),
            "patch_score": patch_score(
                _column(group, "patch_gradient"), _column(group, "truth_patch_gradient")
            ),
        }
        for (method, factor), group in groups.items()
    ]


def _column(rows: Sequence[Row], name: str) -> list[float]:
    return [float(row[name]) for row in rows]


Floats = NDArray[np.float64]


@dataclass(frozen=True)
class QualityCurve:
    """One recipe's sweep, over its seeds and the photos.

    Attributes
    ----------
    photos : tuple of str
        Names, N of them.
    colourfulness : ndarray of shape (seeds, N, factors), float64
    truth : ndarray of shape (N,), float64
        Colourfulness of the true photos.
    values : ndarray of shape (seeds, N, factors), float64
        The figure of merit, such as CIEDE2000.
    over : ndarray of shape (N,), float64
        What the mean of `values` is divided by: the truth's patch gradients for the patch score, ones for CIEDE2000.
    """

    photos: tuple[str, ...]
    colourfulness: Floats
    truth: Floats
    values: Floats
    over: Floats

    def at(self, ratio: float, photos: Index | None = None, seeds: Index | None = None) -> float:
        """The figure of merit at a colourfulness ratio, the mean over seeds.

        Parameters
        ----------
        ratio : float
            Of mean colourfulness to the truth's.
        photos, seeds : ndarray of int, optional
            Numbers of those to take, all if not given.

        Returns
        -------
        float
            On the line between the two neighbouring factors of each seed's curve; NaN where one does not reach.
        """
        drawn = np.arange(len(self.photos)) if photos is None else photos
        trained = np.arange(len(self.values)) if seeds is None else seeds
        ratios = self.colourfulness[:, drawn].mean(axis=1) / self.truth[drawn].mean()  # (seeds, factors)
        values = self.values[:, drawn].mean(axis=1) / self.over[drawn].mean()
        return float(np.mean([interpolate(ratios[seed], values[seed], ratio) for seed in trained]))


def interpolate(ratios: ArrayLike, values: ArrayLike, ratio: float) -> float:
    """Read a curve off at a ratio.

    Parameters
    ----------
    ratios, values : array of shape (n,), float
        The curve's points in any order.

    Returns
    -------
    float
        Linear between the two neighbours; NaN outside of all points.
    """
    places = np.asarray(ratios, np.float64)
    order = np.argsort(places, kind="stable")
    return float(
        np.interp(ratio, places[order], np.asarray(values, np.float64)[order], left=np.nan, right=np.nan)
    )


def read_curve(files: Sequence[Path], method: str = "ours", metric: str = "delta_e2000_mean") -> QualityCurve:
    """Pool trainings of one recipe.

    Parameters
    ----------
    files : sequence of Path
        ``front_photos.csv`` of each seed, of the same photos and factors.
    metric : str
        ``delta_e2000_mean`` or ``patch_score``; the latter is pooled as a ratio of sums.
    """
    tables = [_read(file, method) for file in files]
    photos, factors = (tuple(dict.fromkeys(row[key] for row in tables[0])) for key in ("photo", "factor"))
    for file, table in zip(files, tables, strict=True):
        if [(row["photo"], row["factor"]) for row in table] != [
            (photo, factor) for photo in photos for factor in factors
        ]:
            raise ValueError(
                f"Expected {method} in {file} at {len(factors)} factors of the {len(photos)} photos of {files[0]}. "
                f"Received: {len(table)} rows of others."
            )
    patches = metric == "patch_score"

    def column(name: str) -> Floats:
        values = np.array([[float(row[name]) for row in table] for table in tables])
        return values.reshape(len(files), len(photos), len(factors))

    truth, gradients = (column(name)[0, :, 0] for name in ("truth_colourfulness", "truth_patch_gradient"))
    return QualityCurve(
        photos,
        colourfulness=column("colourfulness"),
        truth=truth,
        values=column("patch_gradient" if patches else metric),
        over=gradients if patches else np.ones(len(photos)),
    )


def _read(file: Path, method: str) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as rows:
        return [row for row in csv.DictReader(rows) if row["painter"] == method]
