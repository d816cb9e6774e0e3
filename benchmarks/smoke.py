"""Run every benchmark on next to nothing: `python -m benchmarks.smoke`.

It shows that they run and that their results have the fields that are read later. No time is held to anything.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import results

# Of each benchmark: arguments that make it small, and dotted fields of its table.
BENCHMARKS = {
    "features": (
        "--photos 4 --recipe-photos 2 --rounds 1 --backbones efficientnet_lite0",
        (
            "efficientnet_lite0.photos_per_s.stages.median",
            "efficientnet_lite0.stages_over_backbone_alone.median",
            "efficientnet_lite0.stages_over_recipe.median",
        ),
    ),
    "pipeline": (
        "--photos 6 --rounds 1",
        ("dvc_repro_with_nothing_to_do.wall_s.median", "imported.lab", "embed.added_over_all"),
    ),
    "serving": (
        "--quick --megapixels 1",
        ("start_seconds.command.median", "photo_seconds.efficientnet_lite0.median"),
    ),
}
ALWAYS = ("command", "commit", "machine.cpu", "machine.cores", "machine.packages.numpy")


def main() -> None:
    """Run those named, or all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", choices=[[], *BENCHMARKS], default=[])
    with tempfile.TemporaryDirectory() as folder:
        for name in parser.parse_args().names or BENCHMARKS:
            problems = try_out(name, Path(folder))
            if problems:
                sys.exit(f"error: benchmarks.{name}: {problems}")
            print(f"benchmarks.{name} runs")


def try_out(name: str, folder: Path) -> str:
    """Run a benchmark; what is wrong with it or its result, else nothing."""
    arguments, fields = BENCHMARKS[name]
    command = [sys.executable, "-m", f"benchmarks.{name}", *arguments.split(), "--results", str(folder)]
    done = subprocess.run(command, cwd=results.ROOT, capture_output=True, text=True)
    if done.returncode:
        return f"ended with {done.returncode}: {done.stderr}"
    content = json.loads((folder / f"{name}.json").read_text())
    expected = [*ALWAYS, *(f"table.{field}" for field in fields)]
    missing = [field for field in expected if not _has(content, field)]
    return f"no {', '.join(missing)} in its result" if missing else ""


def _has(content: object, field: str) -> bool:
    for name in field.split("."):
        if not isinstance(content, dict) or name not in content:
            return False
        content = content[name]
    return True


if __name__ == "__main__":
    main()
