"""What the pipeline costs when there is little or nothing to do: `python -m benchmarks.pipeline`.

In a project of its own: `dvc repro` with nothing changed; `lab` and `embed` from nothing, again with nothing to do, and
after one photo in a hundred has been added; and which packages the stages import that are not for nothing. What the
stages after `embed` leave is stood in for by empty files, as their size has no part in it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from benchmarks import results
from tintype.imaging.finding import find_photos

SAMPLE = results.ROOT / "data" / "sample"
HEAVY = ("bentoml", "great_expectations", "keras", "mlflow", "openvino", "pandas", "tensorflow")
STAGES = {
    "fetch": ("photos", "again/raw"),
    "validate": ("data/raw", "again/manifest", "again/validate"),
    "lab": ("data/raw", "data/manifest", "data/lab"),
    "embed": ("data/raw", "data/manifest", "models/backbone", "data/embeddings"),
}
_IMPORTED = f"""
import atexit, json, runpy, sys
name, note, *arguments = sys.argv[1:]
atexit.register(lambda: open(note, "w").write(json.dumps(sorted(set({HEAVY}) & set(sys.modules)))))
sys.argv = [name, *arguments]
runpy.run_module(name, run_name="__main__")
"""


class Project:
    """The project's code and parameters in a folder, with photos of choice."""

    def __init__(self, root: Path, photos: list[Path], added: int) -> None:
        self.root = root
        for name in (
            "dvc.yaml",
            "params.yaml",
            ".dvcignore",
            ".dvc/config",
            "data/.gitignore",
            "models/.gitignore",
        ):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(results.ROOT / name, root / name)
        shutil.copytree(results.ROOT / "src", root / "src", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(results.ROOT / "data" / "legacy", root / "data" / "legacy")
        (root / "photos").mkdir()
        self._coming = photos[:added]
        for number, photo in enumerate(photos[added:]):
            shutil.copy(photo, root / "photos" / f"{number:06}{photo.suffix}")
        self._set(fetch={"source": "directory", "directory": "photos"}, validate={"max_rejected_share": 1.0})

    def _set(self, **blocks: dict[str, Any]) -> None:
        yaml, path = YAML(), self.root / "params.yaml"
        params = yaml.load(path)
        for block, values in blocks.items():
            params[block].update(values)
        yaml.dump(params, path)

    def add(self) -> None:
        """The photos that come later."""
        for number, photo in enumerate(self._coming):
            shutil.copy(photo, self.root / "photos" / f"added-{number:06}{photo.suffix}")

    def run(self, *command: str) -> dict[str, float]:
        """Run a command: its wall-clock and CPU seconds."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        environment = os.environ | {
            "PYTHONPATH": "src",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }

        def work() -> None:
            done = subprocess.run(command, cwd=self.root, env=environment, capture_output=True, text=True)
            if done.returncode:
                sys.exit(
                    f"error: {' '.join(command)} ended with {done.returncode}: {done.stdout}{done.stderr}"
                )
            self.output = done.stdout

        wall = results.seconds_of(work)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return {"wall_s": wall, "cpu_s": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime}

    def stage(self, name: str) -> dict[str, float]:
        """Run a stage as dvc.yaml does."""
        return self.run(sys.executable, "-m", f"tintype.stages.{name}", *STAGES[name])

    def imported(self, name: str) -> list[str]:
        """Heavy packages that a stage has imported when it ends."""
        note = self.root / "imported.json"
        self.run(sys.executable, "-c", _IMPORTED, f"tintype.stages.{name}", str(note), *STAGES[name])
        return list(json.loads(note.read_text()))

    def finish(self) -> None:
        """Let DVC take what is there, and empty files for what the last stages would leave, for the result."""
        for stage in YAML(typ="safe").load(self.root / "dvc.yaml")["stages"].values():
            for entry in [out for kind in ("outs", "metrics", "plots") for out in stage.get(kind, [])]:
                path = self.root / (next(iter(entry)) if isinstance(entry, dict) else entry)
                if not path.exists():
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.touch()
        self.run("dvc", "commit", "--force", "--quiet")


def main() -> None:
    """Measure, and write benchmarks/results/pipeline.json."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=SAMPLE, help="of photos; the sample's by default")
    parser.add_argument(
        "--photos", type=int, default=808, help="at most so many, by name, those added included"
    )
    parser.add_argument("--rounds", type=int, default=3, help="of what is done with nothing to do")
    parser.add_argument("--results", type=Path, default=results.RESULTS, help="folder of the result")
    arguments = parser.parse_args()
    table = measured(find_photos(arguments.folder)[: arguments.photos], arguments.rounds)
    print(results.show(table))
    print(results.write("pipeline", table, results.command_line("benchmarks.pipeline"), arguments.results))


def measured(photos: list[Path], rounds: int) -> dict[str, Any]:
    """Seconds, of which `cpu_s` are those of all cores, and packages; one photo in 101, or one, is added later."""
    added = max(1, len(photos) // 101)
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder), photos, added)
        project.run("git", "init", "--quiet")
        project.run("dvc", "repro", "--quiet", "validate", "weights")
        whole = {name: project.stage(name) for name in ("lab", "embed")}
        idle = {name: [project.stage(name) for _ in range(rounds)] for name in whole}
        imported = {name: project.imported(name) for name in STAGES}
        project.finish()
        nothing = [project.run("dvc", "repro") for _ in range(rounds)]
        if "Data and pipelines are up to date." not in project.output:
            sys.exit(f"error: expected `dvc repro` to find nothing to do. Received: {project.output}")
        project.add()
        project.run("dvc", "repro", "--quiet", "validate")
        grown = {name: project.stage(name) | {"said": project.output.strip()} for name in whole}
    return {
        "photos": len(photos) - added,
        "added": added,
        "dvc_repro_with_nothing_to_do": _spreads(nothing),
        "imported": imported,
        **{
            name: {
                "all": whole[name],
                "nothing_to_do": _spreads(idle[name]),
                "one_in_a_hundred_added": grown[name],
                "added_over_all": _beyond_start(grown[name], idle[name])
                / _beyond_start(whole[name], idle[name]),
            }
            for name in whole
        },
    }


def _spreads(runs: list[dict[str, float]]) -> dict[str, Any]:
    return {key: results.spread([run[key] for run in runs]) for key in ("wall_s", "cpu_s")}


def _beyond_start(run: dict[str, Any], idle: list[dict[str, float]]) -> float:
    """CPU seconds beyond those of a run with nothing to do."""
    return float(run["cpu_s"]) - min(other["cpu_s"] for other in idle)


if __name__ == "__main__":
    main()
