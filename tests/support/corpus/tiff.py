"""TIFFs of many kinds, and right: by Pillow where it writes them, else by hand."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from PIL import Image

from corpus.case import Cases, good
from corpus.picture import HEIGHT, WIDTH, gray8, gray16, image, rgb8, saved

case = Cases("tif")
WIDE, HIGH, BITS, COMPRESSION, PHOTOMETRIC, STRIPS, ORIENTATION = 256, 257, 258, 259, 262, 273, 274
SAMPLES, ROWS, COUNTS, PLANAR, PREDICTOR, TILE_WIDE, TILE_HIGH, TILES, TILE_COUNTS, EXTRA, FORMAT = (
    277,
    278,
    279,
    284,
    317,
    322,
    323,
    324,
    325,
    338,
    339,
)
Tags = dict[int, Any]


def values_of(value: Any, order: str) -> tuple[int, int, bytes]:
    """Type, count and bytes of a tag's value: a number or several."""
    many = list(value) if isinstance(value, Sequence) else [value]
    kind, code = (4, "I") if max(many, default=0) > 0xFFFF else (3, "H")
    return kind, len(many), struct.pack(f"{order}{len(many)}{code}", *many)


def directory(tags: Tags, at: int, order: str, following: int) -> bytes:
    """A directory that lies at `at`, its long values behind it."""
    entries, beyond = b"", b""
    room = at + 2 + 12 * len(tags) + 4
    for tag, value in sorted(tags.items()):
        kind, count, content = values_of(value, order)
        if len(content) > 4:
            content, beyond = struct.pack(order + "I", room + len(beyond)), beyond + content
        entries += struct.pack(order + "HHI", tag, kind, count) + content.ljust(4, b"\0")
    return struct.pack(order + "H", len(tags)) + entries + struct.pack(order + "I", following) + beyond


def written(
    tags: Tags, data: Sequence[bytes], *, order: str = "<", following: int = 0, tiled: bool = False
) -> bytes:
    """A TIFF of these tags and these strips or tiles; tags given win over the usual ones."""
    starts = [8 + sum(map(len, data[:number])) for number in range(len(data))]
    where, counts = (TILES, TILE_COUNTS) if tiled else (STRIPS, COUNTS)
    full = {where: starts, counts: [len(part) for part in data]} | tags
    at = 8 + sum(map(len, data))
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", at)
    return head + b"".join(data) + directory(full, at, order, following)


def described(bits: Sequence[int] = (8, 8, 8), photometric: int = 2, **more: int) -> Tags:
    """The tags that every picture has."""
    tags: Tags = {WIDE: WIDTH, HIGH: HEIGHT, BITS: list(bits), COMPRESSION: 1, PHOTOMETRIC: photometric}
    return tags | {SAMPLES: len(bits), ROWS: HEIGHT}


def in_rgb(order: str = "<", **options: Any) -> bytes:
    return written(described(), [rgb8().tobytes()], order=order, **options)


def in_strips(rows: int) -> bytes:
    """Several rows a strip, each deflated with the horizontal predictor."""
    difference = np.diff(rgb8().astype(np.int16), axis=1, prepend=0).astype(np.uint8)
    data = [zlib.compress(difference[at : at + rows].tobytes()) for at in range(0, HEIGHT, rows)]
    return written(described() | {COMPRESSION: 8, PREDICTOR: 2, ROWS: rows}, data)


def in_tiles(side: int = 32) -> bytes:
    rows, columns = -(-HEIGHT // side), -(-WIDTH // side)
    padded = np.pad(rgb8(), [(0, rows * side - HEIGHT), (0, columns * side - WIDTH), (0, 0)])
    tiles = padded.reshape(rows, side, columns, side, 3).swapaxes(1, 2).reshape(-1, side, side, 3)
    tags = described() | {TILE_WIDE: side, TILE_HIGH: side}
    del tags[ROWS]
    return written(tags, [tile.tobytes() for tile in tiles], tiled=True)


def in_planes() -> bytes:
    return written(described() | {PLANAR: 2}, [rgb8()[..., plane].tobytes() for plane in range(3)])


def of_16_bits(order: str, *, colour: bool, white_is_zero: bool = False) -> bytes:
    samples = rgb8().astype(np.uint16) * 257 if colour else gray16()
    bits = (16, 16, 16) if colour else (16,)
    photometric = 2 if colour else int(not white_is_zero)
    return written(described(bits, photometric), [samples.astype(order + "u2").tobytes()], order=order)


for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
    name = compression.removeprefix("tiff_")
    case.add(f"tiff_{name}", good(), lambda c=compression: saved(image(), "TIFF", compression=c))
for compression in ("group3", "group4", "raw"):
    case.add(
        f"tiff_bilevel_{compression}", good(), lambda c=compression: saved(image("1"), "TIFF", compression=c)
    )
for mode in ("L", "LA", "RGBA", "CMYK", "YCbCr", "LAB", "P"):
    case.add(f"tiff_mode_{mode.lower()}", good(), lambda m=mode: saved(image(m), "TIFF"))

case.add("tiff_by_hand", good(), in_rgb)
case.add("tiff_big_endian", good(), partial(in_rgb, ">"))
case.add("tiff_16_bit_gray", good(), partial(of_16_bits, "<", colour=False))
case.add("tiff_16_bit_gray_big_endian", good(), partial(of_16_bits, ">", colour=False))
case.add("tiff_16_bit_rgb", good(), partial(of_16_bits, "<", colour=True))
case.add("tiff_16_bit_rgb_big_endian", good(), partial(of_16_bits, ">", colour=True))
case.add("tiff_16_bit_lzw", good(), lambda: saved(Image.fromarray(gray16()), "TIFF", compression="tiff_lzw"))
case.add("tiff_in_strips", good(), partial(in_strips, 5))
case.add("tiff_in_tiles", good(), in_tiles)
case.add("tiff_in_planes", good(), in_planes)
case.add("tiff_big_tiff", good(), lambda: saved(image(), "TIFF", big_tiff=True))
case.add(
    "tiff_several_pages",
    good(),
    lambda: saved(image(), "TIFF", save_all=True, append_images=[image("L", 9, 9)] * 3),
)
case.add("tiff_white_is_zero", good(), lambda: written(described((8,), 0), [(255 - gray8()).tobytes()]))
case.add("tiff_bits_from_the_right", good(), lambda: written(described((1,), 1) | {266: 2}, [saved_bits()]))
case.add(
    "tiff_orientation_6", good(48, 64), lambda: written(described() | {ORIENTATION: 6}, [rgb8().tobytes()])
)
case.add(
    "tiff_private_tags",
    good(),
    lambda: written(described() | {60_000: [7] * 5000, 65_000: 1}, [rgb8().tobytes()]),
)
case.add("tiff_bytes_behind_the_end", good(), lambda: in_rgb() + bytes(50_000))
case.add("tiff_directory_that_follows_itself", good(), lambda: in_rgb(following=8 + WIDTH * HEIGHT * 3))


def saved_bits() -> bytes:
    """The picture in black and white, the first pixel in the lowest bit."""
    return np.packbits(gray8() > 100, axis=1, bitorder="little").tobytes()
