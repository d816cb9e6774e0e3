"""Writing so that a reader never sees half a file.

Everything is written beside its destination under a temporary name, and takes its place when it is complete. A crash
leaves the old content or the new one, and perhaps something that starts with `.` and ends with `.part`.

What cannot be made again, or only in hours, is written with `durable=True`: it is on the disk, not only in the system's
memory, before it takes its place, so that it survives a power cut as well.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tintype.files.disk import name_the_full_disk

# <fcntl.h> and <linux/fs.h>, for `renameat2`
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
# What a system or a file system says that cannot exchange two folders; overlays say EXDEV.
_CANNOT_EXCHANGE = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EXDEV}


@contextmanager
def new_file(destination: Path, mark: str | None = None, *, durable: bool = False) -> Iterator[Path]:
    """A path to write to, which becomes `destination` when the block ends without an exception.

    Parameters
    ----------
    destination : Path
        The final path; its folder is made if need be, a file there is replaced.
    mark : str, optional
        Part of the temporary name that no other process uses; by default this process's number, which is enough on one
        machine.
    durable : bool
        Whether the file has to survive a power cut.

    Yields
    ------
    Path
        A temporary path in the same folder, with the same suffix.
    """
    destination.parent.mkdir(parents=True, exist_ok=True)
    part = destination.with_name(f".{destination.stem}-{mark or os.getpid()}.part{destination.suffix}")
    try:
        yield part
        if durable:
            _sync(part)
        part.replace(destination)
        if durable:
            _sync(destination.parent)
    except OSError as error:
        name_the_full_disk(error, part, destination)
        raise
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def new_folder(destination: Path, *, durable: bool = False) -> Iterator[Path]:
    """A folder to fill, which becomes `destination` when the block ends without an exception.

    On Linux the old folder and the new one are exchanged in one step. Where the file system cannot do that, the old
    one is renamed to `.<name>.old.part` for a moment; after a crash in that moment the next call puts it back.

    Parameters
    ----------
    destination : Path
        The final path. A folder there is replaced as a whole.
    durable : bool
        Whether the folder, with all that is in it, has to survive a power cut.

    Yields
    ------
    Path
        A temporary, empty folder beside it.

    Raises
    ------
    NotADirectoryError
        If there is something else than a folder at `destination`; it stays as it is.
    """
    destination.parent.mkdir(parents=True, exist_ok=True)
    aside = destination.with_name(f".{destination.name}.old.part")
    _put_back(aside, destination)
    part = Path(tempfile.mkdtemp(prefix=f".{destination.name}-", suffix=".part", dir=destination.parent))
    part.chmod(0o755)  # mkdtemp's 0700 would keep others from reading the result
    try:
        yield part
        if durable:
            _sync_tree(part)
        _replace_folder(part, destination, aside)
        if durable:
            _sync(destination.parent)
    except OSError as error:
        name_the_full_disk(error, part, destination)
        raise
    finally:
        shutil.rmtree(part, ignore_errors=True)


def write_json(destination: Path, content: Any, *, durable: bool = False) -> None:
    """Write `content` as indented JSON with a final newline, keys in the order given."""
    write_text(destination, json.dumps(content, indent=2, ensure_ascii=False) + "\n", durable=durable)


def write_text(destination: Path, content: str, *, durable: bool = False) -> None:
    """Write `content` as UTF-8."""
    with new_file(destination, durable=durable) as part:
        part.write_text(content, encoding="utf-8")


def _put_back(aside: Path, destination: Path) -> None:
    """Tidy up after a call that was killed between its two renames, or right after them."""
    if not aside.exists():
        return
    if destination.exists():
        shutil.rmtree(aside)
    else:
        aside.rename(destination)


def _replace_folder(part: Path, destination: Path, aside: Path) -> None:
    """Give `part` the name `destination`; what was there gets the name of `part`, or is gone."""
    if not os.path.lexists(destination):
        part.rename(destination)
        return
    if destination.is_symlink() or not destination.is_dir():
        raise NotADirectoryError(
            errno.ENOTDIR, "Expected a folder, which could be replaced", os.fspath(destination)
        )
    if not _exchange(part, destination):
        destination.rename(aside)
        part.rename(destination)
        shutil.rmtree(aside)


def _exchange(one: Path, other: Path) -> bool:
    """Let two folders change their names in one step; False where that cannot be done."""
    if sys.platform != "linux":
        return False
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:  # a C library older than the system call
        return False
    names = os.fsencode(one), os.fsencode(other)
    if renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in _CANNOT_EXCHANGE:
        return False
    raise OSError(code, os.strerror(code), os.fspath(one), None, os.fspath(other))


def _sync_tree(folder: Path) -> None:
    """Wait until all files of a folder and the names in it are on the disk."""
    for path in [*folder.rglob("*"), folder]:
        if not path.is_symlink():
            _sync(path)


def _sync(path: Path) -> None:
    """Wait until a file's content, or the names in a folder, are on the disk."""
    if os.name == "nt" and path.is_dir():
        return  # Windows opens no folders, and keeps their names in a journal
    handle = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
