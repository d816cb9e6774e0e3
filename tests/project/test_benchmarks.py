"""Benchmarks and experiments run. No time is held to anything here; `make bench-smoke` runs more of them."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
from pathlib import Path

import pytest

from tintype.imaging.finding import find_photos

ROOT = Path(__file__).parents[2]
APART = {"benchmarks.ddcolor"}  # runs in an environment of its own
MODULES = sorted(
    name
    for folder in ("benchmarks", "experiments")
    for path in (ROOT / folder).rglob("*.py")
    if not (name := ".".join(path.relative_to(ROOT).with_suffix("").parts)).endswith("__init__")
)


@pytest.mark.parametrize("module", sorted(set(MODULES) - APART))
def test_what_they_import_is_there(module: str) -> None:
    importlib.import_module(module)


def test_a_small_run_says_what_is_read_later(backbone_folder: Path, sample: Path, tmp_path: Path) -> None:
    from benchmarks import features, results

    arguments = argparse.Namespace(precision="auto", crops=2, recipe_photos=0, rounds=2)
    table = features.measured(backbone_folder, find_photos(sample)[:2], arguments)
    path = results.write("features", {"lite": table}, "python -m benchmarks.features", tmp_path)
    written = json.loads(path.read_text())
    assert written["machine"]["cores"] > 0
    assert written["table"]["lite"] == table
    assert table["photos_per_s"].keys() == {"stages", "backbone_alone", "lab", "embed"}
    assert len(table["stages_over_backbone_alone"]["values"]) == 2
    assert "| photos_per_s.lab |" in results.show(table)


def test_the_study_makes_its_page_of_the_results_in_git() -> None:
    from experiments.study.recipes import RECIPES
    from experiments.study.report import page
    from experiments.study.results import read_results

    made = page(read_results([recipe.name for recipe in RECIPES]), resamples=5)
    assert "| `default` |" in made
    assert "$" not in made
    assert "nan" not in made


def test_the_peak_of_a_grandchild_is_seen(tmp_path: Path) -> None:
    from experiments.memory.peak import peak_of

    hold = "import time; held = bytearray(b'1') * 120_000_000; time.sleep(0.4)"
    (tmp_path / "start.py").write_text(
        f"import subprocess, sys; subprocess.run([sys.executable, '-c', {hold!r}])"
    )
    peak = peak_of(f"{sys.executable} start.py", tmp_path, os.environ)
    assert peak.all_mb > peak.own_mb > 120
