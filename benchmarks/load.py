"""How the service does under load. `python -m benchmarks.load --help`; needs an otherwise quiet machine.

Service and clients share the processors, so what is reported is a lower bound of what the service can do.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.clients import Clients, Shot, megabytes, sampled
from benchmarks.service import Service, service

ROOT = Path(__file__).parents[1]
SETTLE_S = 60.0  # after which memory must not grow any more


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """Median and tails, in milliseconds."""
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return {f"p{n}_ms": round(cuts[n - 1] * 1000, 1) for n in (50, 95, 99)} | {
        "max_ms": round(max(seconds) * 1000, 1)
    }


def growth(samples: Sequence[tuple[float, float]]) -> dict[str, float]:
    """Memory at the start, after it settled and in the end, as medians of a tenth of the time each, and its slope."""
    settled = [sample for sample in samples if sample[0] >= SETTLE_S] or list(samples[len(samples) // 3 :])
    tenth = max(len(settled) // 10, 1)
    first, last = (statistics.median(pss for _, pss in part) for part in (settled[:tenth], settled[-tenth:]))
    slope = statistics.linear_regression(*zip(*settled, strict=True)).slope * 60 if len(settled) > 2 else 0.0
    figures = {
        "start_mb": samples[0][1],
        "settled_mb": first,
        "end_mb": last,
        "peak_mb": max(p for _, p in samples),
    }
    return {name: round(value, 1) for name, value in (figures | {"slope_mb_a_minute": slope}).items()}


def alone(running: Service, photos: Sequence[bytes], count: int = 40) -> dict[str, float]:
    """One photo at a time: what it takes, and how much of it is waiting for the network."""
    asyncio.run(Clients(running.port, photos).run(1, lambda sent: sent < 8))
    before = running.figures()
    shots = asyncio.run(Clients(running.port, photos).run(1, lambda sent: sent < count))
    after = running.figures()

    def mean(series: str, labels: str = "") -> float:
        names = [f"tintype_{series}_{part}{labels}" for part in ("sum", "count")]
        total, number = (after[name] - before.get(name, 0.0) for name in names)
        return 1000 * total / max(number, 1)

    stages = {name: mean("stage_seconds", f'{{stage="{name}"}}') for name in stage_names(after)}
    parts = sum(stages.values()) + mean("network_seconds")
    figures = {
        "client_ms": 1000 * statistics.mean(shot.seconds for shot in shots),
        "request_ms": mean("request_seconds", '{route="/colorize"}'),
        "wait_for_network_ms": mean("queue_seconds"),
        "network_ms": mean("network_seconds"),
        "sum_of_parts_ms": parts,
    }
    figures["beside_the_parts_ms"] = figures["request_ms"] - parts
    return {
        name: round(value, 2) for name, value in (figures | {f"{n}_ms": s for n, s in stages.items()}).items()
    }


def stage_names(figures: dict[str, float]) -> list[str]:
    """The stages that /metrics knows."""
    start = 'tintype_stage_seconds_sum{stage="'
    return [series.removeprefix(start)[:-2] for series in figures if series.startswith(start)]


async def under_load(
    running: Service, photos: Sequence[bytes], count: int, seconds: float
) -> tuple[list[Shot], list[tuple[float, float]], float]:
    """Shots, samples of memory, and how long it took."""
    samples: list[tuple[float, float]] = []
    start = time.monotonic()
    async with sampled(running.process.pid, 1.0, samples):
        shots = await Clients(running.port, photos).run(count, lambda _: time.monotonic() - start < seconds)
    return shots, samples, time.monotonic() - start


def own_rate(bundle: Path, files: Sequence[Path], environment: dict[str, str]) -> dict[str, float]:
    """The Colorizer's own rate, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.own_rate", str(bundle), *map(str, files)]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """All figures of a run."""
    files = sorted(options.photos.glob("*.jpg"))
    photos = [file.read_bytes() for file in files]
    settings = {"TINTYPE_BUNDLE": str(options.bundle.resolve()), "TINTYPE_WORKERS": str(options.workers)}
    environment = dict(os.environ)
    if options.backend:
        settings["TINTYPE_BACKEND"] = environment["KERAS_BACKEND"] = options.backend
    own = [own_rate(options.bundle, files, environment)]
    with service(settings) as running:
        idle = {kind.lower(): round(megabytes(running.process.pid, kind), 1) for kind in ("Pss", "Rss")}
        single = alone(running, photos)
        seconds = options.minutes * 60 if options.minutes else options.seconds
        shots, samples, took = asyncio.run(under_load(running, photos, options.clients, seconds))
        after = running.figures()
    own.append(own_rate(options.bundle, files, environment))
    rates = {kind: statistics.mean(each[kind] for each in own) for kind in own[0]}
    good = [shot.seconds for shot in shots if shot.status == 200]
    batches = after["tintype_batch_size_sum"] / after["tintype_batch_size_count"]
    return {
        "photos": len(files),
        "clients": options.clients,
        "seconds": round(took, 1),
        "requests": len(shots),
        "statuses": dict(Counter(str(shot.status) for shot in shots)),
        "errors": sorted({shot.error for shot in shots if shot.error})[:5],
        "photos_a_second": round(len(good) / took, 2),
        "latency": percentiles(good),
        "mean_batch": round(batches, 2),
        "own_rate": {kind: round(rate, 2) for kind, rate in rates.items()},
        "ratio": {kind: round(len(good) / took / rate, 3) for kind, rate in rates.items()},
        "alone": single,
        "memory_idle": idle,
        "memory": growth(samples),
    }


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, default=ROOT / "models/tintype")
    parser.add_argument("--photos", type=Path, default=ROOT / "data/sample", help="folder of JPEGs")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--minutes", type=float, help="instead of --seconds; 10 shows whether memory grows")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--backend", choices=["openvino", "tensorflow"])
    parser.add_argument("--output", type=Path, help="also write the figures here")
    options = parser.parse_args()
    text = json.dumps(measure(options), indent=2) + "\n"
    sys.stdout.write(text)
    if options.output:
        options.output.write_text(text)


if __name__ == "__main__":
    main()
