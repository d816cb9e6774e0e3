"""The stage `train` on workers, as DVC runs it: one run in MLflow, one history, one bundle."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

pytestmark = pytest.mark.timeout(3600)


def test_the_pipeline_trains_on_workers(make_project: Any, tmp_path: Path) -> None:
    project = make_project(tmp_path)
    project.environment.pop("RAY_ADDRESS", None)
    project.change(
        train={"strategy": "data_parallel", "workers": 2, "batch_size": 4, "epochs": 2, "grid_every": 2}
    )
    output = project.run("dvc", "repro", "train", limit=3000)
    assert "epoch 2/2: loss " in output  # what the first worker says is seen here
    with (project.root / "reports/train/history.csv").open() as file:
        history = list(csv.DictReader(file))
    assert [row["epoch"] for row in history] == ["1", "2"]
    assert (project.root / "reports/train/grids/epoch-0002.jpg").is_file()
    bundle = json.loads((project.root / "models/tintype/bundle.json").read_text())
    assert bundle["trained"]["epochs"] == 2
    run = json.loads((project.root / "reports/train/run.json").read_text())
    client = MlflowClient(f"sqlite:///{project.root}/.mlflow/mlflow.db")
    assert client.get_run(run["run_id"]).info.status == "FINISHED"
    logged = [point.value for point in client.get_metric_history(run["run_id"], "train/loss")]
    assert logged == pytest.approx([float(row["loss"]) for row in history])
    assert [item.path for item in client.list_artifacts(run["run_id"], "grids")] == [
        "grids/validation-0002.jpg"
    ]
