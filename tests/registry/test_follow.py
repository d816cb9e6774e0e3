"""`tintype serve --follow`: a service that goes where the alias goes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tintype.cli.following import begin_following
from tintype.errors import TintypeError
from tintype.params import RegisterParams
from tintype.registry.register import register
from tintype.registry.resolve import exact_address, resolve
from tintype.registry.store import connect, find_store
from tintype.serving.model.served_version_file import (
    ServedVersion,
    ServedVersionError,
    read_served_version,
    write_served_version,
)

PARAMS = RegisterParams(experiment="tests", model_name="tintype")
ALIAS = "models:/tintype@champion"
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Service:
    """`tintype serve --follow` as a process."""

    def __init__(self, folder: Path, registry: str, *options: str, port: int | None = None) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port or 0))
            self.port = probe.getsockname()[1]
        command = [str(Path(sys.executable).with_name("tintype")), "serve", "--port", str(self.port)]
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("KERAS", "TINTYPE"))
        }
        environment |= {
            "BENTOML_HOME": str(folder / "bentoml"),
            "MLFLOW_TRACKING_URI": registry,
            "XDG_STATE_HOME": str(folder / "state"),
        }
        self.log = folder / "log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [*command, "--follow", ALIAS, "--every", "0.5", *options],
                cwd=folder,
                env=environment,
                stdout=log,
                stderr=log,
            )

    def wait(self, is_there: Callable[[dict[str, Any]], bool], seconds: float = 120) -> dict[str, Any]:
        end = time.monotonic() + seconds
        while True:
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < end, self.log.read_text()
            try:
                with OPENER.open(f"http://127.0.0.1:{self.port}/model_info", timeout=10) as answer:
                    facts: dict[str, Any] = json.load(answer)
                if is_there(facts):
                    return facts
            except (OSError, urllib.error.URLError):
                pass  # it is not there yet
            time.sleep(0.1)

    def stop(self) -> None:
        """As a cluster stops it."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)

    def followers(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [
            int(child)
            for child in children
            if b"tintype.cli.following" in Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
        ]


@pytest.fixture
def service(
    project: Path, bundle: Path, pyramid_bundle: Path, reports: tuple[Path, Path], tmp_path: Path
) -> Iterator[Service]:
    """Follows the champion of two versions, the first of them."""
    for one in (bundle, pyramid_bundle):
        register(one, *reports, PARAMS, "sample")
    folder = tmp_path / "service"
    folder.mkdir()
    running = Service(folder, find_store().uri)
    yield running
    running.stop()


def test_the_service_goes_where_the_alias_goes_and_stays_where_it_cannot(service: Service) -> None:
    client = connect(find_store())
    facts = service.wait(lambda facts: facts["version"] == "1")
    assert facts["following"] == {
        "alias": ALIAS,
        "wanted": facts["following"]["served"],
        "served": facts["following"]["served"],
        "error": "",
    }
    client.set_registered_model_alias("tintype", "champion", "2")
    service.wait(lambda facts: facts["version"] == "2")
    # The files of version 1 are exchanged in the registry: it is told, and version 2 goes on.
    (resolve("models:/tintype/1") / "network.keras").write_bytes(b"another")
    client.set_registered_model_alias("tintype", "champion", "1")
    facts = service.wait(lambda facts: facts["following"]["error"] != "")
    assert facts["version"] == "2"
    assert "network.keras with SHA-256" in facts["following"]["error"]
    client.set_registered_model_alias("tintype", "champion", "2")
    service.wait(lambda facts: facts["version"] == "2" and facts["following"]["error"] == "")
    [follower] = service.followers()
    service.process.send_signal(signal.SIGTERM)
    assert service.process.wait(60) == 0
    end = time.monotonic() + 10
    while Path(f"/proc/{follower}").exists():
        assert time.monotonic() < end, "the follower outlived its service"
        time.sleep(0.1)


def test_an_alias_becomes_an_exact_address(project: Path, tmp_path: Path) -> None:
    client = connect(find_store())
    client.create_registered_model("tintype")
    client.create_model_version("tintype", tmp_path.as_uri())
    client.set_registered_model_alias("tintype", "champion", "1")
    assert exact_address(ALIAS) == "models:/tintype/1"


@pytest.mark.parametrize("address", ["models:/tintype/3", "starter", "tintype@champion"])
def test_what_never_moves_cannot_be_followed(address: str) -> None:
    with pytest.raises(
        TintypeError, match=r"Expected an alias to follow, as models:/NAME@ALIAS\. Received: "
    ):
        begin_following(address, 3000, 10)


def test_a_pointer_remembers_the_last_three(tmp_path: Path) -> None:
    pointer = ServedVersion(model="a")
    for model in ("b", "c", "b", "d", "e", "e"):
        pointer = pointer.moved_to(model)
    assert (pointer.model, pointer.before) == ("e", ("d", "b", "c"))
    write_served_version(tmp_path / "deep/pointer.json", pointer)
    assert read_served_version(tmp_path / "deep/pointer.json") == pointer


@pytest.mark.parametrize("content", [None, "", "{}", '{"model": "a", "unknown": 1}'])
def test_a_pointer_that_cannot_be_read_is_reported(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "pointer.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ServedVersionError, match="Expected the followed version's name in "):
        read_served_version(file)
