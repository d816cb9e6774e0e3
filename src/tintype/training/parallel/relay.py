"""The first worker's progress on the terminal of whoever started it, by way of a file that both can see."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_LOOK_SECONDS = 0.3


@dataclass(frozen=True)
class Progress:
    """Where a worker writes its progress.

    Attributes
    ----------
    path : Path
        A file to append to.
    live : bool
        Whether somebody sits in front of it: a bar, else a line an epoch.
    """

    path: Path
    live: bool


@contextmanager
def relayed(path: Path) -> Iterator[Progress]:
    """Show on the standard error what is written to a file, while the block runs.

    Parameters
    ----------
    path : Path
        Made anew.

    Yields
    ------
    Progress
        For the one who writes it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    over = threading.Event()
    watcher = threading.Thread(target=_show, args=(path, over), daemon=True)
    watcher.start()
    try:
        yield Progress(path, sys.stderr.isatty())
    finally:
        over.set()
        watcher.join()


def _show(path: Path, over: threading.Event) -> None:
    with path.open("rb") as file:
        last = False
        while not last:
            last = over.wait(_LOOK_SECONDS)  # once more when it is over
            if written := file.read():
                sys.stderr.write(written.decode(errors="replace"))
                sys.stderr.flush()
