"""TIFFs that are broken, lie about their size, or are what no photo is."""

from __future__ import annotations

import struct
from functools import partial
from typing import Any

import numpy as np

from corpus.case import Cases, either, good, refused
from corpus.picture import HEIGHT, WIDTH, gray8, image, rgb8, saved
from corpus.swelling import zeros
from corpus.tiff import (
    BITS,
    COMPRESSION,
    COUNTS,
    EXTRA,
    FORMAT,
    HIGH,
    PHOTOMETRIC,
    ROWS,
    SAMPLES,
    STRIPS,
    TILE_HIGH,
    TILE_WIDE,
    WIDE,
    described,
    in_rgb,
    in_strips,
    written,
)

case = Cases("tif")
broken = refused("broken")
unreadable = refused("broken", "unsupported")


def with_tags(tags: dict[int, Any]) -> bytes:
    """The picture under tags that do not fit it."""
    return written(described() | tags, [rgb8().tobytes()])


def without(tag: int) -> bytes:
    """The picture with one tag missing."""
    tags = described()
    del tags[tag]
    return written(tags, [rgb8().tobytes()])


for percent in (1, 50, 97):
    case.add(
        f"tiff_cut_at_{percent}_percent",
        refused("broken", "unknown_format"),
        lambda p=percent: in_rgb()[: 9500 * p // 100],
    )
case.add("tiff_strips_cut", broken, lambda: in_strips(5)[:400])
case.add("tiff_header_only", refused("broken", "unknown_format"), lambda: b"II*\0")
case.add(
    "tiff_directory_beyond_the_end",
    refused("broken", "unknown_format"),
    lambda: b"II*\0\xff\xff\xff\x7f" + bytes(64),
)
case.add(
    "tiff_directory_inside_its_header",
    refused("broken", "unknown_format"),
    lambda: b"II*\0\0\0\0\0" + bytes(64),
)
case.add("tiff_directory_empty", refused("broken", "unknown_format"), lambda: b"II*\0\x08\0\0\0" + bytes(64))
case.add(
    "tiff_directory_of_65535_entries",
    refused("broken", "unknown_format"),
    lambda: b"II*\0\x08\0\0\0\xff\xff" + bytes(1000),
)
case.add("tiff_two_directories_in_a_circle", either(good(), "broken", "too_many_frames"), lambda: circle())
case.add(
    "tiff_claims_100000_by_100000",
    refused("too_many_pixels"),
    partial(with_tags, {WIDE: 100_000, HIGH: 100_000}),
)
case.add(
    "tiff_claims_4_thousand_million_rows", refused("too_many_pixels"), partial(with_tags, {HIGH: 0xFFFFFFFF})
)
case.add("tiff_claims_8000_by_6000", broken, partial(with_tags, {WIDE: 8000, HIGH: 6000, ROWS: 6000}))
case.add("tiff_no_width", broken, partial(with_tags, {WIDE: 0}))
case.add("tiff_width_missing", broken, partial(without, WIDE))
case.add("tiff_height_missing", broken, partial(without, HIGH))
case.add("tiff_strips_missing", broken, partial(with_tags, {STRIPS: [], COUNTS: []}))
case.add("tiff_strip_beyond_the_end", broken, partial(with_tags, {STRIPS: 0x7FFFFFFF}))
case.add("tiff_strip_of_4_gigabytes", either(good(), "broken"), partial(with_tags, {COUNTS: 0xFFFFFFFF}))
case.add("tiff_strip_without_rows", either(good(), "broken"), partial(with_tags, {ROWS: 0}))
case.add("tiff_photometric_missing", either(good(), "broken"), partial(without, PHOTOMETRIC))
case.add("tiff_photometric_unknown", unreadable, partial(with_tags, {PHOTOMETRIC: 32_803}))
case.add("tiff_compression_unknown", unreadable, partial(with_tags, {COMPRESSION: 65_000}))
case.add("tiff_lzw_of_garbage", either(good(), "broken"), partial(with_tags, {COMPRESSION: 5}))
case.add("tiff_deflate_of_garbage", broken, partial(with_tags, {COMPRESSION: 8}))
case.add("tiff_jpeg_of_garbage", broken, partial(with_tags, {COMPRESSION: 7}))
case.add("tiff_webp_of_garbage", unreadable, partial(with_tags, {COMPRESSION: 50_001}))
case.add("tiff_of_7_bits", unreadable, partial(with_tags, {BITS: [7, 7, 7]}))
case.add("tiff_of_64_bits", unreadable, partial(with_tags, {BITS: [64, 64, 64]}))
case.add(
    "tiff_of_200_samples", unreadable, partial(with_tags, {BITS: [8] * 200, SAMPLES: 200, EXTRA: [0] * 197})
)
case.add("tiff_of_65535_samples", unreadable, partial(with_tags, {SAMPLES: 65_535}))
case.add(
    "tiff_of_tiles_of_no_size", either(good(), "broken"), partial(with_tags, {TILE_WIDE: 0, TILE_HIGH: 0})
)
case.add(
    "tiff_complex_numbers",
    unreadable,
    lambda: written(described((64,), 1) | {FORMAT: 6}, [bytes(WIDTH * HEIGHT * 8)]),
)
case.add("tiff_deflate_bomb", either(good(), "broken", "too_many_pixels"), lambda: bomb())
case.add("tiff_of_1500_pages", refused("too_many_frames"), lambda: pages(1500))


@case(refused("unsupported"))
def tiff_floating_point() -> bytes:
    shades = (gray8() / 255).astype(np.float32)
    return written(described((32,), 1) | {FORMAT: 3}, [shades.tobytes()])


@case(either(good(), "broken", "unsupported"))
def tiff_of_32_bit_integers() -> bytes:
    return written(described((32,), 1), [(gray8().astype(np.uint32) << 24).tobytes()])


@case(either(good(), "broken"))
def tiff_tag_of_4_thousand_million_values() -> bytes:
    content = in_rgb()
    at = 8 + WIDTH * HEIGHT * 3 + 2
    return content[: at + 8 * 12] + struct.pack("<HHII", 270, 2, 0xFFFFFFFF, 8) + content[at + 9 * 12 :]


@case(refused("broken", "unknown_format"))
def tiff_big_tiff_with_a_directory_far_out() -> bytes:
    return b"II\x2b\0\x08\0\0\0" + struct.pack("<Q", 1 << 60) + bytes(64)


@case(either(good(), "broken"))
def tiff_big_tiff_cut() -> bytes:
    return saved(image(), "TIFF", big_tiff=True)[:-40]


def circle() -> bytes:
    """Two directories, each the other's follower."""
    first = in_rgb(following=len(in_rgb()))
    at = 8 + WIDTH * HEIGHT * 3
    second = first[at : at + 2 + 12 * 9] + struct.pack("<I", at)
    return first + second


def bomb() -> bytes:
    """A strip that swells to a gigabyte under a header of 64 by 48."""
    return written(described() | {COMPRESSION: 8}, [zeros(1_000_000_000)])


def pages(count: int) -> bytes:
    """Many pages of one pixel, each a directory of its own."""
    start, step = 9, 2 + 12 * 8 + 4
    entries = [
        (WIDE, 1),
        (HIGH, 1),
        (BITS, 8),
        (COMPRESSION, 1),
        (PHOTOMETRIC, 1),
        (STRIPS, 8),
        (ROWS, 1),
        (COUNTS, 1),
    ]
    body = b"".join(struct.pack("<HHIHH", tag, 3, 1, value, 0) for tag, value in sorted(entries))
    found = [
        struct.pack("<H", 8) + body + struct.pack("<I", start + step * (n + 1) if n + 1 < count else 0)
        for n in range(count)
    ]
    return b"II*\0" + struct.pack("<I", start) + b"\x7f" + b"".join(found)
