"""PNGs that are broken, lie, or swell to many times their size."""

from __future__ import annotations

import struct
import zlib
from functools import partial

import numpy as np

from corpus.case import Cases, either, good, refused
from corpus.picture import HEIGHT, WIDTH, rgb8
from corpus.png import END, GRAY, PALETTE, RGB, SIGNATURE, chunk, colours, header, lines
from corpus.swelling import zeros

case = Cases("png")
PICTURE = zlib.compress(lines(rgb8(), 8))


def framed(first: bytes, *middle: bytes) -> bytes:
    """A PNG of a header and whatever follows."""
    return SIGNATURE + first + b"".join(middle) + END


def headed(*values: int) -> bytes:
    """A right picture under a header of these values."""
    return framed(header(*values), chunk(b"IDAT", PICTURE))


def with_bad_checksum(
    kind: bytes, content: bytes = colours(after=chunk(b"tEXt", b"Comment\0hello"))
) -> bytes:
    """A PNG in which the checksum of one chunk is wrong."""
    at = content.index(kind)
    length = struct.unpack(">I", content[at - 4 : at])[0]
    end = at + 4 + length
    return content[:end] + bytes([content[end] ^ 0xFF]) + content[end + 1 :]


broken = refused("broken")
case.add("png_bad_checksum_of_its_header", broken, partial(with_bad_checksum, b"IHDR"))
case.add("png_bad_checksum_of_its_picture", either(good(), "broken"), partial(with_bad_checksum, b"IDAT"))
case.add("png_bad_checksum_of_a_text", either(good(), "broken"), partial(with_bad_checksum, b"tEXt"))
case.add("png_without_its_end", either(good(), "broken"), lambda: colours()[:-12])
case.add("png_without_a_picture", broken, lambda: framed(header(WIDTH, HEIGHT)))
case.add("png_with_an_empty_picture", broken, lambda: framed(header(WIDTH, HEIGHT), chunk(b"IDAT")))
case.add("png_without_a_header", broken, lambda: framed(b"", chunk(b"IDAT", PICTURE)))
case.add("png_signature_only", refused("broken", "unknown_format"), lambda: SIGNATURE)
case.add("png_header_only", broken, lambda: SIGNATURE + header(WIDTH, HEIGHT))
case.add(
    "png_signature_translated", refused("broken", "unknown_format"), lambda: colours().replace(b"\r\n", b"\n")
)
for percent in (10, 50, 90):
    case.add(
        f"png_cut_at_{percent}_percent", broken, lambda p=percent: colours()[: len(colours()) * p // 100]
    )
case.add("png_of_half_a_stream", broken, lambda: framed(header(WIDTH, HEIGHT), chunk(b"IDAT", PICTURE[:200])))
case.add(
    "png_stream_of_garbage",
    broken,
    lambda: framed(header(WIDTH, HEIGHT), chunk(b"IDAT", b"\x78\x9c" + b"U" * 500)),
)
case.add(
    "png_with_more_picture_than_it_needs",
    either(good(), "broken"),
    lambda: (
        headed(WIDTH, HEIGHT // 2)
        and framed(header(WIDTH, HEIGHT), chunk(b"IDAT", zlib.compress(lines(rgb8(), 8) * 3)))
    ),
)
case.add("png_no_width", broken, partial(headed, 0, HEIGHT))
case.add("png_no_height", broken, partial(headed, WIDTH, 0))
case.add(
    "png_width_beyond_31_bits", refused("broken", "too_many_pixels"), partial(headed, 0xFFFFFFFF, HEIGHT)
)
case.add("png_of_3_bits", broken, partial(headed, WIDTH, HEIGHT, 3, RGB))
case.add("png_of_a_colour_type_unknown", broken, partial(headed, WIDTH, HEIGHT, 8, 5))
case.add("png_of_a_compression_unknown", either(good(), "broken"), partial(headed, WIDTH, HEIGHT, 8, RGB, 1))
case.add("png_of_a_filter_unknown", broken, partial(headed, WIDTH, HEIGHT, 8, RGB, 0, 1))
case.add(
    "png_of_an_interlace_unknown", either(good(), "broken"), partial(headed, WIDTH, HEIGHT, 8, RGB, 0, 0, 9)
)
case.add("png_claims_6000_by_6000", broken, partial(headed, 6000, 6000))
case.add(
    "png_palette_missing",
    either(good(), "broken"),
    lambda: framed(
        header(WIDTH, HEIGHT, 8, PALETTE), chunk(b"IDAT", zlib.compress(lines(rgb8()[..., :1], 8)))
    ),
)
case.add(
    "png_palette_too_short",
    either(good(), "broken"),
    lambda: framed(
        header(WIDTH, HEIGHT, 8, PALETTE),
        chunk(b"PLTE", b"\xff\0\0"),
        chunk(b"IDAT", zlib.compress(lines(rgb8()[..., :1], 8))),
    ),
)
case.add(
    "png_palette_of_half_a_colour",
    either(good(), "broken"),
    lambda: framed(
        header(WIDTH, HEIGHT, 8, PALETTE),
        chunk(b"PLTE", b"\xff\0\0\0"),
        chunk(b"IDAT", zlib.compress(lines(rgb8()[..., :1] >> 8, 8))),
    ),
)
case.add(
    "png_two_headers",
    either(good(), "broken"),
    lambda: framed(header(WIDTH, HEIGHT), header(9, 9), chunk(b"IDAT", PICTURE)),
)
case.add(
    "png_chunk_longer_than_the_file",
    either(good(), "broken"),
    lambda: framed(header(WIDTH, HEIGHT), b"\x7f\xff\xff\xffIDAT" + PICTURE),
)
case.add(
    "png_chunk_of_negative_length",
    either(good(), "broken"),
    lambda: framed(header(WIDTH, HEIGHT), b"\xff\xff\xff\xffIDAT" + PICTURE),
)
case.add(
    "png_critical_chunk_unknown", either(good(), "broken"), partial(colours, before=chunk(b"ABCD", b"1234"))
)
case.add(
    "png_exif_of_4_gigabytes",
    either(good(), "broken"),
    partial(
        colours,
        before=chunk(
            b"eXIf", b"II*\0\x08\0\0\0" + struct.pack("<HHHII", 1, 0x010F, 2, 0xFFFFFFFF, 8) + bytes(4)
        ),
    ),
)


@case(either(good(), "broken"))
def png_text_of_garbage() -> bytes:
    """A compressed text and a compressed profile that are neither: nothing a picture needs."""
    return colours(before=chunk(b"zTXt", b"Comment\0\0garbage") + chunk(b"iCCP", b"icc\0\0garbage"))


@case(broken)
def png_line_filter_unknown() -> bytes:
    rows = np.frombuffer(lines(rgb8(), 8), np.uint8).reshape(HEIGHT, -1).copy()
    rows[5, 0] = 9
    return framed(header(WIDTH, HEIGHT), chunk(b"IDAT", zlib.compress(rows.tobytes())))


@case(refused("too_many_pixels"))
def png_bomb_of_60000_by_60000() -> bytes:
    """Half a megabyte that would become 3.6 thousand million pixels."""
    return framed(header(60_000, 60_000, 1, GRAY), chunk(b"IDAT", zeros(60_000 * 7_501)))


@case(refused("too_many_pixels", "broken"))
def png_bomb_of_one_line() -> bytes:
    return framed(header(2_000_000_000, 1, 1, GRAY), chunk(b"IDAT", zeros(250_000_001)))


@case(either(good(), "broken"))
def png_bomb_in_a_text() -> bytes:
    return colours(before=chunk(b"zTXt", b"Comment\0\0" + zeros(1_000_000_000)))


@case(either(good(), "broken"))
def png_bomb_in_a_profile() -> bytes:
    return colours(before=chunk(b"iCCP", b"icc\0\0" + zeros(1_000_000_000)))


@case(either(good(), "broken"))
def png_bomb_in_an_international_text() -> bytes:
    return colours(before=chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zeros(1_000_000_000)))


@case(either(good(), "broken"))
def png_of_five_hundred_texts_that_swell() -> bytes:
    return colours(before=chunk(b"zTXt", b"Comment\0\0" + zeros(1_000_000)) * 500)


@case(either(good(), "broken"))
def png_bomb_behind_the_picture() -> bytes:
    """Rows come first, then a gigabyte of zeros in the same stream."""
    return framed(header(WIDTH, HEIGHT, 1, GRAY), chunk(b"IDAT", zeros(1_000_000_000)))


@case(either(good(), "broken", "too_many_frames"))
def png_animation_of_four_thousand_million_frames() -> bytes:
    return colours(before=chunk(b"acTL", b"\xff\xff\xff\xff\0\0\0\0"))


@case(either(good(), "broken", "too_many_frames"))
def png_animation_of_2000_frames() -> bytes:
    return colours(before=chunk(b"acTL", struct.pack(">II", 2000, 0)))


@case(either(good(), "broken"))
def png_animation_frame_outside_of_the_picture() -> bytes:
    control = struct.pack(">IIIIIHHBB", 0, 9999, 9999, 5000, 5000, 1, 1, 0, 0)
    return colours(before=chunk(b"acTL", struct.pack(">II", 1, 0)) + chunk(b"fcTL", control))
