"""One process after the other."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tintype.errors import TintypeError
from tintype.files.lock import held_alone, locked

HOLD = """
import sys, time
from pathlib import Path
from tintype.files.lock import locked
with locked(Path(sys.argv[1]), 5):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def holder(lock: Path, seconds: float) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock), str(seconds)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_turn_begins_when_the_one_before_has_ended(tmp_path: Path) -> None:
    start = time.monotonic()
    with holder(tmp_path / "made" / "lock", 1.0) as other, locked(tmp_path / "made" / "lock", 20):
        assert time.monotonic() - start > 0.9
        assert other.wait(5) == 0


def test_waiting_too_long_is_an_error_that_names_the_lock(tmp_path: Path) -> None:
    with holder(tmp_path / "lock", 60) as other:
        with (
            pytest.raises(TimeoutError, match=r"Another process holds .*lock for more than 0 s"),
            locked(tmp_path / "lock", 0.2),
        ):
            pass
        other.kill()  # and with it goes the lock
        with locked(tmp_path / "lock", 5):
            pass


def test_who_holds_a_lock_is_named_to_the_next_one(tmp_path: Path) -> None:
    (tmp_path / "train.process.json").write_text(
        '{"pid": 1, "host": "another", "started": "long ago"}'
    )  # of a crash
    with held_alone(tmp_path, "train", 5):
        me = rf"no other `train` at work.*: process {os.getpid()} on {socket.gethostname()}, since 20.*run again"
        with pytest.raises(TintypeError, match=me), held_alone(tmp_path, "train", 0.1):
            pass
        with held_alone(tmp_path, "lab", 0.1):
            pass
    with held_alone(tmp_path, "train", 0.1):
        pass
    assert not list(tmp_path.glob("*.json"))
