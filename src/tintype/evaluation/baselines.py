"""Painters that know nothing, for comparison: a network that is no better has learned nothing."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tintype.imaging.lab import gray_to_rgb, rgb_to_lab
from tintype.imaging.merge import merge

Rgb8 = NDArray[np.uint8]
Painter = Callable[[Rgb8], Rgb8]
"""Colours a photo of shape (H, W, 3), uint8, by its lightness alone; the result has the same shape."""

ChromaOf = Callable[[Rgb8], NDArray[np.float32]]
"""A painter's a* and b* for a photo, in Lab units, of shape (h, w, 2), float32, at any size, before `merge`."""


def all_gray(rgb8: Rgb8) -> Rgb8:
    """The photo without its colours: a* = b* = 0."""
    return gray_to_rgb(rgb_to_lab(rgb8)[..., 0])


def constant_ab(a: float, b: float) -> Painter:
    """A painter that gives every pixel the same chroma.

    Parameters
    ----------
    a, b : float
        a* and b* in Lab units. With the mean of the training photos this is the best that a constant can do
        by squared error.
    """
    chroma = constant_chroma(a, b)

    def paint(rgb8: Rgb8) -> Rgb8:
        return merge(rgb8, chroma(rgb8))[0]

    return paint


def constant_chroma(a: float, b: float) -> ChromaOf:
    """What `constant_ab` paints with: a* and b*, in Lab units, for every pixel of any photo."""
    return lambda rgb8: np.full((*rgb8.shape[:2], 2), (a, b), np.float32)


def painters(ours: Painter, mean_ab: tuple[float, float]) -> dict[str, Painter]:
    """Ours beside the baselines, by the names that reports use.

    Parameters
    ----------
    ours : Painter
        Such as a `Colorizer`'s ``colorize``.
    mean_ab : tuple of two floats
        Mean a* and b* of the training photos.

    Returns
    -------
    dict
        ``ours``, ``all_gray`` and ``mean_ab``, in this order.
    """
    return {"ours": ours, "all_gray": all_gray, "mean_ab": constant_ab(*mean_ab)}


class Clock:
    """Times painters, photo by photo."""

    def __init__(self) -> None:
        self._seconds: dict[str, list[float]] = {}
        self._megapixels: dict[str, list[float]] = {}

    def time(self, painter: str, paint: Painter, rgb8: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The photo as painted, and its time noted under the painter's name."""
        start = time.perf_counter()
        painted = paint(rgb8)
        self._seconds.setdefault(painter, []).append(time.perf_counter() - start)
        self._megapixels.setdefault(painter, []).append(rgb8.shape[0] * rgb8.shape[1] / 1e6)
        return painted

    def seconds(self, painter: str) -> list[float]:
        """Those of each photo, in the order in which they were painted."""
        return list(self._seconds[painter])

    def summary(self, painter: str) -> dict[str, float]:
        """Medians: the first photo pays for the network's compilation."""
        return {
            "photos": len(self._seconds[painter]),
            "seconds_per_photo": round(statistics.median(self._seconds[painter]), 4),
            "megapixels_per_photo": round(statistics.median(self._megapixels[painter]), 4),
        }
