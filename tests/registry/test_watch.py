"""`tintype watch` as it runs: real registries, real Bentos, processes that are killed."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tintype.params import RegisterParams
from tintype.registry import history
from tintype.registry.register import register
from tintype.registry.store import connect, find_store

ROOT = Path(__file__).resolve().parents[2]
PARAMS = RegisterParams(experiment="tests", model_name="tintype")


@dataclass
class Desk:
    """Where watches run: the project's source, a store of Bentos and a registry of their own."""

    folder: Path
    registry: str

    def start(self, *options: str, **environment: str) -> subprocess.Popen[str]:
        script = self.folder / "deploy.py"
        script.write_text(
            f"import sys; open({str(self.folder / 'deployed')!r}, 'a').write(sys.argv[1] + '\\n')"
        )
        deploy = shlex.join([sys.executable, str(script), "{bento}"])
        command = [str(Path(sys.executable).with_name("tintype")), "watch", "--deploy", deploy, *options]
        environment = {
            **os.environ,
            **environment,
            "BENTOML_HOME": str(self.folder / "bentoml"),
            "MLFLOW_TRACKING_URI": self.registry,
            "XDG_STATE_HOME": str(self.folder / "state"),
        }
        with (self.folder / "log").open("a") as log:
            return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log, text=True)

    def output(self) -> str:
        return (self.folder / "log").read_text()

    def deployed(self) -> list[str]:
        file = self.folder / "deployed"
        return file.read_text().split() if file.exists() else []

    def wait(
        self, is_there: Callable[[], object], process: subprocess.Popen[str], seconds: float = 120
    ) -> None:
        end = time.monotonic() + seconds
        while not is_there():
            assert process.poll() is None, self.output()
            assert time.monotonic() < end, self.output()
            time.sleep(0.05)


@pytest.fixture
def desk(project: Path, tmp_path: Path) -> Desk:
    folder = tmp_path / "desk"
    folder.mkdir()
    return Desk(folder, find_store().uri)


def is_building(process: int) -> bool:
    """Whether a process has `bentoml build` below it."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return any(b"build" in Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0") for child in children)


def test_one_promotion_is_packed_and_deployed_once_though_a_watch_is_killed_and_two_follow(
    desk: Desk, make_bundle: Callable[[str], Path], reports: tuple[Path, Path]
) -> None:
    register(make_bundle("one"), *reports, PARAMS, "sample")
    first = desk.start("--once")
    desk.wait(lambda: is_building(first.pid), first)
    first.kill()
    first.wait()
    client = connect(find_store())
    assert "packaged" not in client.get_model_version("tintype", "1").tags
    both = [desk.start("--once"), desk.start("--once")]
    assert [one.wait(180) for one in both] == [0, 0], desk.output()
    tags = client.get_model_version("tintype", "1").tags
    assert desk.deployed() == [tags["packaged"]]
    assert desk.output().count("Deployed tintype:v1-cpu-") == 1
    bento = desk.folder / "bentoml/bentos" / tags["packaged"].replace(":", "/") / "bento.yaml"
    labels = YAML(typ="safe").load(bento)["labels"]
    assert labels["model_version"] == "tintype/1"
    assert labels["bundle_sha256"] == tags["bundle_sha256"]
    assert labels["dvc_lock_sha256"] == tags["dvc_lock_sha256"]
    assert labels["model_git_commit"] == tags["git_commit"]


def test_an_alias_that_is_moved_on_a_server_is_followed_until_the_watch_is_told_to_stop(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    desk: Desk,
    make_bundle: Callable[[str], Path],
    reports: tuple[Path, Path],
) -> None:
    desk.registry = request.getfixturevalue("server")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", desk.registry)
    for network in ("one", "two"):
        register(make_bundle(network), *reports, PARAMS, "sample")
    client = connect(find_store())
    watch = desk.start("--every", "0.5")
    desk.wait(lambda: len(desk.deployed()) == 1, watch)
    client.set_registered_model_alias("tintype", "champion", "2")
    desk.wait(lambda: len(desk.deployed()) == 2, watch)
    assert desk.deployed()[1].startswith("tintype:v2-cpu-")
    desk.wait(lambda: "deployed_at" in client.get_model_version("tintype", "2").tags, watch)
    watch.send_signal(signal.SIGTERM)
    assert watch.wait(30) == 0, desk.output()
    assert history.read(client, "tintype")[-1].by == "MLflow, seen by tintype watch"
    monkeypatch.delenv("MLFLOW_TRACKING_URI")


def test_a_registry_that_is_down_is_reported_once_and_waited_for(desk: Desk) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        desk.registry = f"http://127.0.0.1:{taken.getsockname()[1]}"  # nobody listens
        at_once = {"MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "0"}  # as many looks in less time
        watch = desk.start("--every", "0.1", **at_once)
        desk.wait(lambda: "error: " in desk.output(), watch)
        time.sleep(2)
        assert watch.poll() is None
        watch.send_signal(signal.SIGTERM)
        assert watch.wait(60) == 0
        assert desk.output().count("error: Expected an answer from the MLflow store at http://127.0.0.1") == 1
        assert "Traceback" not in desk.output()
        once = desk.start("--once", **at_once)
        assert once.wait(60) == 1


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--deploy", "no-such-program-here"), "Expected a program that can be run after --deploy."),
    ],
)
def test_what_cannot_be_meant_is_reported_at_the_start(
    desk: Desk, options: tuple[str, ...], sentence: str
) -> None:
    assert desk.start(*options).wait(60) == 2
    assert sentence in desk.output()
