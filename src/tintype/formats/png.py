"""PNG's chunks (ISO/IEC 15948), put into a file."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable

from tintype.imaging.reading.png import SIGNATURE, XMP_KEYWORD


def insert_chunks(png: memoryview, chunks: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A PNG file with chunks put behind its header, where all of ours may stand."""
    behind = len(SIGNATURE) + 12 + 13  # IHDR
    return b"".join([png[:behind], *(_chunk(kind, data) for kind, data in chunks), png[behind:]])


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def profile_chunk(profile: bytes) -> tuple[bytes, bytes]:
    """The ICC profile of the pixels."""
    return b"iCCP", b"ICC Profile\0\0" + zlib.compress(profile)


def resolution_chunk(dpi: tuple[float, float]) -> tuple[bytes, bytes]:
    """Pixels to a metre."""
    across, down = (round(value / 0.0254) for value in dpi)
    return b"pHYs", struct.pack(">IIB", across, down, 1)


def xmp_chunk(packet: bytes) -> tuple[bytes, bytes]:
    """An XMP packet; never compressed (ISO 16684-3)."""
    return b"iTXt", XMP_KEYWORD + bytes(4) + packet


def exif_chunk(block: bytes) -> tuple[bytes, bytes]:
    """An EXIF block."""
    return b"eXIf", block
