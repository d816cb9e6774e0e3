"""`tintype watch` as it runs: real registries, real Bentos, processes that are killed."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from tintype.cli import app, deployer
from tintype.params import RegisterParams
from tintype.registry import history
from tintype.registry.deploy import DeploymentState, champion_state
from tintype.registry.register import register
from tintype.registry.store import connect, find_store

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.timeout(600)  # a server starts in between

PARAMS = RegisterParams(experiment="tests", model_name="tintype")


@dataclass
class Desk:
    """Where watches run: the project's source, a store of Bentos and a registry of their own."""

    folder: Path
    registry: str
    started: list[subprocess.Popen[str]] = field(default_factory=list)

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
            self.started.append(
                subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log, text=True)
            )
        return self.started[-1]

    def output(self) -> str:
        return (self.folder / "log").read_text()

    def deployed(self) -> list[str]:
        file = self.folder / "deployed"
        return file.read_text().split() if file.exists() else []

    def wait(
        self, is_there: Callable[[], object], process: subprocess.Popen[str], seconds: float = 240
    ) -> None:
        end = time.monotonic() + seconds
        while not is_there():
            assert process.poll() is None, self.output()
            assert time.monotonic() < end, self.output()
            time.sleep(0.05)


@pytest.fixture
def desk(project: Path, tmp_path: Path) -> Iterator[Desk]:
    folder = tmp_path / "desk"
    folder.mkdir()
    desk = Desk(folder, find_store().uri)
    yield desk
    for process in desk.started:
        process.kill()
        process.wait()


def is_building(process: int) -> bool:
    """Whether a process has `bentoml build` below it."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return any(b"build" in Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0") for child in children)


def test_each_promotion_is_packed_and_deployed_once_though_a_watch_is_killed_and_two_follow(
    server: str,
    monkeypatch: pytest.MonkeyPatch,
    desk: Desk,
    make_bundle: Callable[[str], Path],
    reports: tuple[Path, Path],
) -> None:
    desk.registry = server
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    for network in ("one", "two"):
        register(make_bundle(network), *reports, PARAMS, "sample")
    client = connect(find_store())

    def tags(version: str) -> dict[str, str]:
        return dict(client.get_model_version("tintype", version).tags)

    first = desk.start()
    desk.wait(lambda: is_building(first.pid), first)
    first.kill()
    first.wait()
    assert "packaged" not in tags("1")
    both = [desk.start("--every", "0.5") for _ in range(2)]
    desk.wait(lambda: "deployed_at" in tags("1"), both[0])
    client.set_registered_model_alias("tintype", "champion", "2")
    desk.wait(lambda: "deployed_at" in tags("2"), both[0])
    for watch in both:
        watch.send_signal(signal.SIGTERM)
    assert [watch.wait(30) for watch in both] == [0, 0], desk.output()
    assert history.read(client, "tintype")[-1].by == "MLflow, seen by tintype watch"
    assert desk.deployed() == [tags("1")["packaged"], tags("2")["packaged"]]
    for version in ("1", "2"):
        known = tags(version)
        assert desk.output().count(f"Deployed tintype:v{version}-cpu-") == 1
        bento = desk.folder / "bentoml/bentos" / known["packaged"].replace(":", "/") / "bento.yaml"
        labels = YAML(typ="safe").load(bento)["labels"]
        assert labels["model_version"] == f"tintype/{version}"
        assert labels["bundle_sha256"] == known["bundle_sha256"]
        assert labels["dvc_lock_sha256"] == known["dvc_lock_sha256"]
        assert labels["model_git_commit"] == known["git_commit"]
    assert CliRunner().invoke(app, ["watch", "--once"]).exit_code == 0, "there is nothing left to do"
    monkeypatch.delenv("MLFLOW_TRACKING_URI")


def test_a_registry_that_is_down_is_reported_once_and_waited_for(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")  # as many tries in less time
    looks = 0

    def look(name: str, seen_by: str) -> DeploymentState | None:
        nonlocal looks
        looks += 1
        if looks == 3:
            assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
            signal.raise_signal(signal.SIGTERM)
        return champion_state(name, seen_by)

    monkeypatch.setattr(deployer, "champion_state", look)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv(
            "MLFLOW_TRACKING_URI", f"http://127.0.0.1:{taken.getsockname()[1]}"
        )  # nobody listens
        done = CliRunner().invoke(app, ["watch", "--every", "0.1"])
        assert (done.exit_code, looks) == (0, 3)
        assert done.stderr.count("error: Expected an answer from the MLflow store at http://127.0.0.1") == 1
        once = CliRunner().invoke(app, ["watch", "--once"])
        assert once.exit_code == 1
        assert "error: Expected an answer from the MLflow store at http://127.0.0.1" in once.stderr


def test_what_cannot_be_meant_is_reported_at_the_start(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(desk.folder))
    done = CliRunner().invoke(app, ["watch", "--deploy", "no-such-program-here"])
    assert done.exit_code == 2
    assert "Expected a program that can be run after --deploy." in done.stderr
