"""One process after the other: a lock that ends with the process that holds it, however it ends."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

from tintype.errors import TintypeError
from tintype.files.atomic import write_json


@contextmanager
def locked(file: Path, seconds: float) -> Iterator[None]:
    """Hold a lock for a block; wait while another process holds it.

    Parameters
    ----------
    file : Path
        What stands for the lock; it stays, empty. Its folder is made.
    seconds : float
        How long to wait at most.

    Raises
    ------
    TimeoutError
        If another process holds it for longer.
    """
    from filelock import FileLock, Timeout

    file.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(file)
    try:
        lock.acquire(timeout=seconds)
    except Timeout:
        raise TimeoutError(f"Another process holds {file} for more than {seconds:.0f} s.") from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def held_alone(folder: Path, name: str, seconds: float) -> Iterator[None]:
    """Hold a lock for a block, and say beside it which process does.

    Parameters
    ----------
    folder : Path
        Where the lock lies, as `NAME.lock` and `NAME.process.json`.
    name : str
        What is to be done by one process at a time.
    seconds : float
        How long to wait for another one that ends.

    Raises
    ------
    TintypeError
        If another process holds it for longer; the sentence names that process.
    """
    note = folder / f"{name}.process.json"
    with ExitStack() as held:
        try:
            held.enter_context(locked(folder / f"{name}.lock", seconds))
        except TimeoutError:
            raise TintypeError(
                f"Expected no other `{name}` at work in this project. There is one: {_holder(note)}. Wait until it has "
                "ended, or end it, and run again."
            ) from None
        started = datetime.now().astimezone().isoformat(timespec="seconds")
        write_json(note, {"host": socket.gethostname(), "pid": os.getpid(), "started": started})
        held.callback(note.unlink, missing_ok=True)
        yield


def _holder(note: Path) -> str:
    try:
        holder = json.loads(note.read_text(encoding="utf-8"))
        return f"process {holder['pid']} on {holder['host']}, since {holder['started']}"
    except (OSError, ValueError, KeyError):
        return "a process that has just started"
