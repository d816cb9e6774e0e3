"""The most memory that a command and all processes that it starts hold at a time."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

LOOK_EVERY = 0.05  # seconds


@dataclass(frozen=True)
class Peak:
    """What a command took.

    Attributes
    ----------
    seconds : float
        Of wall-clock time.
    all_mb : float
        Most resident memory of all its processes together, looked at every 0.05 s; pages that two of them share
        count twice, and so do files that are mapped into memory.
    own_mb : float
        The same without shared pages and mapped files: what no other process can use or take back.
    largest_mb : float
        Most resident memory of any single process, as the kernel kept it.
    """

    seconds: float
    all_mb: float
    own_mb: float
    largest_mb: float


class CommandError(Exception):
    """The command ended with an error; its output says which."""


def peak_of(command: str, folder: Path, environment: Mapping[str, str]) -> Peak:
    """Run a command and watch its memory."""
    begun = time.perf_counter()
    with (folder / "output.txt").open("wb") as output:
        process = subprocess.Popen(
            command, shell=True, cwd=folder, env=dict(environment), stdout=output, stderr=subprocess.STDOUT
        )
        over, most = threading.Event(), [0, 0]
        looker = threading.Thread(target=_look, args=(process.pid, over, most))
        looker.start()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)  # what Popen would have asked for
        over.set()
        looker.join()
    if process.returncode:
        raise CommandError(f"{command}\n{(folder / 'output.txt').read_text(errors='replace')[-3000:]}")
    seconds = time.perf_counter() - begun
    largest = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return Peak(seconds, most[0] / 1e6, most[1] / 1e6, largest / 1e6)


def _look(pid: int, over: threading.Event, most: list[int]) -> None:
    while not over.wait(LOOK_EVERY):
        rss = own = 0
        for process in _family(pid):
            try:
                memory = process.memory_info()
            except psutil.Error:
                continue  # it has just ended
            rss += memory.rss
            own += memory.rss - getattr(memory, "shared", 0)
        most[:] = max(most[0], rss), max(most[1], own)


def _family(pid: int) -> list[psutil.Process]:
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.Error:
        return []
