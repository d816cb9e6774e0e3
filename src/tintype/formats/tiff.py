"""A TIFF file with 8 or 16 bits a channel, uncompressed, and everything that a photo says in its own tags."""

from __future__ import annotations

import struct
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tintype.formats.exif import (
    BYTE,
    LONG,
    SHORT,
    UNDEFINED,
    Exif,
    Value,
    integers,
    resolution_tags,
    write_tree,
)
from tintype.formats.iptc import TIFF_TAG
from tintype.formats.metadata import OutputMetadata
from tintype.imaging.limits import PhotoError

_XMP, _PROFILE = 700, 34675
_STRIP = 1 << 18  # bytes, about
_MOST_BYTES = (1 << 32) - (1 << 20)  # positions have 32 bits


def encode_tiff(pixels: NDArray[Any], profile: bytes, beside: OutputMetadata) -> bytes:
    """A TIFF file.

    Parameters
    ----------
    pixels : ndarray of shape (H, W, 3) or (H, W, 4), uint8 or uint16
        sRGB, and opacity that the colours are not multiplied with.
    profile : bytes
        The ICC profile of sRGB.
    beside : OutputMetadata
        What goes into it beside the pixels.

    Raises
    ------
    PhotoError
        If it would be larger than 4 GB.
    """
    if pixels.nbytes > _MOST_BYTES:
        raise PhotoError(
            "Expected at most 4 GB of pixels in a TIFF file, but there are more.", "not_writable"
        )
    exif = beside.exif or Exif("<")  # the file takes the byte order in which its tags came
    native = "<" if sys.byteorder == "little" else ">"
    swapped = pixels.itemsize > 1 and exif.order != native
    data = np.ascontiguousarray(pixels.byteswap() if swapped else pixels)
    gap = bytes(data.nbytes % 2)  # directories begin at even offsets
    tags = _layout_tags(pixels, exif.order) | _metadata_tags(profile, beside, exif.order)
    whole = Exif(exif.order, exif.main | tags, exif.camera, exif.gps)
    directories, first = write_tree(whole, 8 + data.nbytes + len(gap))
    header = struct.pack(f"{exif.order}2sHI", b"II" if exif.order == "<" else b"MM", 42, first)
    return b"".join([header, data.data, gap, directories])


def _layout_tags(pixels: NDArray[Any], order: str) -> dict[int, Value]:
    """How the pixels lie in the file, behind its header."""
    height, width, channels = pixels.shape
    row = width * channels * pixels.itemsize
    rows = min(height, max(1, _STRIP // row))
    starts = list(range(0, height, rows))
    numbers = {
        256: (LONG, [width]),
        257: (LONG, [height]),
        258: (SHORT, [8 * pixels.itemsize] * channels),
        259: (SHORT, [1]),  # not compressed
        262: (SHORT, [2]),  # RGB
        273: (LONG, [8 + start * row for start in starts]),
        274: (SHORT, [1]),
        277: (SHORT, [channels]),
        278: (LONG, [rows]),
        279: (LONG, [(min(start + rows, height) - start) * row for start in starts]),
        284: (SHORT, [1]),  # channels side by side
        **({338: (SHORT, [2])} if channels == 4 else {}),  # opacity, not multiplied
    }
    return {tag: integers(kind, values, order) for tag, (kind, values) in numbers.items()}


def _metadata_tags(profile: bytes, beside: OutputMetadata, order: str) -> dict[int, Value]:
    blobs = {_PROFILE: (UNDEFINED, profile), _XMP: (BYTE, beside.xmp), TIFF_TAG: (UNDEFINED, beside.iptc)}
    tags = {tag: Value(kind, len(blob), blob) for tag, (kind, blob) in blobs.items() if blob}
    return tags | (resolution_tags(beside.dpi, order) if beside.dpi else {})
