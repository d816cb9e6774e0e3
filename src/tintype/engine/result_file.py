"""A result's file: where it goes, that nothing is lost by it, and how it gets there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from tintype.errors import UsageError
from tintype.files.atomic import new_file
from tintype.files.disk import disk_errors
from tintype.formats.photo import Photo
from tintype.imaging.finding import WRITABLE
from tintype.imaging.limits import PhotoError

_DEEP = ("PNG", "TIFF")


def result_path(
    output: Path, photo: Path, inputs: Sequence[Path], *, force: bool, to_replace: str = "Use --force"
) -> Path:
    """Where a result goes.

    Parameters
    ----------
    output : Path
        What a person called it: a file, whose suffix chooses the format, or a folder that exists, where the photo's
        own name is taken.
    photo : Path
        The photo that the result is made from.
    inputs : sequence of Path
        All files that are read, none of which may be replaced.
    force : bool
        Whether another file may be.
    to_replace : str
        What a person has to do to allow that, for the error's sentence.

    Raises
    ------
    UsageError
        If the suffix is none of `WRITABLE`, the result would replace an input, or exists and may not be replaced.
    """
    path = output / photo.name if output.is_dir() else output
    if path.suffix.lower() not in WRITABLE:
        raise UsageError(f"Expected an output that ends in one of {', '.join(WRITABLE)}. Received: {path}.")
    if any(path.resolve() == source.resolve() for source in inputs):
        raise UsageError(f"{path} is read by this command and would be lost. Choose another output.")
    if path.is_dir():
        raise UsageError(f"Expected a file as output, but {path} is a folder.")
    if path.exists() and not force:
        raise UsageError(f"{path} already exists. {to_replace} to replace it.")
    return path


def write_result(path: Path, content: bytes) -> None:
    """Put a file in its place, whole and on the disk.

    Raises
    ------
    PhotoError
        If it cannot be written.
    DiskError
        If the disk is full or may not be written to.
    """
    try:
        with disk_errors(path.parent), new_file(path, durable=True) as part:
            part.write_bytes(content)
    except OSError as error:
        raise PhotoError(f"Expected to write {path}. Received: {error.strerror}.", "not_writable") from None


def notes_on(photo: Photo, destination: Path) -> Iterator[str]:
    """What a person should know of a result: what reading the photo left behind, and what its format cannot hold."""
    yield from photo.notes
    file_format = WRITABLE[destination.suffix.lower()]
    if photo.pixels.dtype == np.uint16 and file_format not in _DEEP:
        yield f"{file_format} holds 8 of the photo's 16 bits. Choose PNG or TIFF to keep them all."
    if photo.alpha is not None and file_format == "JPEG":
        yield "JPEG holds no opacity, and the photo's was left behind."
