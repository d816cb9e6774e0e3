"""The pixels of photos: a file's bytes to upright sRGB.

For code that learns from photos or measures them, and needs nothing of what a file says beside its pixels; that, and
the writing of photos, is in `tintype.formats.photo`. The format is recognized by the bytes (`sniff`); limits hold
before and while a file is decoded (`tintype.imaging.limits`). A file that cannot be decoded is a `PhotoError` with a
sentence and a code.
"""

from __future__ import annotations

import hashlib
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tintype.imaging.limits import COLLECTION, Limits, PhotoError, reason, refuse_bytes
from tintype.imaging.reading.decode import decode
from tintype.imaging.reading.sniff import FORMATS, sniff
from tintype.imaging.reading.srgb import to_8_bits

__all__ = [
    "FORMATS",
    "DecodedFile",
    "PhotoError",
    "PhotoFile",
    "Picture",
    "broken_photo_errors",
    "decode_file",
    "read_picture",
    "sniff",
]

_MISTAKES = (AttributeError, TypeError, NameError, AssertionError, ImportError, NotImplementedError)


@dataclass(frozen=True)
class Picture:
    """What a photo shows.

    Attributes
    ----------
    pixels : ndarray of shape (H, W, 3), uint8 or uint16
        sRGB, upright; 16 bits where the file has more than 8.
    alpha : ndarray of shape (H, W), same dtype, or None
        Opacity, if the file has it.
    format : str
        The file's format: one of `FORMATS`.
    mode : str
        How the file kept its pixels, in Pillow's words, such as ``"CMYK"``.
    sha256 : str
        Of the file, 64 hex digits.
    notes : tuple of str
        A sentence on each thing that was left behind.
    """

    pixels: NDArray[Any]
    alpha: NDArray[Any] | None
    format: str
    mode: str
    sha256: str
    notes: tuple[str, ...] = ()

    @cached_property
    def rgb8(self) -> NDArray[np.uint8]:
        """The pixels with 8 bits, of shape (H, W, 3)."""
        return to_8_bits(self.pixels) if self.pixels.dtype == np.uint16 else self.pixels

    @cached_property
    def alpha8(self) -> NDArray[np.uint8] | None:
        """The opacity with 8 bits, of shape (H, W), or None."""
        return (
            to_8_bits(self.alpha) if self.alpha is not None and self.alpha.dtype == np.uint16 else self.alpha
        )


@dataclass(frozen=True)
class PhotoFile:
    """A photo on disk whose content is known, such as one of a manifest.

    Attributes
    ----------
    path : Path
        The file.
    sha256 : str
        Of its bytes, 64 hex digits.
    """

    path: Path
    sha256: str

    def read(self) -> Picture:
        """Decode the photo.

        Raises
        ------
        PhotoError
            As `read_picture` does; and with the code ``changed`` if the file has other bytes by now.
        """
        return decode_file(self.path, COLLECTION, self.sha256).picture


class DecodedFile(NamedTuple):
    """A file's picture, and what its other contents are read from: its bytes, and what Pillow found in them."""

    name: str
    picture: Picture
    content: bytes
    info: dict[str, Any]


def read_picture(source: Path | bytes, limits: Limits = COLLECTION) -> Picture:
    """Decode a photo.

    Parameters
    ----------
    source : Path or bytes
        A file, or a file's content.
    limits : Limits
        What it may cost.

    Returns
    -------
    Picture
        Upright, in sRGB from any colour space of the file.

    Raises
    ------
    PhotoError
        If there is no such file, it is no photo, broken, or beyond the limits.
    """
    return decode_file(source, limits).picture


def decode_file(source: Path | bytes, limits: Limits, expected_sha256: str | None = None) -> DecodedFile:
    """`read_picture` for those who also want what the file says beside its pixels, or know its content."""
    name = str(source) if isinstance(source, Path) else "the photo"
    content = read_content(source, limits, name)
    sha256 = hashlib.sha256(content).hexdigest()
    if expected_sha256 not in (None, sha256):
        raise PhotoError(
            f"Expected {name} as it was validated, with the SHA-256 {expected_sha256}. Received: {sha256}. The file "
            f"was replaced since. Put it back, or validate anew: in a pipeline by `touch {name}`, as DVC goes by size "
            "and time, and `dvc repro`.",
            "changed",
        )
    file_format = sniff(content)
    if file_format is None:
        raise PhotoError(
            f"Expected {name} to be one of {', '.join(FORMATS)}, but its content is none of them.",
            "unknown_format",
        )
    with broken_photo_errors(name):
        decoded = decode(content, file_format, limits, name)
    picture = Picture(
        pixels=decoded.planes.pixels,
        alpha=decoded.planes.alpha,
        format=file_format,
        mode=decoded.mode,
        sha256=sha256,
        notes=tuple(decoded.notes),
    )
    return DecodedFile(name, picture, content, decoded.info)


@contextmanager
def broken_photo_errors(name: str) -> Iterator[None]:
    """What goes wrong inside, as the error of a broken photo.

    Libraries answer broken files with exceptions of every kind, also with those that mean a mistake in a program. One
    of these that our own code raises is such a mistake, and passes.
    """
    try:
        yield
    except (PhotoError, MemoryError):
        raise
    except Exception as error:
        if isinstance(error, _MISTAKES) and _raised_by_us(error):
            raise
        raise PhotoError(
            f"Expected {name} to be a whole photo, but it cannot be decoded: {reason(error)}.", "broken"
        ) from None


def _raised_by_us(error: Exception) -> bool:
    """Whether the code that raised it, the innermost of all that were called, is this package's."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return str(frames[-1].f_globals.get("__name__")).startswith("tintype.")


def read_content(source: Path | bytes, limits: Limits, name: str) -> bytes:
    """The file's bytes, which are not read if there are too many; a `PhotoError` if they cannot be."""
    try:
        size = source.stat().st_size if isinstance(source, Path) else len(source)
        refuse_bytes(size, limits, name)
        content = source.read_bytes() if isinstance(source, Path) else source
    except OSError as error:
        raise PhotoError(
            f"Expected a readable photo at {name}. Received: {error.strerror}.", "missing"
        ) from None
    refuse_bytes(len(content), limits, name)  # what is no regular file has no size before
    if not content:
        raise PhotoError(f"Expected a photo in {name}, but it is empty.", "empty")
    return content
