"""One process after the other: a lock that ends with the process that holds it, however it ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


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
