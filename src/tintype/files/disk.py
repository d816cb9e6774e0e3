"""A full or unwritable disk as an error in words."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tintype.errors import TintypeError, first_line

# No room, over the quota, over the process's limit of a file's size
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
UNWRITABLE = {errno.EACCES, errno.EPERM, errno.EROFS}
_CANNOT_RESERVE = {errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}  # of this file system


class DiskError(TintypeError):
    """The disk is full or may not be written to."""


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Turn a full or unwritable disk inside the block into a `DiskError`.

    Parameters
    ----------
    folder : Path
        Where the block writes; the sentence names it.

    Raises
    ------
    DiskError
        If an operation fails for lack of space or of permission. Other errors pass unchanged.
    """
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise DiskError(f"{full_disk(error, folder)} Free some space and run again.") from error
        if error.errno in UNWRITABLE:
            raise DiskError(unwritable(error, folder)) from error
        raise


def full_disk(error: BaseException, place: Path) -> str:
    """Say which file or folder a disk has no room for, what it needs and what was free; the cure is the caller's."""
    reason = getattr(error, "strerror", None) or first_line(error)
    # Noted before the half file was removed, which gave its room back.
    [note, *_] = getattr(error, "__notes__", None) or [f"{_megabytes(free_bytes(place))} are free"]
    return f"The disk is full: {reason} in {_visible(place)} ({note})."


def unwritable(error: OSError, folder: Path) -> str:
    """Say what in a folder may not be written to, and what to do."""
    return (
        f"Expected to write in {folder}, but {error.filename or folder} cannot be written "
        f"({error.strerror}). Change its permissions or choose another folder."
    )


def name_the_full_disk(error: OSError, part: Path, destination: Path) -> None:
    """Let an error about a temporary file say what it was to become and how large it was; `write` names no file."""
    if error.errno not in FULL:
        return
    name = Path(str(error.filename)) if error.filename else part
    if name.is_relative_to(part):
        error.filename = str(destination / name.relative_to(part))
    if not hasattr(error, "__notes__"):
        written = sum(path.stat().st_size for path in [part, *part.rglob("*")] if path.is_file())
        need = f"it needs more than the {_megabytes(written)} written of it, and " if written else ""
        error.add_note(f"{need}{_megabytes(free_bytes(part.parent))} were free then")


def reserve(path: Path, size: int) -> None:
    """Make a file of `size` bytes that the disk has room for, where a system can promise that.

    A disk that is full is noticed here, and not when the file's last byte is written.

    Raises
    ------
    OSError
        If there is no room.
    """
    with path.open("wb") as file:
        if not hasattr(os, "posix_fallocate"):
            return
        try:
            os.posix_fallocate(file.fileno(), 0, size)
        except OSError as error:
            if error.errno in _CANNOT_RESERVE:
                return
            error.add_note(f"it needs {_megabytes(size)}, and {_megabytes(free_bytes(path.parent))} are free")
            raise


def check_free(folder: Path, needed: int, what: str) -> None:
    """Refuse to begin what will not fit.

    Parameters
    ----------
    folder : Path
        Where it would be written; it need not exist yet.
    needed : int
        Bytes.
    what : str
        What needs them, for the sentence.

    Raises
    ------
    DiskError
        If less than `needed` bytes are free.
    """
    free = free_bytes(folder)
    if needed > free:
        raise DiskError(
            f"{what} needs {_megabytes(needed)} in {_visible(folder)}, but only {_megabytes(free)} are free. "
            "Free some space and run again."
        )


def free_bytes(folder: Path) -> int:
    """Free bytes on the disk of `folder`, which need not exist yet."""
    there = next(path for path in [folder, *folder.absolute().parents] if path.exists())
    return shutil.disk_usage(there).free


def fullest(*folders: Path) -> Path:
    """That whose disk has least room, where an error does not say which it is about."""
    return min(folders, key=free_bytes)


def _visible(folder: Path) -> Path:
    """The folder as its owner knows it, without the temporary ones inside."""
    return next((path for path in [folder, *folder.parents] if not path.name.startswith(".")), folder)


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count >= 1e5 or not count else f"{count / 1e3:,.1f} kB"
