"""A folder of many files as an output of DVC, which keeps a line for each."""

from __future__ import annotations

from pathlib import Path
from subprocess import run
from typing import Any

from experiments.memory.peak import peak_of
from experiments.memory.project import environment


def add(files: int, folder: Path) -> dict[str, Any]:
    """`dvc add` of a folder, and `dvc status` of it unchanged."""
    for number in range(files):
        path = folder / "data" / f"{number % 1000:03d}" / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{number}\n")
    surroundings = environment() | {"DVC_NO_ANALYTICS": "1"}
    run(["dvc", "init", "--no-scm", "--quiet"], cwd=folder, check=True, env=surroundings)
    figures = {}
    for name, command in (("add", "dvc add --quiet data"), ("status", "dvc status --quiet")):
        peak = peak_of(command, folder, surroundings)
        figures[name] = {"seconds": round(peak.seconds, 1), "peak_mb": round(peak.largest_mb, 1)}
    return figures
