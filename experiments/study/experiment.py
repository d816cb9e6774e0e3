"""One recipe and seed: train, judge, keep."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experiments.study.faulty import train_faulty
from experiments.study.recipes import DEFAULT, PRESET, PROJECT, Recipe
from experiments.study.record import counting, is_recorded, keep
from experiments.study.workshop import WORK, StudyError, Workshop, git
from tintype.files.digest import sha256_of
from tintype.registry.runs import TrackedRun
from tintype.registry.store import connect, find_store

BUNDLES = WORK / "bundles"
MANIFEST = "data/manifest/manifest.parquet"
JUDGED = Path(".study/judged")


def run_one(workshop: Workshop, recipe: Recipe, seed: int, changes: tuple[str, ...] = ()) -> str:
    """Run a recipe with a seed, if its result is not there already."""
    start = time.monotonic()
    params = counting(workshop.compose([*recipe.overrides(seed), *changes]))
    manifest = sha256_of(workshop.folder / MANIFEST)
    if is_recorded(recipe.name, seed, params, manifest):
        return "is there"
    record: dict[str, Any] = {"recipe": recipe.name, "seed": seed}
    history: Path | None = None
    if recipe.kind in ("decoding", "baseline"):
        bundle = bundle_of(DEFAULT, seed or 1)
        if not bundle.is_dir():
            raise StudyError(
                f"Expected the trained default in {bundle}, to decode it as {recipe.name}. "
                f"Delete reports/study/{DEFAULT} to train it again."
            )
        workshop.run("-m", "dvc", "repro", "--quiet", "check")  # the recipe's tensors
    else:
        bundle, report, more = _train(workshop, recipe)
        record |= more
        history = report / "history.csv"
        bundle = _kept(bundle, bundle_of(recipe.name, seed))
        run = json.loads((report / "run.json").read_text(encoding="utf-8"))
        record["mlflow_run"] = run["run_id"]
        _name_run(run, recipe.name, seed)
    judged = workshop.folder / JUDGED
    shutil.rmtree(judged, ignore_errors=True)
    workshop.run("-m", "experiments.study.judge", str(bundle), str(JUDGED), "--as", recipe.name)
    if recipe.kind == "experiment":
        record["dvc_experiment"] = _save(workshop, judged, f"{PRESET}-{recipe.name}-{seed}")
    record |= {
        "commit": git(workshop.folder, "rev-parse", "HEAD"),
        "decoding": json.loads((judged / "decoding.json").read_text(encoding="utf-8")),
        "bundle_bytes": sum(file.stat().st_size for file in bundle.iterdir()),
        "manifest_sha256": manifest,
        "params": params,
    }
    keep(recipe.name, seed, judged, record, history)
    _keep_grid(judged, recipe.name, seed)
    return f"{time.monotonic() - start:.0f} s"


def bundle_of(recipe: str, seed: int) -> Path:
    """Where a trained bundle is kept, outside of git."""
    return BUNDLES / recipe / str(seed)


def _train(workshop: Workshop, recipe: Recipe) -> tuple[Path, Path, dict[str, Any]]:
    """Bundle, report and what is to be recorded."""
    folder = workshop.folder
    if recipe.kind == "faulty":
        return train_faulty(workshop)
    memory = workshop.run("-m", "dvc", "repro", "--quiet", "train")
    return folder / "models/tintype", folder / "reports/train", {"peak_memory_bytes": memory}


def _kept(bundle: Path, destination: Path) -> Path:
    shutil.rmtree(destination, ignore_errors=True)
    shutil.copytree(bundle, destination)
    return destination


def _save(workshop: Workshop, judged: Path, name: str) -> str:
    """The workshop as it is, its metrics with it, as a DVC experiment that the project knows too."""
    shutil.copyfile(judged / "metrics.json", workshop.folder / "reports/evaluate/metrics.json")
    workshop.run("-m", "dvc", "exp", "save", "--quiet", "--force", "--name", name, "train")
    git(PROJECT, "fetch", "--quiet", str(workshop.folder), "+refs/exps/*:refs/exps/*", "^refs/exps/exec/*")
    return name


def _name_run(run: Mapping[str, str], recipe: str, seed: int) -> None:
    store = find_store(PROJECT)
    tracked = TrackedRun(connect(store), store, run["run_id"], run["experiment"])
    tracked.tag({"recipe": recipe, "seed": str(seed), "mlflow.runName": f"{recipe} {seed}"})


def _keep_grid(judged: Path, recipe: str, seed: int) -> None:
    """Beside the bundles: test photos may not be published, and stay out of git."""
    grid = WORK / "grids" / f"{recipe}-{seed}.jpg"
    grid.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(judged / "grid.jpg", grid)
