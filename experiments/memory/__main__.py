"""Peak of memory of every stage at two numbers of photos, which must be the same but for a tenth.

Photos are made of crops of the sample's, in a temporary folder; each stage runs as dvc.yaml has it. Memory does
not depend on what else the machine does; the seconds do.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import results

from experiments.memory.peak import CommandError, peak_of
from experiments.memory.project import CHANGES, STAGES, command_of, environment, project_of

MOST = 1.10  # of the smaller number's


def main() -> None:
    """Run the stages at each number of photos and compare."""
    parser = argparse.ArgumentParser(prog="python -m experiments.memory", description=__doc__)
    parser.add_argument(
        "--photos",
        type=int,
        nargs=2,
        default=[2000, 20000],
        metavar=("FEW", "MANY"),
        help="(default: 2000 20000)",
    )
    parser.add_argument("--until", choices=STAGES, default=STAGES[-1], help="the last stage to run")
    parser.add_argument("--where", type=Path, help="folder for the photos, 20 kB for each of them")
    parser.add_argument("--results", type=Path, default=results.RESULTS, help="folder for memory.json")
    arguments = parser.parse_args()
    stages = STAGES[: STAGES.index(arguments.until) + 1]
    try:
        few, many = (_peaks(photos, stages, arguments.where) for photos in arguments.photos)
    except CommandError as failure:
        sys.exit(f"error: a stage failed.\n{failure}")
    table = {stage: _compared(few[stage], many[stage]) for stage in stages}
    path = results.write(
        "memory",
        {"photos": arguments.photos, "parameters": CHANGES, "stages": table},
        f"python -m experiments.memory --photos {' '.join(map(str, arguments.photos))}",
        arguments.results,
    )
    print(_markdown(table, arguments.photos))
    print(f"Written to {path.name}.")
    grown = [stage for stage, row in table.items() if row["ratio"] > MOST]
    if grown:
        sys.exit(f"error: the memory of {', '.join(grown)} grows with the number of photos.")


def _peaks(photos: int, stages: tuple[str, ...], where: Path | None) -> dict[str, dict[str, float]]:
    peaks = {}
    with project_of(photos, where) as root:
        for stage in stages:
            peak = peak_of(command_of(stage), root, environment())
            peaks[stage] = {name: round(value, 1) for name, value in asdict(peak).items()}
            print(f"{photos} photos, {stage}: {peaks[stage]}", file=sys.stderr)
    return peaks


def _compared(few: dict[str, float], many: dict[str, float]) -> dict[str, Any]:
    ratios = {
        "ratio": round(many["all_mb"] / few["all_mb"], 3),
        "own_ratio": round(many["own_mb"] / few["own_mb"], 3),
        "largest_ratio": round(many["largest_mb"] / few["largest_mb"], 3),
    }
    return {"few": few, "many": many, **ratios}


def _markdown(table: dict[str, Any], photos: list[int]) -> str:
    lines = [
        f"| stage | MB at {photos[0]:,} photos | at {photos[1]:,} | ratio | largest process | s at {photos[1]:,} |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| `{stage}` | {row['few']['all_mb']:.0f} | {row['many']['all_mb']:.0f} | {row['ratio']:.2f} "
        f"| {row['largest_ratio']:.2f} | {row['many']['seconds']:.0f} |"
        for stage, row in table.items()
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
