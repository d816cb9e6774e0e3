"""Whether a model's confidence is right on photos that it has not seen.

Among the places to which it gives a confidence of about .7, a share of .7 should have a colour near the true one. That
is the reliability diagram (M. H. DeGroot and S. E. Fienberg, 1983, https://doi.org/10.2307/2987588); the expected
calibration error is the mean distance from the diagonal, weighted by the number of places (C. Guo and others, 2017,
https://arxiv.org/abs/1706.04599, equation 3).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tintype.files.atomic import new_file
from tintype.imaging.confidence import NEAR
from tintype.imaging.geometry import resize
from tintype.imaging.lab import rgb_to_lab

BINS = 10
_BLUE = "#0072B2"


class Reliability:
    """Counts over photos."""

    def __init__(self) -> None:
        self._places, self._confidence, self._right = np.zeros((3, BINS))

    def add(self, truth: NDArray[np.uint8], ab: NDArray[np.float32], confidence: NDArray[np.float32]) -> None:
        """Add a photo's places, at the size of the network's output.

        Parameters
        ----------
        truth : ndarray of shape (H, W, 3), uint8
        ab : ndarray of shape (h, w, 2), float32
            The model's colours in Lab units.
        confidence : ndarray of shape (h, w), float32
            What it says of them, in [0, 1].
        """
        true = resize(rgb_to_lab(truth), *ab.shape[:2])[..., 1:]
        right = np.linalg.norm(ab - true, axis=-1) <= NEAR
        places = np.minimum((confidence * BINS).astype(np.intp), BINS - 1).ravel()
        self._places += np.bincount(places, minlength=BINS)
        self._confidence += np.bincount(places, confidence.ravel(), BINS)
        self._right += np.bincount(places, right.ravel(), BINS)

    def rows(self) -> list[dict[str, float]]:
        """The diagram, a row for each bin that anything fell into.

        Returns
        -------
        list of dict
            ``confidence``, the mean of the model's own; ``right``, the share that came within `NEAR` Lab units of the
            truth; ``share`` of all places.
        """
        return [
            {
                "confidence": float(confidence / places),
                "right": float(right / places),
                "share": float(places / self._places.sum()),
            }
            for places, confidence, right in zip(self._places, self._confidence, self._right, strict=True)
            if places
        ]

    def error(self) -> float:
        """The expected calibration error, 0 to 1."""
        return float(sum(row["share"] * abs(row["confidence"] - row["right"]) for row in self.rows()))


def draw_reliability(rows: Sequence[dict[str, float]], destination: Path) -> None:
    """The diagram as PNG; for a model that does not say how sure it is, a picture that says so.

    Parameters
    ----------
    rows : sequence of dict
        Of `Reliability.rows`; may be empty.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    with pyplot.rc_context({"font.size": 10, "axes.spines.top": False, "axes.spines.right": False}):
        figure, axes = pyplot.subplots(figsize=(4.8, 4.6), dpi=140)
        axes.set(xlim=(0, 1), ylim=(0, 1.02), aspect="equal")
        axes.set(xlabel="confidence", ylabel=f"share within {NEAR:g} Lab units of the true colour")
        axes.plot([0, 1], [0, 1], color="black", lw=0.8, ls=":")
        if rows:
            _draw(axes, rows)
        else:
            axes.text(0.5, 0.5, "This network does not say\nhow sure it is.", ha="center", va="center")
        figure.tight_layout()
        destination.parent.mkdir(parents=True, exist_ok=True)
        with new_file(destination) as part, part.open("wb") as file:
            figure.savefig(file, format="png", metadata={"Software": None})
        pyplot.close(figure)


def _draw(axes: Any, rows: Sequence[dict[str, float]]) -> None:
    confidence, right, share = (
        np.array([row[name] for row in rows]) for name in ("confidence", "right", "share")
    )
    axes.bar(confidence, share, width=0.06, color="0.85", label="share of places", zorder=0)
    axes.plot(confidence, right, "-", color=_BLUE, lw=1.5)
    axes.scatter(confidence, right, s=20 + 180 * share, color=_BLUE, zorder=3, label="test photos")
    axes.legend(loc="upper left", frameon=False)
