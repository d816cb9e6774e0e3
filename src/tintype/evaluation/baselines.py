"""Methods that know nothing about the photo, for comparison: a network that is no better has learned nothing."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tintype.imaging.lab import gray_to_rgb, rgb_to_lab
from tintype.imaging.merge import merge

Rgb8 = NDArray[np.uint8]
Method = Callable[[Rgb8], Rgb8]
"""A method of colorization: colours a photo of shape (H, W, 3), uint8, by its lightness alone, in the same shape."""

ChromaOf = Callable[[Rgb8], NDArray[np.float32]]
"""A method's a* and b* for a photo, in Lab units, of shape (h, w, 2), float32, at any size, before `merge`."""


def all_gray(rgb8: Rgb8) -> Rgb8:
    """The photo without its colours: a* = b* = 0."""
    return gray_to_rgb(rgb_to_lab(rgb8)[..., 0])


def constant_ab(a: float, b: float) -> Method:
    """A method that gives every pixel the same chroma.

    Parameters
    ----------
    a, b : float
        a* and b* in Lab units. With the mean of the training photos this is the best that a constant can do
        by squared error.
    """
    chroma = constant_chroma(a, b)

    def colorize(rgb8: Rgb8) -> Rgb8:
        return merge(rgb8, chroma(rgb8))[0]

    return colorize


def constant_chroma(a: float, b: float) -> ChromaOf:
    """The chroma of `constant_ab`: a* and b*, in Lab units, for every pixel of any photo."""
    return lambda rgb8: np.full((*rgb8.shape[:2], 2), (a, b), np.float32)


def methods(ours: Method, mean_ab: tuple[float, float]) -> dict[str, Method]:
    """Ours beside the baselines, by the names that reports use.

    Parameters
    ----------
    ours : Method
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
    """Times methods, photo by photo."""

    def __init__(self) -> None:
        self._seconds: dict[str, list[float]] = {}
        self._megapixels: dict[str, list[float]] = {}

    def time(self, method: str, colorize: Method, rgb8: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The coloured photo; its time is noted under the method's name."""
        start = time.perf_counter()
        coloured = colorize(rgb8)
        self._seconds.setdefault(method, []).append(time.perf_counter() - start)
        self._megapixels.setdefault(method, []).append(rgb8.shape[0] * rgb8.shape[1] / 1e6)
        return coloured

    def seconds(self, method: str) -> list[float]:
        """Seconds of each photo, in the order in which they were coloured."""
        return list(self._seconds[method])

    def summary(self, method: str) -> dict[str, float]:
        """Medians: the first photo pays for the network's compilation."""
        return {
            "photos": len(self._seconds[method]),
            "seconds_per_photo": round(statistics.median(self._seconds[method]), 4),
            "megapixels_per_photo": round(statistics.median(self._megapixels[method]), 4),
        }
