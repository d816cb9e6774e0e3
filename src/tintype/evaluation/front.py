"""Fronts: a figure of merit against colourfulness, read off at the same colourfulness for all.

The points come from `tintype.evaluation.sweep`, by photo, so that several trainings can be pooled and intervals drawn.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tintype.evaluation.intervals import Index

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Front:
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
            On the line between the two neighbouring factors of each seed's front; NaN where one does not reach.
        """
        drawn = np.arange(len(self.photos)) if photos is None else photos
        trained = np.arange(len(self.values)) if seeds is None else seeds
        ratios = self.colourfulness[:, drawn].mean(axis=1) / self.truth[drawn].mean()  # (seeds, factors)
        values = self.values[:, drawn].mean(axis=1) / self.over[drawn].mean()
        return float(np.mean([interpolate(ratios[seed], values[seed], ratio) for seed in trained]))


def interpolate(ratios: ArrayLike, values: ArrayLike, ratio: float) -> float:
    """Read a front off at a ratio.

    Parameters
    ----------
    ratios, values : array of shape (n,), float
        The front's points in any order.
    ratio : float

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


def read_front(files: Sequence[Path], painter: str = "ours", metric: str = "delta_e2000_mean") -> Front:
    """Pool trainings of one recipe.

    Parameters
    ----------
    files : sequence of Path
        ``front_photos.csv`` of each seed, of the same photos and factors.
    painter : str
    metric : str
        ``delta_e2000_mean`` or ``patch_score``; the latter is pooled as a ratio of sums.

    Returns
    -------
    Front
    """
    tables = [_read(file, painter) for file in files]
    photos, factors = (tuple(dict.fromkeys(row[key] for row in tables[0])) for key in ("photo", "factor"))
    for file, table in zip(files, tables, strict=True):
        if [(row["photo"], row["factor"]) for row in table] != [
            (photo, factor) for photo in photos for factor in factors
        ]:
            raise ValueError(
                f"Expected {painter} in {file} at {len(factors)} factors of the {len(photos)} photos of {files[0]}. "
                f"Received: {len(table)} rows of others."
            )
    patches = metric == "patch_score"

    def column(name: str) -> Floats:
        values = np.array([[float(row[name]) for row in table] for table in tables])
        return values.reshape(len(files), len(photos), len(factors))

    truth, gradients = (column(name)[0, :, 0] for name in ("truth_colourfulness", "truth_patch_gradient"))
    return Front(
        photos,
        colourfulness=column("colourfulness"),
        truth=truth,
        values=column("patch_gradient" if patches else metric),
        over=gradients if patches else np.ones(len(photos)),
    )


def _read(file: Path, painter: str) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as rows:
        return [row for row in csv.DictReader(rows) if row["painter"] == painter]
