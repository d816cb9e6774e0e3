"""Where the store is, and what is said when it does not answer."""

from __future__ import annotations

import errno
import logging
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from sqlalchemy.exc import SQLAlchemyError

from tintype.files import disk
from tintype.registry.store import RegistryError, Store, answering, connect, find_store, waiting_for_files


@pytest.fixture(autouse=True)
def _no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def _project(folder: Path) -> Path:
    (folder / ".dvc").mkdir(parents=True)
    (folder / "dvc.yaml").write_text("stages: {}\n")
    return folder.resolve()


def test_the_project_carries_its_store_and_folders_below_find_it(tmp_path: Path) -> None:
    project = _project(tmp_path / "p")
    (project / "data" / "raw").mkdir(parents=True)
    store = find_store(project / "data" / "raw")
    assert store.uri == f"sqlite:///{project}/.mlflow/mlflow.db"
    assert store.artifacts == project / ".mlflow" / "artifacts"
    assert store.portable == "sqlite:///.mlflow/mlflow.db"


@pytest.mark.parametrize("copy", ["tmpabc", "standalone/tmpabc"])
def test_an_experiment_in_a_temporary_copy_uses_the_store_of_the_original(tmp_path: Path, copy: str) -> None:
    project = _project(tmp_path / "p")
    temporary = _project(project / ".dvc" / "tmp" / "exps" / copy)
    assert find_store(temporary) == find_store(project)


def test_a_project_inside_a_repository_keeps_its_place_in_temporary_copies(tmp_path: Path) -> None:
    repository = tmp_path / "r"
    (repository / ".dvc").mkdir(parents=True)
    copy = repository / ".dvc" / "tmp" / "exps" / "tmpabc"
    (copy / ".dvc").mkdir(parents=True)
    for root in (repository, copy):
        (root / "photos").mkdir()
        (root / "photos" / "dvc.yaml").write_text("stages: {}\n")
    assert find_store(copy / "photos") == find_store(repository / "photos")


def test_the_variable_wins_and_a_server_decides_about_artifacts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://me:secret@mlflow.example:8443/ml")
    store = find_store(_project(tmp_path / "p"))
    assert (store.uri, store.artifacts) == ("https://me:secret@mlflow.example:8443/ml", None)
    assert store.shown == store.portable == "https://mlflow.example:8443/ml"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/other/m.db")
    assert find_store(tmp_path).artifacts == tmp_path / "other" / "artifacts"


def test_no_project_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match=r"Expected dvc\.yaml .* MLFLOW_TRACKING_URI"):
        find_store(tmp_path)


def test_a_server_that_is_not_there_is_a_sentence_in_bounded_time() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://me:secret@127.0.0.1:{unused.getsockname()[1]}"
        start = time.monotonic()
        with pytest.raises(
            RegistryError, match="Check MLFLOW_TRACKING_URI and that the server runs"
        ) as caught:
            connect(Store(address, None))
    assert time.monotonic() - start < 30
    assert "secret" not in str(caught.value)


def test_a_server_that_never_answers_is_a_sentence_in_bounded_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        start = time.monotonic()
        with pytest.raises(RegistryError, match="Check MLFLOW_TRACKING_URI"):
            connect(Store(f"http://127.0.0.1:{silent.getsockname()[1]}", None))
    assert time.monotonic() - start < 30


def test_a_file_that_is_no_database_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "m.db").write_text("not a database, but long enough to look like one" * 100)
    with pytest.raises(RegistryError, match=r"Expected an answer from the MLflow store .* not a database"):
        connect(Store(f"sqlite:///{tmp_path}/m.db", tmp_path / "artifacts"))


@pytest.mark.parametrize(
    ("full", "sentence"),
    [
        ("store", r"No space left on device\. The disk of .*/store is full: make room there, then"),
        (tempfile.gettempdir(), r"The disk of .* is full: make room there, or .* TMPDIR"),
    ],
)
def test_a_full_disk_is_named(
    full: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(f"sqlite:///{tmp_path}/m.db", tmp_path / "store" / "artifacts")
    monkeypatch.setattr(disk, "free_bytes", lambda folder: 0 if folder == tmp_path / full else 1)
    with pytest.raises(RegistryError, match=sentence), answering(store):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_the_line_that_says_what_is_wrong_is_taken(tmp_path: Path) -> None:
    text = (
        "(raised as a result of Query-invoked autoflush)\n(sqlite3) database or disk is full\n[SQL: INSERT]"
    )
    store = Store(f"sqlite:///{tmp_path}/m.db", tmp_path / "artifacts")
    with (
        pytest.raises(RegistryError, match=r"Received: \(sqlite3\) database or disk is full\. Make room"),
        answering(store),
    ):
        raise SQLAlchemyError(text)


def test_mlflow_does_not_print_what_is_raised_as_well(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    connect(find_store())
    logging.getLogger("mlflow.store.db.utils").exception("SQLAlchemy database error.")
    logging.getLogger("mlflow.system_metrics.system_metrics_monitor").warning(
        "Failed to log system metrics: (autoflush)\n(sqlite3) disk is full\n[SQL: INSERT]\n[parameters: [0.5]]"
    )
    said = capfd.readouterr().err
    assert said.count("\n") == 1
    assert "Failed to log system metrics: (autoflush) (sqlite3) disk is full" in said


def test_the_cheap_modules_do_not_import_mlflow() -> None:
    modules = "tintype.registry.store, tintype.registry.runs, tintype.registry.resolve"
    code = f"import sys, {modules}; sys.exit('mlflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("before", [None, "15", "40"])
def test_the_time_for_files_ends_with_the_files(before: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "MLFLOW_HTTP_REQUEST_TIMEOUT"
    monkeypatch.delenv(name, raising=False)
    if before is not None:
        monkeypatch.setenv(name, before)
    with waiting_for_files():
        assert os.environ[name] == ("40" if before == "40" else "300"), "what a person has set stays"
    assert os.environ.get(name) == before
