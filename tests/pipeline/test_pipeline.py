"""The whole pipeline, as a user runs it: real DVC, real MLflow store, real photos, a small network.

The tests run in the order in which they stand: the last ones change the project.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from tintype.cli import app
from tintype.files.digest import sha256_of

pytestmark = pytest.mark.timeout(600)


def test_every_stage_leaves_what_it_promises(project: Any) -> None:
    for name in (
        "data/raw/source.json",
        "data/manifest/manifest.parquet",
        "data/manifest/rejected.csv",
        "reports/validate/docs/index.html",
        "reports/validate/verdict.json",
        "reports/check/docs/index.html",
        "reports/check/verdict.json",
        "models/backbone/backbone.json",
        "models/backbone/backbone.keras",
        "models/backbone/backbone.xml",
        "models/backbone/backbone.bin",
        "models/backbone/openvino.json",
        "models/tintype/bundle.json",
        "models/tintype/README.md",
        "reports/train/history.csv",
        "reports/train/grids/epoch-0002.jpg",
        "reports/evaluate/grid.jpg",
        "reports/evaluate/custom.jpg",
        "reports/evaluate/custom/black-canyon.jpg",
    ):
        assert (project.root / name).is_file(), name
    assert re.search(
        r"^weights: small\.keras, with an IR for OpenVINO, at most .* of the largest score from Keras\.$",
        project.log,
        re.M,
    )


def test_a_second_repro_does_nothing(project: Any) -> None:
    begun = time.monotonic()
    output = project.run("dvc", "repro")
    assert "Data and pipelines are up to date." in output
    assert "Running stage" not in output
    assert time.monotonic() - begun < 60  # a hang; the figure that people wait for is in the README


def test_a_clone_pulls_what_was_made_and_has_nothing_to_do(project: Any, tmp_path: Path) -> None:
    original = type(project)(Path(shutil.copytree(project.root, tmp_path / "original", symlinks=True)))
    original.run("dvc", "remote", "add", "--default", "store", str(tmp_path / "remote"))
    original.run("git", "add", "--all")
    original.run("git", "-c", "user.name=T", "-c", "user.email=t@example.org", "commit", "-qm", "Made")
    original.run("dvc", "push", "--quiet")
    original.run("git", "clone", "-q", ".", str(tmp_path / "clone"))
    clone = type(project)(tmp_path / "clone")
    clone.run("dvc", "pull", "--quiet")
    assert (clone.root / "models/tintype/bundle.json").is_file()
    output = clone.run("dvc", "repro")
    assert "Data and pipelines are up to date." in output
    assert "Running stage" not in output


def test_the_metrics_stand_beside_the_baselines(project: Any) -> None:
    metrics = json.loads((project.root / "reports/evaluate/metrics.json").read_text())
    assert set(metrics) >= {"ours", "all_gray", "mean_ab", "slices", "photos"}
    assert metrics["all_gray"]["colourfulness"] == 0
    assert metrics["ours"]["psnr_db"] > 5
    shown = project.run("dvc", "metrics", "show", "--md")
    assert "ciede2000" in shown
    assert len(shown.splitlines()[0].split("|")) <= 11, "the file and at most eight figures"


def test_the_history_has_a_row_for_each_epoch(project: Any) -> None:
    with (project.root / "reports/train/history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert all(float(row["val_loss"]) > 0 for row in rows)


def test_dvc_draws_the_plots(project: Any) -> None:
    project.run("dvc", "plots", "show", "--out", "plots")
    page = (project.root / "plots/index.html").read_text()
    assert "Loss by epoch" in page
    assert "grid.jpg" in page


def test_what_was_trained_challenges_the_starter_and_knows_its_lineage(project: Any) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{project.root}/.mlflow/mlflow.db")
    champion = client.get_model_version_by_alias("tintype", "champion")
    assert (int(champion.version), champion.tags["origin"]) == (1, "starter")
    version = client.get_model_version("tintype", "2")
    commit = project.run("git", "rev-parse", "HEAD").strip()
    assert version.tags["git_commit"] == commit
    assert version.tags["preset"] == "test"
    assert version.tags["weights_origin"] == "small: file"
    # Three photos are too few to compare by, but not too few to see that a network has learnt nothing.
    assert version.tags["verdict"] in ("fail", "not compared")
    assert ("challenger" in version.aliases) == (version.tags["verdict"] != "fail")
    assert version.tags["compared_with"] == "1"
    assert version.description.startswith(
        f"**Verdict: {version.tags['verdict']}** against champion version 1"
    )
    kept = {item.path for item in client.list_artifacts(version.run_id, "comparison")}
    assert "comparison/picture.jpg" in kept
    run = client.get_run(json.loads((project.root / "reports/train/run.json").read_text())["run_id"])
    assert run.info.status == "FINISHED"
    assert run.data.params["train.epochs"] == "2"
    assert [metric.step for metric in client.get_metric_history(run.info.run_id, "val/loss")] == [1, 2]
    assert run.inputs.dataset_inputs
    assert run.info.run_name == f"{commit[:7]} test"
    assert run.data.tags["mlflow.note.content"] == version.description


def test_mlflow_serves_the_registered_model_from_bytes_to_bytes(project: Any, cat: np.ndarray) -> None:
    import io

    import mlflow

    from tintype.registry.resolve import resolve
    from tintype.registry.store import find_store

    bundle = resolve("models:/tintype/2", find_store(project.root))
    stream = io.BytesIO()
    Image.fromarray(cat).save(stream, "JPEG")
    model = mlflow.pyfunc.load_model(str(bundle.parents[1]))
    answer = model.predict(pd.DataFrame({"photo": [stream.getvalue()]}))
    with Image.open(io.BytesIO(answer["png"].iloc[0])) as coloured:
        assert coloured.format == "PNG"
        assert coloured.size == (cat.shape[1], cat.shape[0])


def test_where_no_model_is_named_the_champion_colours(project: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    project.run("tintype", "colorize", "photos/cat.png", "-o", "by-champion")
    assert "version     1 of tintype, now champion" in printed(project, monkeypatch, "by-champion/cat.png")


def printed(project: Any, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    """What `tintype trace` says, in this process, which knows MLflow already."""
    monkeypatch.chdir(project.root)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    result = CliRunner().invoke(app, ["trace", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_what_was_trained_colours_photos_from_the_command_line(project: Any) -> None:
    output = project.run(
        "tintype",
        "colorize",
        "own",
        "photos/cat.png",
        "--model",
        "models:/tintype/2",
        "-o",
        "coloured",
    )
    assert "2 of 2" in output
    with (
        Image.open(project.root / "coloured/black-canyon.jpg") as coloured,
        Image.open(project.root / "own/black-canyon.jpg") as original,
    ):
        assert coloured.size == original.size


def test_a_coloured_photo_is_traced_to_the_photos_that_its_model_was_made_with(
    project: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trace() -> Any:
        return json.loads(printed(project, monkeypatch, "coloured/cat.png", "--json", "--photos"))

    traced = trace()
    assert traced["problems"] == []
    lineage = traced["registry"]["lineage"]
    assert (lineage["name"], lineage["version"]) == ("tintype", "2")
    run = json.loads((project.root / "reports/train/run.json").read_text())["run_id"]
    commit = project.run("git", "rev-parse", "HEAD").strip()
    assert (lineage["run_id"], traced["registry"]["run_name"]) == (run, f"{commit[:7]} test")
    assert (lineage["git_commit"], traced["commit_subject"]) == (commit, "A project")
    assert traced["dvc_lock"] == {"kept": True, "commit": "", "in_workspace": True, "differing": []}
    manifest = project.root / "data/manifest/manifest.parquet"
    assert traced["manifest"] == {"file": str(manifest), "in_cache": False, "in_lock": True}
    assert sha256_of(manifest) == lineage["manifest_sha256"]
    assert (
        sum(traced["photos"].values())
        == len(traced["training_photos"])
        == len(pd.read_parquet(manifest))
        == 10
    )
    for photo in traced["training_photos"]:
        assert sha256_of(project.root / "data/raw/photos" / photo["path"]) == photo["sha256"]

    # Committed as people do it, after the pipeline; and the manifest of a later state lies in the project.
    project.run("git", "add", "dvc.lock")
    project.run(
        "git", "-c", "user.name=T", "-c", "user.email=t@example.org", "commit", "-qm", "Trained", "dvc.lock"
    )
    manifest.rename(manifest.with_suffix(".kept"))
    manifest.write_bytes(b"another manifest")
    later = trace()
    manifest.with_suffix(".kept").replace(manifest)
    assert later["dvc_lock"]["commit"] == project.run("git", "rev-parse", "HEAD").strip() != commit
    assert later["manifest"]["in_cache"]
    assert later["manifest"]["in_lock"]
    assert later["training_photos"] == traced["training_photos"]
    assert later["problems"] == []
    shown = printed(project, monkeypatch, "coloured/cat.png")
    assert "agrees, but for the stage register" in shown
    assert "10 photos: " in shown


def test_evaluation_and_command_line_colour_alike(project: Any) -> None:
    assert (project.root / "coloured/black-canyon.jpg").is_file()
    ours = np.asarray(Image.open(project.root / "coloured/black-canyon.jpg"), int)
    evaluated = np.asarray(Image.open(project.root / "reports/evaluate/custom/black-canyon.jpg"), int)
    assert np.abs(ours - evaluated).mean() < 2


def test_a_mistyped_parameter_stops_the_pipeline_before_any_work(project: Any) -> None:
    params = project.root / "params.yaml"
    content = params.read_text()
    params.write_text(content.replace("  epochs: 2", "  epoch: 2\n  epochs: 3"))
    output = project.run("dvc", "repro", status=255)
    params.write_text(content)
    assert "there is no parameter train.epoch (value 2). Did you mean 'epochs'?" in output
    assert "Traceback" not in output
    # What the last training left is still there.
    for name in ("models/tintype/bundle.json", "reports/train/run.json", "reports/train/history.csv"):
        assert (project.root / name).is_file(), name


@pytest.mark.slow
def test_what_was_trained_before_comes_out_of_the_cache(project: Any) -> None:
    """Back at known parameters nothing is computed again but what is said to persist; the registry hears of it."""
    bundle, reports = project.root / "models/tintype", project.root / "reports"
    files = [bundle / "bundle.json", reports / "train/history.csv", reports / "evaluate/metrics.json"]
    before = [file.read_bytes() for file in files]
    version = json.loads((reports / "register.json").read_text())["version"]
    project.change(train={"epochs": 1})
    project.run("dvc", "repro")
    assert all(file.read_bytes() != old for file, old in zip(files, before, strict=True))
    assert json.loads((reports / "register.json").read_text())["version"] != version

    project.change(train={"epochs": 2})
    output = project.run("dvc", "repro")
    for stage in ("params", "train", "evaluate"):
        assert f"Stage '{stage}' is cached - skipping run" in output
    assert re.findall("Running stage '(.*)'", output) == ["register"]
    assert [file.read_bytes() for file in files] == before
    registered = json.loads((reports / "register.json").read_text())
    assert registered["version"] == version
    assert ("challenger" in registered["aliases"]) == (registered["verdict"] != "fail")


STAGES = {
    "lab": ("data/raw", "data/manifest"),
    "embed": ("data/raw", "data/manifest", "models/backbone"),
}
CROPS = 60


def shards(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("stage", list(STAGES))
def test_a_killed_run_goes_on_where_it_was(stage: str, fresh_project: Any) -> None:
    # Enough work that the first shards are there long before the last.
    fresh_project.change(crops={"per_photo": CROPS}, lab={"size": 256, "workers": 1})
    command = ("python", "-m", f"tintype.stages.{stage}", *STAGES[stage])
    killed = fresh_project.start(*command, "killed")
    while not list(
        (fresh_project.root / "killed").rglob("[!.]*.json")
    ):  # not one that is still being written
        assert killed.poll() is None, "the stage ended before it could be killed"
        time.sleep(0.02)
    os.killpg(killed.pid, signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    left = shards(fresh_project.root / "killed")
    fresh_project.environment["PYTHONPATH"] = "src"
    output = fresh_project.run(*command, "killed")
    assert f"{stage}: 0 photos computed" not in output
    assert ", 0 kept" not in output
    fresh_project.run(*command, "whole")
    whole = shards(fresh_project.root / "whole")
    assert len(left) < len(whole)
    assert shards(fresh_project.root / "killed") == whole


def test_a_stage_that_runs_again_keeps_its_tensors(project: Any) -> None:
    """DVC leaves them to the stage, which compares."""
    output = project.run("dvc", "repro", "--single-item", "--force", "lab", "embed")
    assert "lab: 0 photos computed, 10 kept" in output
    assert "embed: 0 photos computed, 10 kept" in output


@pytest.mark.slow
def test_added_photos_are_the_only_ones_computed(project: Any) -> None:
    project.add_photos("leaves", "peaks")
    output = project.run("dvc", "repro", "lab", "embed")
    assert "Running stage 'validate'" in output
    assert "lab: 2 photos computed, 10 kept" in output
    assert "embed: 2 photos computed, 10 kept" in output
