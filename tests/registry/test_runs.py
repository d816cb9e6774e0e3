"""Runs: what is logged, and how they end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tintype.params import Params, load_params
from tintype.registry.runs import tracked_run
from tintype.registry.store import RegistryError, connect, find_store

PARAMS = Path(__file__).parents[2] / "params.yaml"


@pytest.fixture
def params() -> Params:
    return load_params(PARAMS)


@pytest.fixture
def client(project: Path) -> Any:
    return connect(find_store())


def test_a_run_holds_all_that_it_takes_to_understand_it(
    project: Path, params: Params, client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "0.1")
    manifest = tmp_path / "manifest.parquet"
    pd.DataFrame({"path": ["a.jpg", "b.jpg"], "width": [3, 4], "mean_l": [0.5, 0.6]}).to_parquet(manifest)
    (tmp_path / "grid.jpg").write_bytes(b"a picture")
    (project / "params.yaml").write_text(PARAMS.read_text())

    with tracked_run("train", "photos", params) as run:
        for epoch in (1, 2, 3):
            run.epoch(epoch, {"loss": 1 / epoch, "val_loss": 2 / epoch})
        run.dataset(pd.read_parquet(manifest), manifest)
        run.picture("validation", 2, tmp_path / "grid.jpg")
        run.artifact(manifest, "lineage")
        run.tag({"network": "fusion"})
        assert client.get_run(run.run_id).info.status == "RUNNING"
        _wait_for_system_metrics(client, run.run_id)

    kept = client.get_run(run.run_id)
    assert kept.info.status == "FINISHED"
    commit = kept.data.tags["git_commit"]
    assert kept.info.run_name == f"{commit[:7]} {params.preset}"
    assert kept.data.tags["mlflow.note.content"] == "Not registered. Commit: all"
    assert [point.value for point in client.get_metric_history(run.run_id, "val/loss")] == [2, 1, 2 / 3]
    assert kept.data.params["train.epochs"] == str(params.train.epochs)
    assert kept.data.params["train.patience"] == "null"
    assert kept.data.params["train.flip"] == "true"
    assert kept.data.params["validate.min_side"] == str(params.validate_.min_side)
    history = client.get_metric_history(run.run_id, "train/loss")
    assert [(metric.step, metric.value) for metric in history] == [(1, 1.0), (2, 0.5), (3, 1 / 3)]
    assert kept.data.tags["network"] == "fusion"
    assert len(kept.data.tags["git_commit"]) == 40
    assert kept.data.tags["git_dirty"] == "false"
    (dataset,) = kept.inputs.dataset_inputs
    assert (dataset.dataset.name, len(dataset.dataset.digest)) == ("photos", 32)
    assert dataset.tags[0].value == "training"
    artifacts = project / ".mlflow" / "artifacts" / "photos" / run.run_id / "artifacts"
    assert (artifacts / "grids" / "validation-0002.jpg").read_bytes() == b"a picture"
    assert (artifacts / "lineage" / "manifest.parquet").is_file()
    assert (artifacts / "params.yaml").is_file()
    environment = json.loads((artifacts / "environment.json").read_text())
    assert environment["packages"]["mlflow"].startswith("3.")
    assert run.describe() == {
        "run_id": run.run_id,
        "tracking_uri": "sqlite:///.mlflow/mlflow.db",
        "experiment": "photos",
    }


def _wait_for_system_metrics(client: Any, run_id: str) -> None:
    import time

    for _ in range(100):
        if any(name.startswith("system/cpu") for name in client.get_run(run_id).data.metrics):
            return
        time.sleep(0.1)
    pytest.fail("No system metrics after 10 s.")


@pytest.mark.parametrize(("problem", "status"), [(ValueError, "FAILED"), (KeyboardInterrupt, "KILLED")])
def test_a_run_that_breaks_off_says_so(
    params: Params, client: Any, problem: type[BaseException], status: str
) -> None:
    with pytest.raises(problem), tracked_run("train", "photos", params) as run:
        raise problem("the network is gone")
    assert client.get_run(run.run_id).info.status == status


def test_a_run_that_was_cut_off_is_taken_up_again(params: Params, client: Any) -> None:
    with tracked_run("train", "photos", params) as first:
        first.epoch(1, {"loss": 1.0})
    client.update_run(first.run_id, status="RUNNING")  # as `kill -9` leaves it
    with tracked_run("train", "photos", params, resume=first.run_id) as second:
        second.epoch(2, {"loss": 0.5})
    assert second.run_id == first.run_id
    assert [metric.step for metric in client.get_metric_history(first.run_id, "train/loss")] == [1, 2]
    with tracked_run("train", "photos", params, resume=first.run_id) as third:
        pass
    assert third.run_id != first.run_id, "a finished run must not be written to again"
    with tracked_run("train", "photos", params, resume="f" * 32) as fourth:
        pass
    assert fourth.run_id != "f" * 32


def test_changed_code_is_dirty_but_the_pipelines_own_results_are_not(
    project: Path, params: Params, client: Any
) -> None:
    (project / "dvc.lock").write_text("schema: '2.0'\nstages: {}\n")
    with tracked_run("train", "photos", params) as run:
        pass
    assert client.get_run(run.run_id).data.tags["git_dirty"] == "false"
    (project / "dvc.yaml").write_text("stages: {} # changed\n")
    with tracked_run("train", "photos", params) as run:
        pass
    assert client.get_run(run.run_id).data.tags["git_dirty"] == "true"


def test_a_run_is_named_as_dvcs_experiment_and_figures_by_their_chart(
    params: Params, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DVC_EXP_NAME", "paler-cats")
    with tracked_run("train", "photos", params) as run:
        run.epoch(1, {"learning_rate": 0.1, "adv_critic_loss": 0.2, "adv_kept_step": 3})
    kept = client.get_run(run.run_id)
    assert kept.info.run_name == "paler-cats"
    figures = {name for name in kept.data.metrics if not name.startswith("system/")}
    assert figures == {"train/learning_rate", "adversarial/critic_loss", "adversarial/kept_step"}


def test_a_deleted_experiment_is_a_sentence(params: Params, client: Any) -> None:
    client.delete_experiment(client.create_experiment("photos"))
    with pytest.raises(RegistryError, match="'photos' was deleted"), tracked_run("train", "photos", params):
        pytest.fail("The block was entered.")
