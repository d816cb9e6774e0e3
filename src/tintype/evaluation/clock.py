"""How long painters take."""

from __future__ import annotations

import statistics
import time

import numpy as np
from numpy.typing import NDArray

from tintype.evaluation.baselines import Painter


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
