"""A store that goes away and comes back: the training goes on, nothing is lost, and nobody waits for ever."""

from __future__ import annotations

import csv
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from tintype.files.atomic import write_json
from tintype.params import Params, RegisterParams, load_params
from tintype.registry import runs
from tintype.registry.backfill import complete_run
from tintype.registry.register import register
from tintype.registry.runs import tracked_run
from tintype.registry.store import RegistryError, StoreAwayError, connect, find_store

pytestmark = pytest.mark.timeout(600)  # a server starts in between

PARAMS = Path(__file__).parents[2] / "params.yaml"
EPOCHS = range(1, 40)


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


def write_history(report: Path) -> None:
    with (report / "history.csv").open("w") as file:
        writer = csv.writer(file)
        writer.writerow(["epoch", "loss", "val_loss"])
        writer.writerows([epoch, 1 / epoch, 2 / epoch] for epoch in EPOCHS)


@pytest.mark.usefixtures("impatient")
def test_a_training_outlives_its_server_and_register_fills_the_run(
    way: Any,
    params: Params,
    make_bundle: Callable[[str], Path],
    reports: tuple[Path, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = RegisterParams(model_name="away", experiment="away")  # the server is one for all tests
    train, bundle = reports[0], make_bundle("first")
    (train / "grids").mkdir()
    picture = train / "grids/epoch-0039.jpg"
    picture.write_bytes(b"a picture")
    with tracked_run("train", "away", params) as run:
        run.epoch(1, {"loss": 1.0, "val_loss": 2.0})
        way.close()
        begun = time.monotonic()
        for epoch in EPOCHS[1:]:
            run.epoch(epoch, {"loss": 1 / epoch, "val_loss": 2 / epoch})
        run.picture("validation", 39, picture)
        run.epoch(200, {"adv_loss": 0.25})  # of no epoch: not in history.csv
        assert time.monotonic() - begun < 20, "the training waits for the server once, not at each epoch"
        write_history(train)
        write_json(train / "run.json", run.describe())
    errors = capsys.readouterr().err
    assert errors.count("warning: Expected an answer from the MLflow store") == 1
    assert f"What the store was not told of run {run.run_id} is filled in" in errors
    with pytest.raises(StoreAwayError, match="Check MLFLOW_TRACKING_URI and that the server runs"):
        register(bundle, *reports, names, "sample")

    way.open()
    made = [register(bundle, *reports, names, "sample") for _ in range(2)]

    assert [(one.version, one.run_id) for one in made] == [(1, run.run_id)] * 2
    client = connect(find_store())
    assert client.get_run(run.run_id).info.status == "FINISHED"
    for name, top in (("train/loss", 1), ("val/loss", 2)):
        points = client.get_metric_history(run.run_id, name)
        assert [(point.step, point.value) for point in points] == [(epoch, top / epoch) for epoch in EPOCHS]
    (adversarial,) = client.get_metric_history(run.run_id, "adversarial/loss")
    assert (adversarial.step, adversarial.value) == (200, 0.25)
    fetched = client.download_artifacts(run.run_id, "grids/validation-0039.jpg", str(tmp_path))
    assert Path(fetched).read_bytes() == b"a picture"


@pytest.mark.usefixtures("impatient")
def test_points_that_waited_go_along_when_the_server_is_back_during_the_run(
    way: Any, params: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "_AGAIN_SECONDS", 0.0)
    with tracked_run("train", "photos", params) as run:
        way.close()
        run.epoch(1, {"loss": 1.0})
        way.open()
        run.epoch(2, {"loss": 0.5})
        history = connect(find_store()).get_metric_history(run.run_id, "train/loss")
        assert [point.step for point in history] == [1, 2]
        assert "unsent" not in run.describe()


@pytest.mark.usefixtures("impatient")
def test_a_server_that_is_back_at_the_end_of_the_run_hears_it_all(way: Any, params: Params) -> None:
    with tracked_run("train", "photos", params) as run:
        way.close()
        run.epoch(1, {"loss": 1.0})
        way.open()
    client = connect(find_store())
    assert client.get_run(run.run_id).info.status == "FINISHED"
    assert len(client.get_metric_history(run.run_id, "train/loss")) == 1


@pytest.mark.usefixtures("impatient")
def test_a_server_that_is_away_before_a_run_is_reported_before_any_work(way: Any, params: Params) -> None:
    way.close()
    with (
        pytest.raises(RegistryError, match="Check MLFLOW_TRACKING_URI"),
        tracked_run("train", "photos", params),
    ):
        pytest.fail("The block was entered.")


class _Busy(BaseHTTPRequestHandler):
    """Asks whoever comes to try again in an hour."""

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(429)
        self.send_header("Retry-After", "3600")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.timeout(60)
@pytest.mark.usefixtures("impatient", "project")
def test_a_server_that_wants_an_hour_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Busy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{server.server_port}")
        begun = time.monotonic()
        with pytest.raises(StoreAwayError, match="too many 429 error responses"):
            connect(find_store())
        assert time.monotonic() - begun < 30
        server.shutdown()


def test_a_run_that_is_deleted_during_the_training_is_named(project: Path, params: Params) -> None:
    client = connect(find_store())
    with tracked_run("train", "photos", params) as run:
        client.delete_run(run.run_id)
        with pytest.raises(RegistryError, match=r"It was deleted in MLflow's pages\. Restore it there"):
            run.epoch(1, {"loss": 1.0})
        client.restore_run(run.run_id)


@pytest.fixture
def short_wait() -> Iterator[None]:
    """SQLite gives up on a lock after half a second; MLflow tells it to wait for 20 s."""

    def shortened(
        _: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool
    ) -> tuple[str, Any]:
        return statement.replace("busy_timeout = 20000", "busy_timeout = 500"), parameters

    event.listen(Engine, "before_cursor_execute", shortened, retval=True)
    yield
    event.remove(Engine, "before_cursor_execute", shortened)


@pytest.mark.usefixtures("short_wait")
def test_a_database_that_another_program_holds_is_named(
    project: Path, params: Params, capsys: pytest.CaptureFixture[str]
) -> None:
    with tracked_run("train", "photos", params) as run:
        with closing(sqlite3.connect(project / ".mlflow/mlflow.db")) as other:
            other.execute("BEGIN EXCLUSIVE")
            run.epoch(1, {"loss": 1.0})
        assert "Another program is writing to the database" in capsys.readouterr().err


def test_a_run_that_is_filled_twice_has_each_point_once(
    project: Path, params: Params, reports: tuple[Path, Path]
) -> None:
    client = connect(find_store())
    with tracked_run("train", "photos", params) as run:
        run.epoch(1, {"loss": 0.3})
    write_json(reports[0] / "run.json", run.describe() | {"unsent": [["loss", 0.1, 1_700_000_000_000, 2]]})
    for _ in range(2):
        complete_run(client, run.run_id, reports[0])
    points = sorted(client.get_metric_history(run.run_id, "train/loss"), key=lambda point: point.step)
    assert [(point.step, point.value) for point in points] == [(1, 0.3), (2, 0.1)]
    assert points[1].timestamp == 1_700_000_000_000
    assert len(client.get_metric_history(run.run_id, "val/loss")) == 2


def test_what_the_store_does_not_want_is_an_error_and_not_kept(project: Path, params: Params) -> None:
    with tracked_run("train", "photos", params) as run:
        with pytest.raises(RegistryError) as caught:
            run.epoch(1, {"a name with ? in it": 1.0})
        assert not isinstance(caught.value, StoreAwayError)
        assert "unsent" not in run.describe()


def test_a_run_that_was_deleted_meanwhile_has_a_substitute_with_its_curves(
    project: Path, params: Params, make_bundle: Callable[[str], Path], reports: tuple[Path, Path]
) -> None:
    client = connect(find_store())
    with tracked_run("train", "photos", params) as run:
        pass
    write_json(reports[0] / "run.json", run.describe())
    client.delete_run(run.run_id)
    names = RegisterParams(model_name="tintype", experiment="photos")
    made = register(make_bundle("first"), *reports, names, "sample")
    assert made.run_id != run.run_id
    substitute = client.get_run(made.run_id)
    assert (substitute.info.status, substitute.data.tags["trained_in_run"]) == ("FINISHED", run.run_id)
    assert [point.value for point in client.get_metric_history(made.run_id, "val/loss")] == [0.4, 0.2]
