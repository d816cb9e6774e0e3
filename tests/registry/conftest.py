"""A store whose tables exist already, and a bundle of real but small files."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import mlflow
import pytest
from mlflow.store.db import utils as database

from tintype.models.backbone.spec import BackboneSpec
from tintype.models.bundle import BundleInfo, DataInfo, NetworkInfo, TrainedInfo
from tintype.registry.store import connect, find_store

ROOT = Path(__file__).parents[2]
METRICS = {
    "ours": {"psnr_db": 24.1, "delta_e2000_mean": 10.5, "colourfulness_ratio": 0.8},
    "all_gray": {"psnr_db": 23.9, "delta_e2000_mean": 12.0, "colourfulness_ratio": 0.0},
    "photos": 4,
    "slices": {"portrait": {"photos": 2, "ours": {"delta_e2000_mean": 9.0}}},
}


@pytest.fixture(scope="session", autouse=True)
def _schema_read_once() -> Iterator[None]:
    """MLflow imports all scripts of its schema's history for each store that it opens, to know the last one."""
    with pytest.MonkeyPatch.context() as patch:
        newest = functools.cache(database._get_latest_schema_revision)
        patch.setattr(database, "_get_latest_schema_revision", newest)
        yield


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A committed project with an empty store: making its tables takes seconds, so it is done once."""
    project = tmp_path_factory.mktemp("template") / "project"
    project.mkdir()
    (project / "dvc.yaml").write_text("stages: {}\n")
    (project / "dvc.lock").write_text("schema: '2.0'\n")
    git = ["git", "-C", str(project), "-c", "user.name=T", "-c", "user.email=t@example.org"]
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "add", "dvc.yaml", "dvc.lock"], check=True)
    subprocess.run([*git, "commit", "--quiet", "-m", "all"], check=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        connect(find_store(project))
    return project


@pytest.fixture
def project(empty_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder: a project with dvc.yaml, dvc.lock, git and an empty store, all its own."""
    folder = tmp_path / "a project"  # paths have spaces
    shutil.copytree(empty_store, folder)
    monkeypatch.chdir(folder)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield folder
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert not mlflow.is_tracking_uri_set(), "MLflow's global address was left set"
    assert not (folder / "mlflow.db").exists(), "something wrote to MLflow's default store"
    assert not (folder / "mlruns").exists(), "something wrote to MLflow's default artifacts"


@pytest.fixture
def make_bundle(tmp_path: Path) -> Callable[[str], Path]:
    """Makes a whole bundle whose network is the text given."""

    def make(network: str) -> Path:
        folder = tmp_path / f"bundle-{network}"
        folder.mkdir()
        contents = {"network.keras": network, "backbone.keras": "a backbone"}
        for name, content in contents.items():
            (folder / name).write_text(content)
        files = {name: hashlib.sha256(content.encode()).hexdigest() for name, content in contents.items()}
        info = BundleInfo(
            size=64,
            ab_limit=128.0,
            network=NetworkInfo(name="fusion", width=0.25, needs="embedding"),
            backbone=BackboneSpec(
                name="inception_resnet_v2",
                input_size=96,
                offset=127.5,
                scale=127.5,
                embedding_size=1000,
                origin="random",
                origin_detail="1",
                sha256=files["backbone.keras"],
                licence="Apache-2.0",
            ),
            preset="sample",
            trained=TrainedInfo(
                photos=12,
                crops=24,
                epochs=2,
                best_epoch=2,
                loss="mse",
                train_loss=0.1,
                val_loss=0.2,
                optimizer="adam",
                seed=0,
            ),
            data=DataInfo(manifest_sha256="5" * 64, mean_ab=(1.5, 8.0)),
            files=files,
        )
        (folder / "bundle.json").write_text(info.model_dump_json(indent=2))
        (folder / "README.md").write_text("# Model card\n")
        return folder

    return make


@pytest.fixture
def reports(tmp_path: Path) -> tuple[Path, Path]:
    """The folders reports/train, of a run that no store knows, and reports/evaluate."""
    train, evaluation = tmp_path / "train", tmp_path / "evaluate"
    train.mkdir()
    evaluation.mkdir()
    (train / "run.json").write_text(
        json.dumps({"run_id": "0" * 32, "tracking_uri": "", "experiment": "tests"})
    )
    (train / "history.csv").write_text("epoch,loss,val_loss\n1,0.3,0.4\n2,0.1,0.2\n")
    (evaluation / "metrics.json").write_text(json.dumps(METRICS))
    (evaluation / "grid.jpg").write_bytes(b"a grid")
    return train, evaluation


@pytest.fixture(scope="session")
def served_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where `shared_server` has its store."""
    return tmp_path_factory.mktemp("shared") / "project"


@pytest.fixture(scope="session")
def shared_server(empty_store: Path, served_project: Path) -> Iterator[str]:
    """As `server`, for all tests that use names of their own."""
    with _serving(empty_store, served_project) as address:
        yield address


@pytest.fixture
def server(shared_server: str, empty_store: Path, served_project: Path, project: Path, tmp_path: Path) -> str:
    """The address of a real MLflow server with an empty store: `make mlflow` in another project, tmp_path/server.

    A start takes seconds, so the server goes on, and what the tests before have put into its store is taken away.
    """
    store = Path(".mlflow/mlflow.db")
    with (
        closing(sqlite3.connect(empty_store / store)) as empty,
        closing(sqlite3.connect(served_project / store)) as used,
    ):
        empty.backup(used)
    artifacts = served_project / ".mlflow/artifacts"
    shutil.rmtree(artifacts, ignore_errors=True)
    artifacts.mkdir()
    (tmp_path / "server").symlink_to(served_project)
    return shared_server


@contextmanager
def _serving(empty_store: Path, home: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = home.with_name("server.log")
    shutil.copytree(empty_store, home)
    environment = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    with log.open("w") as output:
        # As a person starts it, but in this environment and for another project.
        command = ["make", "-f", str(ROOT / "Makefile"), "mlflow", f"PORT={port}", "UV=true"]
        command.append(f"RUN={sys.executable} -m")
        process = subprocess.Popen(command, cwd=home, env=environment, stdout=output, stderr=output)
    address = f"http://127.0.0.1:{port}"
    try:
        while not _is_healthy(address):
            assert process.poll() is None, log.read_text()
            time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(30)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0, "the server outlived its parent"


def _is_healthy(address: str) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/health", timeout=5):
        return True
    return False


class Way:
    """The way to a server, through which every byte goes: it can be closed, and an upload can be slow on it.

    Attributes
    ----------
    uploading : threading.Event
        Set once a file is on its way.
    delayed : int
        How many uploads were made to wait.
    """

    def __init__(self, port: int) -> None:
        self.uploading = threading.Event()
        self.delayed = 0
        self._port = port
        self._closed = self._held = False
        self._delay = 0.0
        self._ends: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        """As if the server had gone: what is connected is cut off, and who connects is hung up on."""
        self._closed = True
        for end in self._ends:
            end.close()

    def open(self) -> None:
        self._closed = False

    def hold_uploads(self) -> None:
        """Let no file through."""
        self._held = True

    def delay_first_upload(self, seconds: float) -> None:
        """Take the first file slowly."""
        self._delay = seconds

    def end(self) -> None:
        self._listener.close()
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._closed:
                client.close()
                continue
            server = socket.create_connection(("127.0.0.1", self._port))
            self._ends += [client, server]
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(source, target), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while content := source.recv(65536):
                if content.startswith(b"PUT "):
                    self.uploading.set()
                    if self._held:
                        return
                    if self._delay and not self.delayed:
                        self.delayed += 1
                        time.sleep(self._delay)
                target.sendall(content)
            target.close()
        except OSError:
            target.close()  # one end was closed, or the way


@pytest.fixture
def way(project: Path, shared_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Way]:
    """The way to `shared_server`, which is the store of this test's project."""
    way = Way(int(shared_server.rpartition(":")[2]))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", way.url)
    yield way
    way.end()
