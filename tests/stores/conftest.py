"""The stores that teams run: PostgreSQL, an object store that speaks S3, and MLflow's server on both.

Real programs, started for the tests and stopped after them; `make test-stores` installs what they take, and PostgreSQL
comes from the system (on Debian `apt-get install postgresql`).
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DATABASE, PASSWORD = "mlflow", "a password"
READY_SECONDS = 180


def _neighbour(area: str) -> ModuleType:
    """The fixtures of another folder of tests."""
    spec = importlib.util.spec_from_file_location(f"{area}_fixtures", ROOT / f"tests/{area}/conftest.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_registry, _pipeline = _neighbour("registry"), _neighbour("pipeline")
make_bundle, reports, empty_store = _registry.make_bundle, _registry.reports, _registry.empty_store


@pytest.fixture
def fresh_project(tmp_path: Path) -> Any:
    """A project in which nothing has run."""
    root = tmp_path / "project"
    root.mkdir()
    return _pipeline.make_project(root)


@dataclass(frozen=True)
class S3:
    """An object store.

    Attributes
    ----------
    url : str
        Where it answers.
    environment : dict of str to str
        What programs need to use it: the names that Amazon's own tools have.
    """

    url: str
    environment: dict[str, str]

    def keys(self, bucket: str) -> list[str]:
        """The names of all objects in a bucket."""
        pages = self.client().get_paginator("list_objects_v2").paginate(Bucket=bucket)  # of 1,000 names
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def client(self):  # type: ignore[no-untyped-def]
        import boto3

        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
        )


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a database in a PostgreSQL server of one's own, with a password."""
    home = Path(tempfile.mkdtemp(prefix="tintype-postgres-"))
    # PostgreSQL refuses to run as root, whose place its own user takes.
    user = "postgres" if os.getuid() == 0 else None
    if user:
        account = pwd.getpwnam(user)
        os.chown(home, account.pw_uid, account.pw_gid)
    (home / "password").write_text(PASSWORD)
    (home / "password").chmod(0o644)
    data, port = home / "data", free_port()
    subprocess.run(
        [
            *(program("initdb"), "-D", data, "-U", DATABASE, "--encoding", "UTF8"),
            *("--auth", "scram-sha-256", "--pwfile", home / "password", "--no-sync"),
        ],
        check=True,
        user=user,
        cwd=home,
        stdout=subprocess.DEVNULL,
    )
    options = ["-p", str(port), "-k", home, "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [program("postgres"), "-D", data, *options], user=user, cwd=home, stdout=log, stderr=log
        )
    try:
        asked = [program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
        wait_for(process, lambda: subprocess.run(asked).returncode == 0, home / "log")
        subprocess.run(
            [program("createdb"), "-h", "127.0.0.1", "-p", str(port), "-U", DATABASE, DATABASE],
            env=os.environ | {"PGPASSWORD": PASSWORD},
            check=True,
        )
        yield f"postgresql+psycopg2://{DATABASE}:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{port}/{DATABASE}"
    finally:
        stop(process, signal.SIGINT)  # SIGTERM would wait for every client to leave
        shutil.rmtree(home)


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    """An object store with the buckets `mlflow` and `dvc`."""
    port, log = free_port(), tmp_path_factory.mktemp("s3") / "log"
    url = f"http://127.0.0.1:{port}"
    environment = {
        "AWS_ACCESS_KEY_ID": "archive",
        "AWS_SECRET_ACCESS_KEY": "a secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "MLFLOW_S3_ENDPOINT_URL": url,
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            stdout=output,
            stderr=output,
        )
    try:
        wait_for(process, lambda: _accepts(port), log)
        store = S3(url, environment)
        for bucket in ("mlflow", "dvc"):
            store.client().create_bucket(Bucket=bucket)
        yield store
    finally:
        stop(process)


@pytest.fixture(scope="session")
def server(postgres: str, s3: S3, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of MLflow's server on both."""
    with mlflow_server(postgres, s3, tmp_path_factory.mktemp("mlflow"), free_port()) as url:
        yield url


@contextmanager
def mlflow_server(postgres: str, s3: S3, folder: Path, port: int) -> Iterator[str]:
    """An MLflow server on both, started as docs/stores.md says."""
    log, url = folder / "log", f"http://127.0.0.1:{port}"
    command = [
        *(sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)),
        *("--backend-store-uri", postgres, "--artifacts-destination", "s3://mlflow/artifacts"),
        *("--workers", "1"),
    ]
    lean = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, env=os.environ | s3.environment | lean, stdout=output, stderr=output, cwd=folder
        )
    try:
        wait_for(process, lambda: _answers(f"{url}/health"), log)
        yield url
    finally:
        stop(process)


Startable = Callable[[], AbstractContextManager[str]]


@pytest.fixture
def startable(postgres: str, s3: S3, tmp_path: Path) -> Startable:
    """Starts an MLflow server on both, always at the same address."""
    folder, port = tmp_path / "startable", free_port()
    folder.mkdir()
    return lambda: mlflow_server(postgres, s3, folder, port)


@pytest.fixture
def on_the_server(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A person whose commands go to the server: its address, and nothing of S3 or PostgreSQL."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    return server


def program(name: str) -> str:
    """A program of PostgreSQL, which Debian keeps beside PATH."""
    found = shutil.which(name) or max(
        map(str, Path("/usr/lib/postgresql").glob(f"*/bin/{name}")), default=None
    )
    assert found, "Expected PostgreSQL: apt-get install postgresql"
    return found


def wait_for(process: subprocess.Popen[bytes], ready: Callable[[], bool], log: Path) -> None:
    end = time.monotonic() + READY_SECONDS
    while not ready():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.2)


def stop(process: subprocess.Popen[bytes], how: int = signal.SIGTERM) -> None:
    process.send_signal(how)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except OSError:
        return False
    return True
