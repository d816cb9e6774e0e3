"""A deploy command for one machine: `python -m tests.loop.deploy FOLDER BENTO VERSION`.

The new service starts beside the old one; only when it answers with the right version does FOLDER/service.json name
it, and the old one is stopped. If it does not come up the old one stays, and the command ends with a sentence.
"""

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
from dataclasses import asdict, dataclass
from pathlib import Path

READY_S = 120.0
_STOP_S = 30.0
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # never through a proxy


@dataclass(frozen=True)
class Deployed:
    """What is in service."""

    version: str
    bento: str
    port: int
    pid: int

    @property
    def address(self) -> str:
        """Of its page and interface."""
        return f"http://127.0.0.1:{self.port}"


def deployed(folder: Path) -> Deployed | None:
    """What is in service now, if anything is."""
    file = folder / "service.json"
    return Deployed(**json.loads(file.read_text())) if file.exists() else None


def deploy(folder: Path, bento: str, version: str) -> Deployed:
    """Bring a Bento into service in place of the one before.

    Raises
    ------
    RuntimeError
        If it does not answer in time, or with another version; what was in service stays.
    """
    before = deployed(folder)
    if before is not None and before.bento == bento and served(before.address) == version:
        return before
    new = _started(folder, bento, version)
    try:
        _wait(new, folder)
    except RuntimeError:
        stop(new.pid)
        raise
    part = folder / "service.json.part"
    part.write_text(json.dumps(asdict(new)))
    part.replace(folder / "service.json")
    if before is not None:
        stop(before.pid)
    return new


def _started(folder: Path, bento: str, version: str) -> Deployed:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "bentoml", "serve", bento, "--host", "127.0.0.1", "--port", str(port)]
    with (folder / f"service-{version}.log").open("ab") as log:
        # A session of its own, or the watch's clock would end it with the command.
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, start_new_session=True)
    return Deployed(version, bento, port, process.pid)


def _wait(new: Deployed, folder: Path) -> None:
    end = time.monotonic() + READY_S
    while time.monotonic() < end and _runs(new.pid):
        version = served(new.address)
        if version == new.version:
            return
        if version is not None:
            raise RuntimeError(f"Expected version {new.version} to answer. Received: version {version}.")
        time.sleep(0.3)
    log = folder / f"service-{new.version}.log"
    raise RuntimeError(f"Expected {new.bento} to answer within {READY_S:g} s. It did not; see {log}.")


def served(address: str) -> str | None:
    """The version that answers there; None while none does."""
    try:
        with (
            _OPENER.open(f"{address}/readyz", timeout=5),
            _OPENER.open(f"{address}/model_info", timeout=5) as answer,
        ):
            return str(json.load(answer)["version"])
    except (urllib.error.URLError, OSError):
        return None


def stop(pid: int) -> None:
    """End a service as a cluster does: by SIGTERM, so that what it has accepted is answered."""
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return
    end = time.monotonic() + _STOP_S
    while time.monotonic() < end and _runs(pid):
        time.sleep(0.1)
    if _runs(pid):
        os.killpg(pid, signal.SIGKILL)


def _runs(pid: int) -> bool:
    """Whether it lives; a dead one that nobody has asked for yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


if __name__ == "__main__":
    try:
        print(deploy(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
    except RuntimeError as error:
        sys.exit(f"error: {error}")
