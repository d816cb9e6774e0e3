"""The one file that a command writes: where it goes, and that nothing is lost by it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from tintype.errors import UsageError
from tintype.formats.photo import Photo
from tintype.imaging.finding import WRITABLE

_DEEP = ("PNG", "TIFF")


def result_path(output: Path, photo: Path, inputs: Sequence[Path], *, force: bool) -> Path:
    """Where a command's result goes.

    Parameters
    ----------
    output : Path
        What the user called it: a file, whose suffix chooses the format, or a folder that exists, where the photo's
        own name is taken.
    photo : Path
        The photo that the result is made from.
    inputs : sequence of Path
        All files that are read, none of which may be replaced.
    force : bool
        Whether another file may be.

    Returns
    -------
    Path

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
        raise UsageError(f"{path} already exists. Use --force to replace it.")
    return path


def notes_on(photo: Photo, destination: Path) -> Iterator[str]:
    """What a person should know of a result: what reading the photo left behind, and what its format cannot hold."""
    yield from photo.notes
    file_format = WRITABLE[destination.suffix.lower()]
    if photo.pixels.dtype == np.uint16 and file_format not in _DEEP:
        yield f"{file_format} holds 8 of the photo's 16 bits. Choose PNG or TIFF to keep them all."
    if photo.alpha is not None and file_format == "JPEG":
        yield "JPEG holds no opacity, and the photo's was left behind."
