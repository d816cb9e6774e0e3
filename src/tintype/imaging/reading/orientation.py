"""Pixels as they are to be seen, which a file says in the tag Orientation of its EXIF or XMP."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import cv2
from numpy.typing import NDArray

from tintype.imaging.reading.tiff import DirectoryError, read_directory, read_integer, read_layout

ORIENTATION = 0x0112  # EXIF's tag
XMP_ORIENTATION = re.compile(rb"(tiff:Orientation(?:\s*=\s*[\"']|>))([1-8])")

# EXIF 3.0, 4.6.5.1.6: where the stored picture's first row and column are in the upright one.
_TURNS: dict[int, Any] = {
    2: lambda pixels: cv2.flip(pixels, 1),
    3: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_180),
    4: lambda pixels: cv2.flip(pixels, 0),
    5: cv2.transpose,
    6: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_90_CLOCKWISE),
    7: lambda pixels: cv2.flip(cv2.transpose(pixels), -1),
    8: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_90_COUNTERCLOCKWISE),
}


def upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """The pixels as they are to be seen.

    Parameters
    ----------
    pixels : ndarray of shape (H, W) or (H, W, 3), uint8 or uint16
        As they are stored.
    orientation : int
        EXIF's: 1 is upright, 2 to 8 are turned or mirrored; others mean nothing.

    Returns
    -------
    ndarray of shape (H, W[, 3]) or (W, H[, 3])
        The same array where nothing is to be done, else a copy.
    """
    return _TURNS[orientation](pixels) if orientation in _TURNS else pixels


def read_orientation(info: Mapping[str, Any]) -> int:
    """What a file's EXIF says, or else its XMP; 1, which is upright, if neither does.

    Parameters
    ----------
    info : mapping of str to Any
        What Pillow found beside the pixels.
    """
    match = XMP_ORIENTATION.search(info.get("xmp") or b"")
    return _exif_orientation(exif_block(info)) or (int(match[2]) if match else 1)


def exif_block(info: Mapping[str, Any]) -> bytes | None:
    """A file's EXIF, also as ImageMagick kept it in PNG before there was a chunk for it."""
    text = info.get("Raw profile type exif")  # three lines, then hexadecimal ones
    try:
        raw = bytes.fromhex("".join(text.split("\n")[3:])) if isinstance(text, str) else None
    except ValueError:
        raw = None
    return info.get("exif") or raw


def _exif_orientation(block: bytes | None) -> int:
    try:
        content = (block or b"").removeprefix(b"Exif\0\0")
        layout = read_layout(content)
        tags, _ = read_directory(content, layout, layout.first)
        return read_integer(content, layout, tags.get(ORIENTATION))
    except DirectoryError:
        return 0
