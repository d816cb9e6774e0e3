"""PNG's chunks (ISO/IEC 15948): checked and found without decoding a pixel."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
XMP_KEYWORD = b"XML:com.adobe.xmp\0"
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


def xmp_in_text(data: bytes) -> bytes | None:
    """The XMP packet in the data of a chunk iTXt, if it is one; None if it is broken or unpacks to too much."""
    if not data.startswith(XMP_KEYWORD) or len(data) < len(XMP_KEYWORD) + 4:
        return None
    compressed, parts = data[len(XMP_KEYWORD)], data[len(XMP_KEYWORD) + 2 :].split(b"\0", 2)
    if len(parts) < 3 or not compressed:
        return parts[2] if len(parts) == 3 else None
    unpacker = zlib.decompressobj()
    try:
        packet = unpacker.decompress(parts[2], _MOST_TEXT)
    except zlib.error:
        return None
    return packet if unpacker.eof else None
