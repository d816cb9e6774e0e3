"""Rate and peak of memory of what is done with rows, at several numbers of them.

`manifest`, `expectations`, `plans` and `near` are the stages' own ways, all rows in memory. `files` is DVC's part.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import results

TODAY = ("manifest", "expectations", "plans")
ROWS = {
    "today": [10**4, 10**5, 10**6],
    "near": [10**5, 10**6],
    "each": [20000, 40000],
    "files": [2000, 20000],
}


def main() -> None:
    """Run each step at each number of rows, in a process of its own."""
    parser = argparse.ArgumentParser(
        prog="python -m experiments.scale",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for way, rows in ROWS.items():
        parser.add_argument(
            f"--{way}",
            type=float,
            nargs="*",
            metavar="N",
            default=rows,
            help=f"(default: {' '.join(map(str, rows))})",
        )
    parser.add_argument("--photos", type=Path, help="a folder of photos: what one costs a core, by stage")
    parser.add_argument(
        "--where", type=Path, help="folder for 400 bytes a row; the system's for temporary files"
    )
    parser.add_argument("--results", type=Path, default=results.RESULTS, help="folder for scale.json")
    parser.add_argument("--step", help=argparse.SUPPRESS)
    parser.add_argument("--rows", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step:
        print(json.dumps(_step(arguments.step, arguments.rows, arguments.folder)))
        return
    keep = _Results(arguments.results)
    if arguments.photos:
        keep("photos", "each", _run("photos", 300, str(arguments.photos)))
    for way, steps in (
        ("today", TODAY),
        ("near", ("near",)),
        ("each", ("each",)),
        ("files", ("files",)),
    ):
        for rows in map(int, getattr(arguments, way)):
            with TemporaryDirectory(prefix="tintype-scale-", dir=arguments.where) as folder:
                for step in steps:
                    keep(step, str(rows), _run(step, rows, folder))


class _Results:
    """Writes every figure down as soon as it is there, beside those of earlier runs."""

    def __init__(self, folder: Path) -> None:
        self._folder, file = folder, folder / "scale.json"
        self._table: dict[str, Any] = json.loads(file.read_text())["table"] if file.is_file() else {}

    def __call__(self, step: str, rows: str, figures: dict[str, Any]) -> None:
        print(f"{step}, {rows} rows: {figures}", file=sys.stderr)
        command = _command(sys.argv[1:])
        self._table.setdefault(step, {})[rows] = {**figures, "command": command}
        results.write("scale", self._table, command, self._folder)


def _command(words: list[str]) -> str:
    """What was typed, without folders of this machine."""
    pairs = zip(["", *words], words, strict=False)
    shown = ["FOLDER" if before in ("--photos", "--where", "--results") else word for before, word in pairs]
    return " ".join(["python -m experiments.scale", *shown])


def _run(step: str, rows: int, folder: str) -> dict[str, Any]:
    own = [sys.executable, "-m", "experiments.scale", "--step", step, "--rows", str(rows), "--folder", folder]
    done = subprocess.run(own, capture_output=True, text=True, cwd=results.ROOT)
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1:] or [f"ended with {done.returncode}"]}
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _step(name: str, rows: int, folder: Path) -> dict[str, Any]:
    if name == "files":
        from experiments.scale.files import add

        return add(rows, folder)
    if name == "photos":
        from experiments.scale.photos import costs

        return costs(folder, rows)
    from experiments.scale import today
    from tintype.params import load_params

    work = {
        "manifest": today.manifest,
        "expectations": today.expectations,
        "plans": today.plans,
        "near": today.near,
        "each": today.each,
    }[name]
    params = load_params(results.ROOT / "params.yaml")
    start, begun, processor = _peak_mb(), time.perf_counter(), time.process_time()
    found = work(rows, folder, params)
    seconds = time.perf_counter() - begun
    return {
        "seconds": round(seconds, 2),
        "cpu_seconds": round(time.process_time() - processor, 2),
        "peak_mb": round(_peak_mb(), 1),
        "start_mb": round(start, 1),
        **found,
    }


def _peak_mb() -> float:
    return (
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
    )


if __name__ == "__main__":
    main()
