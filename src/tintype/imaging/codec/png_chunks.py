"""PNG's chunks (ISO/IEC 15948): checked and found without decoding a pixel, and put into a file."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_XMP = b"XML:com.adobe.xmp\0"
_MOST_TEXT = 16_000_000  # bytes of a compressed text when it is unpacked


class ChunkError(ValueError):
    """A chunk is broken or missing."""


def read_chunks(content: bytes, check: Callable[[], None]) -> Iterator[tuple[bytes, memoryview]]:
    """Kind and data of each chunk up to IEND.

    Parameters
    ----------
    content : bytes
        A file that begins as a PNG.
    check : callable
        Called at each chunk; ends what takes too long with an exception.

    Raises
    ------
    ChunkError
        At the first chunk that is cut off or whose check sum is wrong, or if there is no IEND.
    """
    at, view = len(SIGNATURE), memoryview(content)
    while True:
        check()
        if at + 12 > len(content):
            raise ChunkError("it is truncated")
        length, kind = struct.unpack_from(">I4s", content, at)
        end = at + 8 + length
        if end + 4 > len(content):
            raise ChunkError("it is truncated")
        if zlib.crc32(view[at + 4 : end]) != int.from_bytes(content[end : end + 4], "big"):
            raise ChunkError(f"the check sum of its chunk {kind!r} is wrong")
        if kind == b"IEND":
            return
        yield kind, view[at + 8 : end]
        at = end + 4


def xmp_of_text(data: bytes) -> bytes | None:
    """The XMP packet in the data of a chunk iTXt, if it is one; None if it is broken or unpacks to too much."""
    if not data.startswith(_XMP) or len(data) < len(_XMP) + 4:
        return None
    compressed, parts = data[len(_XMP)], data[len(_XMP) + 2 :].split(b"\0", 2)
    if len(parts) < 3 or not compressed:
        return parts[2] if len(parts) == 3 else None
    unpacker = zlib.decompressobj()
    try:
        packet = unpacker.decompress(parts[2], _MOST_TEXT)
    except zlib.error:
        return None
    return packet if unpacker.eof else None


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
    return b"iTXt", _XMP + bytes(4) + packet


def exif_chunk(block: bytes) -> tuple[bytes, bytes]:
    """An EXIF block."""
    return b"eXIf", block
