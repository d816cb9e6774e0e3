"""A promotion is packed and deployed once, whatever happens in between."""

from __future__ import annotations

import json
import shlex
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from mlflow import MlflowClient

from tintype.cli.deploy_command import DeployError, deploy_command
from tintype.cli.deployer import Deployer, lock_for
from tintype.errors import TintypeError
from tintype.files.lock import locked
from tintype.registry.store import NoAnswerError, connect, find_store


@dataclass
class Bench:
    """A registry of two versions, and a deployer whose every step is seen."""

    client: MlflowClient
    deployer: Deployer
    packed: list[str] = field(default_factory=list)
    deployed: Path = Path()

    def promote(self, version: int) -> None:
        self.client.set_registered_model_alias("tintype", "champion", str(version))

    def tags(self, version: int) -> dict[str, str]:
        return dict(self.client.get_model_version("tintype", str(version)).tags)

    def deployments(self) -> list[str]:
        return self.deployed.read_text().split() if self.deployed.exists() else []


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], str]:
    """A deploy command of a few lines of Python."""

    def command(code: str) -> str:
        script = tmp_path / f"deploy-{time.monotonic_ns()}.py"
        script.write_text(code)
        return shlex.join([sys.executable, str(script), "{version}"])

    return command


@pytest.fixture
def bench(
    project: Path,
    write: Callable[[str], str],
    tmp_path: Path,
) -> Bench:
    client = connect(find_store())
    client.create_registered_model("tintype")
    for _ in range(2):
        client.create_model_version("tintype", tmp_path.as_uri())
    client.set_registered_model_alias("tintype", "champion", "1")
    packed: list[str] = []

    def pack(address: str) -> str:
        packed.append(address)
        return f"tintype:v{address.rpartition('/')[2]}-cpu-0"

    deployed = tmp_path / "deployed"
    code = f"import sys; open({str(deployed)!r}, 'a').write(sys.argv[1] + '\\n')"
    deployer = Deployer(
        "tintype",
        "a test",
        pack,
        deploy_command(write(code), 20, tmp_path / "deploy.log"),
        lock_for(tmp_path / "state", find_store().uri, "tintype"),
        0.0,
        lambda: False,
    )
    return Bench(client, deployer, packed, deployed)


def test_each_promotion_is_packed_and_deployed_once(bench: Bench) -> None:
    assert bench.deployer.look_once(False)
    assert bench.deployer.look_once(False)
    assert (bench.packed, bench.deployments()) == (["models:/tintype/1"], ["1"])
    assert bench.tags(1)["packaged"] == "tintype:v1-cpu-0"
    assert bench.tags(1)["deployed_at"].endswith("Z")
    bench.promote(2)
    assert bench.deployer.look_once(False)
    bench.promote(1)  # back: a deployment of its own, though version 1 has had one
    assert bench.deployer.look_once(False)
    assert bench.deployer.look_once(False)
    assert bench.deployments() == ["1", "2", "1"]


def test_moves_are_taken_down_in_the_history(bench: Bench) -> None:
    bench.deployer.look_once(False)
    bench.promote(2)
    bench.deployer.look_once(False)
    bench.deployer.look_once(False)
    tags = bench.client.get_registered_model("tintype").tags
    events = [json.loads(tags[key]) for key in sorted(tags) if key.startswith("champion_at.")]
    assert [(event["version"], event["by"]) for event in events] == [
        ("1", "MLflow, seen by a test"),
        ("2", "MLflow, seen by a test"),
    ]


def test_without_a_champion_nothing_is_done(bench: Bench) -> None:
    bench.client.delete_registered_model_alias("tintype", "champion")
    assert bench.deployer.look_once(False)
    assert bench.packed == []


def test_a_failed_deployment_is_reported_and_waits_for_a_person(
    bench: Bench, write: Callable[[str], str], tmp_path: Path
) -> None:
    code = "import sys; print('no such cluster'); sys.exit(3)"
    failing = replace(bench.deployer, deploy=deploy_command(write(code), 20, tmp_path / "failed.log"))
    assert not failing.look_once(False)
    error = bench.tags(1)["deploy_error"]
    assert (
        "Expected the deploy command to end with status 0. Received: 3. Its last line: no such cluster"
        in error
    )
    assert "deployed_at" not in bench.tags(1)
    assert not bench.deployer.look_once(False), "it is still not deployed"
    assert bench.deployments() == []
    assert bench.deployer.look_once(True)
    assert bench.deployments() == ["1"]
    assert "deploy_error" not in bench.tags(1)


def test_another_promotion_tries_again(bench: Bench, write: Callable[[str], str], tmp_path: Path) -> None:
    failing = replace(
        bench.deployer, deploy=deploy_command(write("raise SystemExit(1)"), 20, tmp_path / "log")
    )
    assert not failing.look_once(False)
    bench.promote(2)
    assert bench.deployer.look_once(False)
    bench.promote(1)
    assert bench.deployer.look_once(False)
    assert bench.deployments() == ["2", "1"]


def test_a_version_that_cannot_be_packed_is_reported_and_not_deployed(bench: Bench) -> None:
    def pack(address: str) -> str:
        raise TintypeError("Its files were exchanged.")

    assert not replace(bench.deployer, pack=pack).look_once(False)
    assert bench.tags(1)["deploy_error"].endswith("It could not be packed: Its files were exchanged.")
    assert bench.deployments() == []


def test_a_registry_that_goes_away_leaves_no_failure_behind(bench: Bench) -> None:
    def pack(address: str) -> str:
        raise NoAnswerError("Expected an answer.")

    with pytest.raises(NoAnswerError):
        replace(bench.deployer, pack=pack).look_once(False)
    assert bench.deployer.look_once(False)
    assert bench.deployments() == ["1"]


def test_a_version_that_lost_its_place_while_it_was_packed_is_not_deployed(bench: Bench) -> None:
    def pack(address: str) -> str:
        bench.promote(2)
        return "tintype:v1-cpu-0"

    assert replace(bench.deployer, pack=pack).look_once(False)
    assert bench.deployments() == []
    assert bench.deployer.look_once(False)
    assert bench.deployments() == ["2"]


def test_what_was_only_packed_is_deployed_once_there_is_a_command(bench: Bench) -> None:
    assert replace(bench.deployer, deploy=None).look_once(False)
    assert replace(bench.deployer, deploy=None).look_once(False)
    assert bench.packed == ["models:/tintype/1"]
    assert bench.deployer.look_once(False)
    assert bench.deployments() == ["1"]


def test_while_another_watch_is_at_work_this_one_leaves_it_alone(bench: Bench) -> None:
    with locked(bench.deployer.lock, 0):
        assert bench.deployer.look_once(False)
    assert bench.packed == []
    assert bench.deployer.look_once(False)
    assert bench.deployments() == ["1"]


def test_what_was_cut_off_by_a_stop_is_no_failure(bench: Bench) -> None:
    def pack(address: str) -> str:
        raise TintypeError("BentoML could not build the Bento.")

    assert not replace(bench.deployer, pack=pack, stopped=lambda: True).look_once(False)
    assert "deploy_error" not in bench.tags(1)
    assert bench.deployer.look_once(False)


def test_a_command_that_takes_too_long_is_stopped_with_all_that_it_started(
    write: Callable[[str], str], tmp_path: Path
) -> None:
    code = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
open({str(tmp_path / "child")!r}, "w").write(str(child.pid))
print("waiting", flush=True)
time.sleep(60)
"""
    command = deploy_command(write(code), 1, tmp_path / "log")
    start = time.monotonic()
    with pytest.raises(DeployError, match=r"to end within 1 s\. It was stopped\. Its last line: waiting"):
        command.run("tintype:v1-cpu-0", "1")
    assert time.monotonic() - start < 10
    child = Path("/proc", (tmp_path / "child").read_text(), "stat")
    end = time.monotonic() + 5
    while child.exists() and child.read_text().split()[2] != "Z":
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_command_gets_words_and_variables_and_no_shell(write: Callable[[str], str], tmp_path: Path) -> None:
    code = (
        "import json, os, sys; names = ('TINTYPE_BENTO', 'TINTYPE_VERSION'); "
        f"json.dump([sys.argv[1:], *map(os.environ.get, names)], open({str(tmp_path / 'said')!r}, 'w'))"
    )
    text = write(code) + " image/{bento} '$HOME; rm {{.x}}'"
    deploy_command(text, 20, tmp_path / "log").run("tintype:v1-cpu-0", "1")
    words, *variables = json.loads((tmp_path / "said").read_text())
    assert words == ["1", "image/tintype:v1-cpu-0", "$HOME; rm {{.x}}"]
    assert variables == ["tintype:v1-cpu-0", "1"]


@pytest.mark.parametrize("text", ["", "'open", "no-such-program-anywhere {bento}"])
def test_a_command_that_cannot_be_meant_is_reported_at_the_start(text: str, tmp_path: Path) -> None:
    with pytest.raises(DeployError, match="Expected a"):
        deploy_command(text, 1, tmp_path / "log")
