"""One process after the other: a lock that ends with the process that holds it, however it ends."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PAUSE = 0.05  # seconds between two looks


@contextmanager
def in_turn(file: Path, seconds: float) -> Iterator[None]:
    """Hold a lock for a block, after whoever holds it now.

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
    file.parent.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + seconds
    with file.open("ab") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > end:
                    raise TimeoutError(
                        f"Another process holds {file} for more than {seconds:.0f} s."
                    ) from None
                time.sleep(_PAUSE)
        yield
