"""A stage that is told to end: a sentence, an exit code, nothing left half done, whatever is under way."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

STAGE = """
import hashlib, sys, time
from pathlib import Path
from tintype.stages import stopping
stopping.listen()
stopping.GRACE_SECONDS = 1.0
from tintype.params import Params
from tintype.stages.entrypoint import run_stage

def main(params: Params, started: Path, how: Path) -> None:
    try:
        started.touch()
        if how.name == "native":  # gives Python no chance to look at signals
            hashlib.pbkdf2_hmac("sha256", b"", b"", 10**9)
        time.sleep(60)
    except BaseException as error:
        if how.name == "wrapped":
            raise RuntimeError("what a library makes of an interrupt") from error
        raise
    finally:
        started.with_name("tidied").touch()

run_stage(main)
"""


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A folder in which a stage can start."""
    shutil.copy(Path(__file__).parents[2] / "params.yaml", tmp_path)
    return tmp_path


def start(work: Path, how: str, *before: str, **environment: str) -> subprocess.Popen[str]:
    """The stage, at work; its output goes into a file, as it may outlive who started it."""
    with (work / "output").open("w") as output:
        process = subprocess.Popen(
            [*before, sys.executable, "-c", STAGE, "started", how],
            cwd=work,
            env=os.environ | environment,
            stdout=output,
            stderr=output,
            text=True,
            # A shell starts what runs in the background with Ctrl-C ignored, and so would be what it starts.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
    wait_for((work / "started").exists)
    return process


def wait_for(what: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("number", "how", "name"),
    [
        (signal.SIGTERM, "waiting", "SIGTERM"),
        (signal.SIGINT, "waiting", "Ctrl-C"),
        (signal.SIGTERM, "wrapped", "SIGTERM"),
        (signal.SIGTERM, "native", "SIGTERM"),
    ],
)
def test_a_signal_ends_a_stage_in_a_sentence(work: Path, number: signal.Signals, how: str, name: str) -> None:
    stage = start(work, how)
    stage.send_signal(number)
    stage.send_signal(number)  # impatience changes nothing
    assert stage.wait(10) == 128 + number
    assert (work / "output").read_text() == (
        f"\nstopped by {name}. What is finished is kept, and `dvc repro` goes on from there.\n"
    )
    assert (work / "tidied").exists() == (how != "native")


PARENT = """
import subprocess, sys
subprocess.run(sys.argv[1:])
"""


@pytest.mark.parametrize(
    "shell", [[], ["sh", "-c", '"$@"; exit $?', "sh"]], ids=["direct", "through a shell"]
)
def test_a_stage_ends_with_the_dvc_that_started_it(work: Path, shell: list[str]) -> None:
    parent = start(work, "waiting", sys.executable, "-c", PARENT, *shell, DVC_STAGE="train")
    parent.kill()
    parent.wait()
    wait_for(lambda: "stopped" in (work / "output").read_text(), 10)
    assert "stopped: the `dvc` that started it is gone." in (work / "output").read_text()
    assert (work / "tidied").exists()


def test_a_stage_that_a_person_started_goes_on_without_its_terminal(work: Path) -> None:
    parent = start(work, "waiting", sys.executable, "-c", PARENT)
    [stage] = (work / ".checkpoints").glob("*.process.json")
    parent.kill()
    parent.wait()
    time.sleep(2.5)
    assert (work / "output").read_text() == ""
    assert stage.exists()
    os.kill(json.loads(stage.read_text())["pid"], signal.SIGTERM)
    wait_for((work / "tidied").exists)
