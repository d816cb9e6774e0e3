"""Writing so that a reader never sees half a file.

Everything is written beside its destination under a temporary name and renamed when it is complete:
a crash leaves the old content or the new, and something that starts with `.` and ends with `.part`.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def new_file(destination: Path, mark: str | None = None) -> Iterator[Path]:
    """A path to write to, which becomes `destination` when the block ends without an exception.

    Parameters
    ----------
    destination : Path
        The final path; its folder is made if need be, a file there is replaced.
    mark : str, optional
        Part of the temporary name that nobody else uses; by default this process's number, which is enough on one
        machine.

    Yields
    ------
    Path
        A temporary path in the same folder, with the same suffix.
    """
    destination.parent.mkdir(parents=True, exist_ok=True)
    part = destination.with_name(f".{destination.stem}-{mark or os.getpid()}.part{destination.suffix}")
    try:
        yield part
        part.replace(destination)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def new_folder(destination: Path) -> Iterator[Path]:
    """A folder to fill, which becomes `destination` when the block ends without an exception.

    Parameters
    ----------
    destination : Path
        The final path. A folder there is replaced as a whole.

    Yields
    ------
    Path
        A temporary, empty folder beside it.
    """
    destination.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{destination.name}-", suffix=".part", dir=destination.parent))
    part.chmod(0o755)  # mkdtemp's 0700 would keep others from reading the result
    try:
        yield part
        if destination.exists():
            shutil.rmtree(destination)
        part.replace(destination)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def write_json(destination: Path, content: Any) -> None:
    """Write `content` as indented JSON with a final newline, keys in the order given."""
    with new_file(destination) as part:
        part.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def write_text(destination: Path, content: str) -> None:
    """Write `content` as UTF-8."""
    with new_file(destination) as part:
        part.write_text(content, encoding="utf-8")
