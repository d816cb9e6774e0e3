"""The same colours paler and stronger: how a painter's error grows with its colourfulness.

A single figure can be bought with saturation, or with the lack of it. The front of both cannot. The network runs once
a photo; only its chroma is multiplied.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tintype.imaging.lab import rgb_to_lab
from tintype.imaging.merge import merge
from tintype.measures.colourfulness import colourfulness, colourfulness_ratio
from tintype.measures.metrics import delta_e2000
from tintype.measures.patches import patch_gradient, patch_score

FACTORS = (0.0, 0.4, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.6, 8.0)
"""On the chroma that a painter gives by itself; 0 is gray, 8 brings even pale recipes to the truth's colourfulness."""

Row = dict[str, str | float]


def sweep(
    photo: str,
    truth: NDArray[np.uint8],
    chroma: Mapping[str, NDArray[np.float32]],
    factors: Sequence[float] = FACTORS,
) -> list[Row]:
    """Judge painters on a photo at each factor.

    Parameters
    ----------
    photo : str
        Its name in reports.
    truth : ndarray of shape (H, W, 3), uint8
        At the size at which it is judged.
    chroma : mapping of str to ndarray of shape (h, w, 2), float32
        Painter -> a* and b* in Lab units, at any size.
    factors : sequence of float

    Returns
    -------
    list of dict
        For each painter and factor: ``photo``, ``painter``, ``factor``, ``colourfulness``, ``truth_colourfulness``,
        ``delta_e2000_mean``, ``patch_score`` (NaN if the truth has no gradient), ``patch_gradient``,
        ``truth_patch_gradient``.
    """
    lab = rgb_to_lab(truth)
    colours, patches = colourfulness(truth), patch_gradient(lab, lab[..., 0])
    rows: list[Row] = []
    for painter, ab in chroma.items():
        for factor in factors:
            rgb8 = merge(truth, ab, saturation=factor)[0]
            painted = rgb_to_lab(rgb8)
            gradient = patch_gradient(painted, lab[..., 0])
            rows.append(
                {
                    "photo": photo,
                    "painter": painter,
                    "factor": factor,
                    "colourfulness": colourfulness(rgb8),
                    "truth_colourfulness": colours,
                    "delta_e2000_mean": float(delta_e2000(painted, lab).mean(dtype=np.float64)),
                    "patch_score": patch_score([gradient], [patches]),
                    "patch_gradient": gradient,
                    "truth_patch_gradient": patches,
                }
            )
    return rows


def pooled(rows: Sequence[Row]) -> list[Row]:
    """Many photos' sweeps as one front for each painter.

    Parameters
    ----------
    rows : sequence of dict
        Of `sweep`, of any number of photos.

    Returns
    -------
    list of dict
        For each painter and factor: ``painter``, ``factor``, ``colourfulness_ratio``, ``delta_e2000_mean``,
        ``patch_score``.
    """
    groups: dict[tuple[str, float], list[Row]] = {}
    for row in rows:
        groups.setdefault((str(row["painter"]), float(row["factor"])), []).append(row)
    return [
        {
            "painter": painter,
            "factor": factor,
            "colourfulness_ratio": colourfulness_ratio(
                _column(group, "colourfulness"), _column(group, "truth_colourfulness")
            ),
            "delta_e2000_mean": float(np.mean(_column(group, "delta_e2000_mean"))),
            "patch_score": patch_score(
                _column(group, "patch_gradient"), _column(group, "truth_patch_gradient")
            ),
        }
        for (painter, factor), group in groups.items()
    ]


def _column(rows: Sequence[Row], name: str) -> list[float]:
    return [float(row[name]) for row in rows]
