"""A store that goes away, comes back, or takes its time: nothing is lost, and nobody waits for ever."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from tintype.params import Params, load_params
from tintype.registry import spool
from tintype.registry.store import RegistryError, StoreAwayError, connect, find_store
from tintype.registry.tracking import tracked_run

pytestmark = pytest.mark.timeout(600)  # a server starts in between

PARAMS = Path(__file__).parents[2] / "params.yaml"


@pytest.fixture
def params() -> Params:
    return load_params(PARAMS)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two quick tries a call: the first may find a connection that was kept and is dead."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
    monkeypatch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "600")


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "grid.jpg"
    path.write_bytes(b"a picture")
    return path


@pytest.mark.usefixtures("impatient")
def test_a_run_outlives_its_server_and_tells_it_all_afterwards(
    way: Any, params: Params, picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with tracked_run("train", "photos", params) as run:
        run.epoch(1, {"loss": 0.5, "val_loss": 0.6})
        way.close()
        begun = time.monotonic()
        for epoch in range(2, 40):
            run.epoch(epoch, {"loss": 1 / epoch, "val_loss": 2 / epoch})
        run.picture("validation", 39, picture)
        run.tag({"network": "fusion"})
        assert time.monotonic() - begun < 20, "the training waits for the server once, not at each epoch"
    said = capsys.readouterr().err
    assert f"does not answer. What it was not told of run {run.run_id} (41 entries) is kept in" in said
    with pytest.raises(StoreAwayError):
        spool.send_unsent()

    way.open()
    assert spool.send_unsent() == 1

    client = connect(find_store())
    kept = client.get_run(run.run_id)
    assert (kept.info.status, kept.data.tags["network"]) == ("FINISHED", "fusion")
    history = client.get_metric_history(run.run_id, "loss")
    assert [(point.step, point.value) for point in history] == [(1, 0.5), *((n, 1 / n) for n in range(2, 40))]
    fetched = client.download_artifacts(run.run_id, "grids/validation-0039.jpg", str(tmp_path))
    assert Path(fetched).read_bytes() == b"a picture"
    assert not spool.folder_of(find_store()).joinpath(run.run_id).exists()
    assert spool.send_unsent() == 0


@pytest.mark.usefixtures("impatient")
def test_what_was_kept_goes_first_when_the_server_is_back_during_the_run(
    way: Any, params: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "_AGAIN_SECONDS", 0.0)
    with tracked_run("train", "photos", params) as run:
        way.close()
        run.epoch(1, {"loss": 1.0})
        way.open()
        run.epoch(2, {"loss": 0.5})
        history = connect(find_store()).get_metric_history(run.run_id, "loss")
        assert [point.step for point in history] == [1, 2]


@pytest.mark.usefixtures("impatient")
def test_a_server_that_is_away_before_a_run_is_told_before_any_work(way: Any, params: Params) -> None:
    way.close()
    with (
        pytest.raises(RegistryError, match="Check MLFLOW_TRACKING_URI"),
        tracked_run("train", "photos", params),
    ):
        pytest.fail("The block was entered.")
    assert not spool.folder_of(find_store()).exists()


@pytest.mark.usefixtures("impatient")
def test_the_next_run_tells_what_the_last_one_could_not(way: Any, params: Params) -> None:
    with tracked_run("train", "photos", params) as first:
        way.close()
        first.epoch(1, {"loss": 1.0})
    way.open()
    with tracked_run("train", "photos", params):
        assert connect(find_store()).get_run(first.run_id).info.status == "FINISHED"


def test_sending_twice_what_a_kill_left_half_sent_does_no_harm(
    project: Path, params: Params, picture: Path, tmp_path: Path
) -> None:
    store = find_store()
    client = connect(store)
    with tracked_run("train", "photos", params) as run:
        pass
    kept = spool.Spool(client, store, run.run_id)
    for what, file in (
        ({"metrics": [["loss", 0.5, 1_700_000_000_000, 1]]}, None),
        ({"artifact": "grids"}, picture),
        ({"tags": {"network": "fusion"}}, None),
        ({"ended": ["FINISHED", 1_700_000_001_000]}, None),
    ):
        kept._keep(what, file)
    copy = shutil.copytree(kept.folder, tmp_path / "copy")
    (kept.folder / "entry-000009").mkdir()  # killed while it was written
    assert spool.send_unsent() == 1
    shutil.copytree(copy, kept.folder)
    assert spool.send_unsent() == 1
    assert len(client.get_metric_history(run.run_id, "loss")) == 1
    assert client.get_run(run.run_id).info.end_time == 1_700_000_001_000


def test_what_the_store_does_not_want_is_an_error_and_not_kept(project: Path, params: Params) -> None:
    with tracked_run("train", "photos", params) as run:
        with pytest.raises(RegistryError) as caught:
            run.epoch(1, {"a name with ? in it": 1.0})
        assert not isinstance(caught.value, StoreAwayError)
    assert not spool.folder_of(find_store()).exists()


def test_a_run_that_was_deleted_meanwhile_is_a_sentence_with_a_way_out(project: Path, params: Params) -> None:
    store = find_store()
    client = connect(store)
    with tracked_run("train", "photos", params) as run:
        pass
    kept = spool.Spool(client, store, run.run_id)
    kept._keep({"metrics": [["loss", 0.5, 1, 1]]}, None)
    client.delete_run(run.run_id)
    with pytest.raises(RegistryError, match=f"To forget that, delete {kept.folder}"):
        spool.send_unsent()
