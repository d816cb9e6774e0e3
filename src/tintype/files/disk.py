"""A full or unwritable disk as an error in words."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tintype.errors import TintypeError

# No room, over the quota, over the process's limit of a file's size
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_UNWRITABLE = {errno.EACCES, errno.EPERM, errno.EROFS}


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
        if error.errno in _FULL:
            raise DiskError(
                f"The disk is full: {error.strerror} in {_visible(folder)} ({_megabytes(free_bytes(folder))} free). "
                "Free some space and run again."
            ) from error
        if error.errno in _UNWRITABLE:
            raise DiskError(
                f"Expected to write in {folder}, but {error.filename or folder} cannot be written "
                f"({error.strerror}). Change its permissions or choose another folder."
            ) from error
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


def _visible(folder: Path) -> Path:
    """The folder as its owner knows it, without the temporary ones inside."""
    return next((path for path in [folder, *folder.parents] if not path.name.startswith(".")), folder)


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"
