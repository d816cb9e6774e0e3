"""BMPs and GIFs, right and broken; the kinds that Pillow does not write are written by hand."""

from __future__ import annotations

import struct
from functools import partial
from typing import Any

import numpy as np

from corpus.case import Cases, either, good, refused
from corpus.picture import HEIGHT, WIDTH, gray8, image, rgb8, saved

case = Cases("bmp")
SHADES = b"".join(bytes([n * 17, n * 17, n * 17, 0]) for n in range(16))


def bmp(
    bits: int,
    data: bytes,
    *,
    width: int = WIDTH,
    height: int = HEIGHT,
    compression: int = 0,
    palette: bytes = b"",
) -> bytes:
    """A BMP with the usual header of 40 bytes."""
    start = 54 + len(palette)
    head = struct.pack(
        "<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(data), 0, 0, len(palette) // 4, 0
    )
    return b"BM" + struct.pack("<IHHI", start + len(data), 0, 0, start) + head + palette + data


def of_4_bits() -> bytes:
    shades = gray8()[::-1] >> 4
    return bmp(4, (shades[:, ::2] << 4 | shades[:, 1::2]).tobytes(), palette=SHADES)


def run_lengths() -> bytes:
    """Each pixel a run of one; line ends and an end of picture."""
    rows = (gray8()[::-1] >> 4).astype(np.uint8)
    data = b"".join(b"".join(bytes([1, value]) for value in row) + b"\0\0" for row in rows) + b"\0\1"
    return bmp(8, data, compression=1, palette=SHADES)


def blue_green_red() -> bytes:
    return rgb8()[..., ::-1].tobytes()


unreadable = refused("broken", "unsupported", "unknown_format")
for mode, bits in (("1", 1), ("L", 8), ("P", "8_palette"), ("RGB", 24), ("RGBA", 32)):
    case.add(f"bmp_{bits}_bit", good(), lambda m=mode: saved(image(m), "BMP"))
case.add("bmp_4_bit", good(), of_4_bits)
case.add("bmp_run_lengths", good(), run_lengths)
case.add("bmp_15_bit", good(), lambda: bmp(16, bytes(range(256)) * (WIDTH * HEIGHT * 2 // 256)))
case.add("bmp_from_the_top", good(), lambda: bmp(24, blue_green_red(), height=-HEIGHT))
case.add(
    "bmp_of_1990",
    good(),
    lambda: (
        b"BM"
        + struct.pack("<IHHIIHHHH", 26 + WIDTH * HEIGHT * 3, 0, 0, 26, 12, WIDTH, HEIGHT, 1, 24)
        + blue_green_red()
    ),
)
case.add("bmp_cut", refused("broken"), lambda: bmp(24, blue_green_red())[:5000])
case.add("bmp_header_only", unreadable, lambda: bmp(24, b"")[:30])
case.add("bmp_two_letters", unreadable, lambda: b"BM")
case.add(
    "bmp_claims_100000_by_100000",
    refused("too_many_pixels"),
    partial(bmp, 24, b"", width=100_000, height=100_000),
)
case.add(
    "bmp_claims_the_lowest_height",
    refused("too_many_pixels", "broken"),
    partial(bmp, 24, b"", height=-(2**31)),
)
case.add(
    "bmp_of_negative_width",
    refused("broken", "too_many_pixels"),
    lambda: bmp(24, blue_green_red(), width=-WIDTH),
)
case.add("bmp_no_width", refused("broken"), lambda: bmp(24, b"", width=0))
case.add("bmp_of_3_bits", unreadable, lambda: bmp(3, blue_green_red()))
case.add("bmp_compression_unknown", unreadable, lambda: bmp(24, blue_green_red(), compression=99))
case.add("bmp_jpeg_inside", unreadable, lambda: bmp(24, saved(image(), "JPEG"), compression=4))
case.add(
    "bmp_run_beyond_the_picture",
    either(good(), "broken"),
    lambda: bmp(8, b"\xff\1" * 90_000, compression=1, palette=SHADES),
)
case.add(
    "bmp_run_jumps_out",
    either(good(), "broken"),
    lambda: bmp(8, b"\0\2\xff\xff" * 500 + b"\0\1", compression=1, palette=SHADES),
)
case.add("bmp_pixels_beyond_the_end", refused("broken"), lambda: far())
case.add("bmp_palette_of_4_thousand_million", either(good(), "broken", "unsupported"), lambda: many_colours())


def far() -> bytes:
    content = bmp(24, blue_green_red())
    return content[:10] + struct.pack("<I", 0x7FFFFFFF) + content[14:]


def many_colours() -> bytes:
    content = of_4_bits()
    return content[:46] + struct.pack("<I", 0xFFFFFFFF) + content[50:]


def gif(**options: Any) -> bytes:
    return saved(image("P"), "GIF", **options)


def screen(width: int, height: int) -> bytes:
    """A GIF whose screen is of another size than its picture."""
    return gif()[:6] + struct.pack("<HH", width, height) + gif()[10:]


def frames(count: int) -> bytes:
    """The smallest GIF, its frame again and again."""
    frame = b"\x21\xf9\x04\0\0\0\0\0" + b"\x2c\0\0\0\0\1\0\1\0\0\2\2D\1\0"
    return b"GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff" + frame * count + b";"


def add_gif(name: str, outcome: Any, make: Any) -> None:
    case.add(f"gif_{name}", outcome, make, suffix="gif")


add_gif("still", good(), gif)
add_gif("interlaced", good(), partial(gif, interlace=1))
add_gif("not_interlaced", good(), partial(gif, interlace=0))
add_gif("transparent", good(), partial(gif, transparency=3))
add_gif(
    "animated",
    good(),
    lambda: saved(image(), "GIF", save_all=True, append_images=[image("L"), image("RGB").rotate(90)]),
)
add_gif("of_1987", good(), lambda: b"GIF87a" + gif()[6:])
add_gif("screen_wider_than_its_picture", good(100, 80), partial(screen, 100, 80))
add_gif("screen_of_65535_by_65535", refused("too_many_pixels"), partial(screen, 65_535, 65_535))
add_gif("screen_of_no_size", either(good(), "broken"), partial(screen, 0, 0))
add_gif("of_5000_frames", refused("too_many_frames"), partial(frames, 5000))
add_gif("of_900_frames", good(1, 1), partial(frames, 900))
add_gif("cut_at_30_percent", refused("broken"), lambda: gif()[: len(gif()) * 3 // 10])
add_gif("cut_at_90_percent", refused("broken"), lambda: gif()[: len(gif()) * 9 // 10])
add_gif("without_its_end", good(), lambda: gif()[:-1])
add_gif("header_only", refused("broken", "unknown_format"), lambda: gif()[:13])
add_gif("signature_only", refused("broken", "unknown_format"), lambda: b"GIF89a")
add_gif(
    "no_picture", refused("broken", "unknown_format"), lambda: b"GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff;"
)
add_gif("code_size_of_20", refused("broken"), lambda: frames(1).replace(b"\0\2\2D\1\0", b"\0\x14\2D\1\0"))
add_gif(
    "comment_that_never_ends",
    refused("broken", "unknown_format"),
    lambda: gif()[:13] + b"\x21\xfe" + b"\xff" * 20_000,
)
add_gif(
    "with_a_script",
    good(1, 1),
    lambda: b"GIF89a/*\1\0"[:6] + frames(1)[6:-1] + b"\x21\xfe\x14*/=1;alert(location)//\0;",
)
