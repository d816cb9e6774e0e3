"""What a benchmark leaves behind: figures as JSON and a table, with the machine, the commit and the command.

Comparisons are paired: `paired` runs the cases in turn, round after round, so that whatever else the machine does
falls on all of them alike, and a ratio is taken within each round.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tintype.files.atomic import write_json

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
# What decides how fast a network computes on a CPU, by the names of /proc/cpuinfo.
_FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_bf16", "amx_int8")
_PACKAGES = (
    "tintype",
    "keras",
    "tensorflow",
    "openvino",
    "jax",
    "numpy",
    "opencv-python-headless",
    "pillow",
    "scikit-image",
    "dvc",
    "bentoml",
    "ray",
)


def machine() -> dict[str, Any]:
    """The machine and the software on it, without a name or a path."""
    return {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "flags": [flag for flag in _FLAGS if flag in _cpu_line("flags").split()],
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": _versions(),
    }


def spread(values: Sequence[float]) -> dict[str, Any]:
    """Median, least and greatest of at least one measurement, and the values themselves; four significant digits."""
    rounded = [float(f"{value:.4g}") for value in values]
    return {
        "median": float(f"{statistics.median(values):.4g}"),
        "low": min(rounded),
        "high": max(rounded),
        "values": rounded,
    }


def paired(cases: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Measure the cases in turn, `rounds` times; every other round runs backwards. Figures by case."""
    figures: dict[str, list[float]] = {name: [] for name in cases}
    for turn in range(rounds):
        for name in list(cases)[:: -1 if turn % 2 else 1]:
            figures[name].append(cases[name]())
    return figures


def ratio(above: Sequence[float], below: Sequence[float]) -> dict[str, Any]:
    """The spread of the ratios within each round of `paired`."""
    return spread([a / b for a, b in zip(above, below, strict=True)])


def seconds_of(work: Callable[[], Any]) -> float:
    """Wall-clock time of a call."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def cpu_seconds_of(work: Callable[[], Any]) -> float:
    """CPU time of a call, of all threads of this process: what a busy machine distorts less than wall-clock time."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    work()
    after = resource.getrusage(resource.RUSAGE_SELF)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def write(name: str, table: Mapping[str, Any], command: str, folder: Path = RESULTS) -> Path:
    """Write benchmarks/results/NAME.json; `command` is what gives the figures anew. Another folder is for a trial."""
    path = folder / f"{name}.json"
    content = {
        "command": command,
        "commit": _commit(),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "machine": machine(),
        "load": round(
            os.getloadavg()[0], 1
        ),  # of the last minute; more than the benchmark's own was somebody else's
        "table": dict(table),
    }
    write_json(path, content)
    return path


def command_line(module: str) -> str:
    """The command that this process was started with, as a person types it; of paths elsewhere only the name.

    `--results` is left out: it changes no figure.
    """
    words = list(sys.argv[1:])
    if "--results" in words:
        at = words.index("--results")
        del words[at : at + 2]
    arguments = (Path(word).name if Path(word).is_absolute() else word for word in words)
    return " ".join(["python", "-m", module, *arguments])


def show(table: Mapping[str, Any]) -> str:
    """A table for people: a row for each figure, blocks within blocks by a dotted name."""
    rows = ["| | median | from | to |", "|---|---:|---:|---:|"]
    for name, value in _flat(table):
        if isinstance(value, Mapping):
            rows.append(f"| {name} | {value['median']:g} | {value['low']:g} | {value['high']:g} |")
        else:
            shown = f"{value:g}" if isinstance(value, float) else json.dumps(value)
            rows.append(f"| {name} | {shown} | | |")
    return "\n".join(rows)


def _flat(table: Mapping[str, Any], before: str = "") -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for name, value in table.items():
        if isinstance(value, Mapping) and "median" not in value:
            rows += _flat(value, f"{before}{name}.")
        else:
            rows.append((f"{before}{name}", value))
    return rows


def _cpu_model() -> str:
    return _cpu_line("model name") or platform.processor() or platform.machine()


def _cpu_line(key: str) -> str:
    """A line of /proc/cpuinfo; empty where there is no such thing."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    found = (line.partition(":")[2].strip() for line in lines if line.split("\t")[0].strip() == key)
    return next(found, "")


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue  # said by its absence
    return found


def _commit() -> str:
    """The commit that was measured; `-changed` says that files differed from it."""
    described = subprocess.run(
        ["git", "describe", "--always", "--abbrev=12", "--exclude=*", "--dirty=-changed"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    return described.stdout.strip() or "unknown"
