"""What the service tells Prometheus.

BentoML's own request metrics are off: they keep a series for every path that was ever asked for, which a client can
make grow without end. Ours have the routes that exist. All kinds used here add up over worker processes.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tintype.measures.statistics import STATISTICS

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
# Limits of the buckets of the monitor's statistics.
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


class Metrics:
    """The service's own series; made once in a process."""

    def __init__(self) -> None:
        # Here and not above: BentoML tells the folder that worker processes share only after it imported the service.
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        registry = CollectorRegistry()
        self._registry = registry
        _forget_dead_processes()
        self.requests: Any = Counter(
            "tintype_requests", "Requests answered.", ["route", "status"], registry=registry
        )
        self.seconds: Any = Histogram(
            "tintype_request_seconds",
            "From request to answer.",
            ["route"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.outcomes: Any = Counter(
            "tintype_photos", "Photos by outcome: ok, or the error's code.", ["outcome"], registry=registry
        )
        self.photos_inside: Any = Gauge(
            "tintype_photos_in_house",
            "Photos being worked on.",
            multiprocess_mode="livesum",
            registry=registry,
        )
        self.megapixels: Any = Histogram(
            "tintype_photo_megapixels",
            "Size of photos.",
            buckets=(0.1, 0.25, 0.5, 1, 2, 4, 8, 12, 25, 50, 100, 200),
            registry=registry,
        )
        self.file_megabytes: Any = Histogram(
            "tintype_file_megabytes",
            "Size of files that came.",
            buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 25, 50, 100),
            registry=registry,
        )
        self.stages: Any = Histogram(
            "tintype_stage_seconds",
            "Work on one photo outside the network, by stage.",
            ["stage"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.queue_seconds: Any = Histogram(
            "tintype_queue_seconds", "A photo's wait for the network.", buckets=_SECONDS, registry=registry
        )
        self.batch_size: Any = Histogram(
            "tintype_batch_size", "Photos in one run of the network.", buckets=range(1, 9), registry=registry
        )
        self.network_seconds: Any = Histogram(
            "tintype_network_seconds", "One run of the network.", buckets=_SECONDS, registry=registry
        )
        self.swaps: Any = Counter(
            "tintype_swaps",
            "Versions that the followed alias came to: ok, or failed and not taken into service.",
            ["outcome"],
            registry=registry,
        )
        self.behind: Any = Gauge(
            "tintype_behind",
            "1 while it is not sure that the version that answers is the one that is followed.",
            multiprocess_mode="livemax",
            registry=registry,
        )
        self.look_age: Any = Gauge(
            "tintype_follow_age_seconds",
            "Since the registry last said which version the followed alias names; grows while it does not answer.",
            multiprocess_mode="livemax",
            registry=registry,
        )
        self.chroma: Any = Histogram(
            "tintype_chroma",
            "Mean C* of each photo served: how colourful the answers are.",
            buckets=(0, 1, 2, 4, 6, 8, 10, 12, 15, 20, 25, 30, 40, 60),
            registry=registry,
        )

    def monitor(self) -> MonitorSeries:
        """Series of the monitor, which a service without one does not have; asked for once."""
        return MonitorSeries(self._registry)

    def batch(self, count: int, seconds: float, waits: list[float]) -> None:
        """Record one run of the network."""
        self.batch_size.observe(count)
        self.network_seconds.observe(seconds)
        for wait in waits:
            self.queue_seconds.observe(wait)

    def stage(self, name: str, start: float) -> None:
        """Record the time since `start` (of `time.perf_counter`)."""
        self.stages.labels(name).observe(time.perf_counter() - start)

    def exposition(self) -> tuple[bytes, str]:
        """All series of all worker processes, and their media type."""
        from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
        from prometheus_client.multiprocess import MultiProcessCollector

        registry = self._registry
        if _shared_folder() is not None:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry), CONTENT_TYPE_LATEST


class MonitorSeries:
    """The monitor's series: a histogram for each statistic, and counts. Made once in a process.

    Parameters
    ----------
    registry : CollectorRegistry
        Of `Metrics`.
    """

    def __init__(self, registry: Any) -> None:
        from prometheus_client import Counter, Histogram

        self._statistics: dict[str, Any] = {
            statistic.name: Histogram(
                f"tintype_{'input' if statistic.measured_on == 'input' else 'answer'}_"
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
        """Record a photo's statistics; what is not defined for it is left out."""
        for name, histogram in self._statistics.items():
            value = values[name]
            if value == value:
                histogram.observe(value)


def _shared_folder() -> Path | None:
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    return Path(folder) if folder else None


def _forget_dead_processes() -> None:
    """Drop the gauges of workers that were killed and could not do so themselves."""
    from prometheus_client.multiprocess import mark_process_dead

    folder = _shared_folder()
    for file in folder.glob("gauge_live*_*.db") if folder else ():
        process = file.stem.rpartition("_")[2]
        if process.isdigit() and not Path("/proc", process).exists():
            mark_process_dead(int(process), str(folder))  # type: ignore[no-untyped-call]
