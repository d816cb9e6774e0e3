"""The monitor's series for Prometheus: a histogram for each statistic, and counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tintype.measures.statistics import STATISTICS

_LIGHTNESS = (10, 20, 30, 40, 50, 60, 70, 80, 90)
_SHARES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.8)
_TINTS = (-30, -20, -15, -10, -5, -2, 0, 2, 5, 10, 15, 20, 30)
_CHROMA = (1, 2, 4, 6, 8, 10, 12, 15, 20, 25, 30, 40, 60)
_BUCKETS: dict[str, Sequence[float]] = {
    "lightness": _LIGHTNESS,
    "lightness_spread": (5, 10, 15, 20, 25, 30, 40),
    "contrast": _LIGHTNESS,
    "sharpness": (1, 2, 4, 6, 8, 10, 12, 15, 20, 30, 50),
    "near_black": _SHARES,
    "near_white": _SHARES,
    "input_chroma": _CHROMA,
    "colourfulness": (2, 5, 10, 15, 20, 25, 30, 40, 50, 60, 80, 100, 130),
    "mean_a": _TINTS,
    "mean_b": _TINTS,
    "patch_gradient": (0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5),
    "bleed_score": (0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10),
    "out_of_gamut": _SHARES,
    "confidence": (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
}
_ELSEWHERE = {
    "megapixels",
    "mean_chroma",
}  # tintype_photo_megapixels and tintype_chroma have them for every photo


class Series:
    """Made once in a process.

    Parameters
    ----------
    registry : CollectorRegistry
        Of `tintype.serving.metrics`.
    """

    def __init__(self, registry: Any) -> None:
        from prometheus_client import Counter, Histogram

        self._statistics: dict[str, Any] = {
            statistic.name: Histogram(
                f"tintype_{'input' if statistic.of == 'input' else 'answer'}_"
                f"{statistic.name.removeprefix('input_').removeprefix('mean_')}",
                statistic.meaning,
                buckets=_BUCKETS[statistic.name],
                registry=registry,
            )
            for statistic in STATISTICS
            if statistic.name not in _ELSEWHERE
        }
        self.kinds: Any = Counter(
            "tintype_inputs",
            "Photos by what they were when they came.",
            ["kind", "format"],
            registry=registry,
        )
        self.monitored: Any = Counter(
            "tintype_monitored",
            "Photos by what the monitor did: measured; skipped, as it was behind; error; and of those measured "
            "unwritten, as the disk refused, or full, as the day had its bytes.",
            ["outcome"],
            registry=registry,
        )
        self.seconds: Any = Histogram(
            "tintype_monitor_seconds",
            "The monitor's work on one photo, after its answer.",
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5),
            registry=registry,
        )

    def observe(self, values: Mapping[str, float]) -> None:
        """Take down a photo's statistics; what is not defined for it is left out."""
        for name, histogram in self._statistics.items():
            value = values[name]
            if value == value:
                histogram.observe(value)
