"""Small streams that decompress to a lot, made in no time."""

from __future__ import annotations

import struct
import zlib

BLOCK = 1_000_000
ADLER_MODULUS = 65_521


def zeros(count: int) -> bytes:
    """A zlib stream of `count` zero bytes, without compressing all of them: the same block repeated."""
    block = zlib.compressobj(9, zlib.DEFLATED, -15)
    repeated = block.compress(bytes(BLOCK)) + block.flush(zlib.Z_FULL_FLUSH)
    last = zlib.compressobj(9, zlib.DEFLATED, -15)
    rest = last.compress(bytes(count % BLOCK)) + last.flush()
    # Adler-32 of zeros: the first sum stays 1, the second counts them
    checksum = struct.pack(">HH", count % ADLER_MODULUS, 1)
    return b"\x78\xda" + repeated * (count // BLOCK) + rest + checksum
