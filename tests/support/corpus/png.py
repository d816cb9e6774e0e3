"""PNGs of every depth and kind, and right: written by hand, since Pillow writes only some of them."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from corpus.case import Cases, good
from corpus.picture import HEIGHT, WIDTH, gray8, gray16, image, rgb8, saved

case = Cases("png")
SIGNATURE = b"\x89PNG\r\n\x1a\n"
GRAY, RGB, PALETTE, LA, RGBA = 0, 2, 3, 4, 6
END = b"\0\0\0\0IEND\xaeB`\x82"
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def chunk(kind: bytes, content: bytes = b"") -> bytes:
    """A chunk with its length and checksum."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def header(width: int, height: int, depth: int = 8, colour: int = RGB, *rest: int) -> bytes:
    """The first chunk; `rest` are compression, filter and interlace."""
    return chunk(b"IHDR", struct.pack(">IIBB", width, height, depth, colour) + bytes((*rest, 0, 0, 0)[:3]))


def lines(samples: NDArray[Any], depth: int) -> bytes:
    """Samples (H, W, C) as PNG keeps them before compression, without filters."""
    height = len(samples)
    if depth == 16:
        rows = samples.astype(">u2").reshape(height, -1).view(np.uint8)
    else:
        bits = np.unpackbits(samples.astype(np.uint8)[..., None], axis=-1)[..., 8 - depth :]
        rows = np.packbits(bits.reshape(height, -1), axis=1)
    return np.pad(rows, [(0, 0), (1, 0)]).tobytes()


def interlaced(samples: NDArray[Any], depth: int) -> bytes:
    """The seven passes of Adam7."""

    def each() -> Iterator[bytes]:
        for x, y, across, down in PASSES:
            part = samples[y::down, x::across]
            if part.size:
                yield lines(part, depth)

    return b"".join(each())


def png(
    samples: NDArray[Any],
    depth: int,
    colour: int,
    *,
    before: bytes = b"",
    after: bytes = b"",
    adam7: bool = False,
) -> bytes:
    """A PNG of these samples, with chunks before and after the picture's own."""
    data = interlaced(samples, depth) if adam7 else lines(samples, depth)
    first = header(samples.shape[1], samples.shape[0], depth, colour, 0, 0, int(adam7))
    return SIGNATURE + first + before + chunk(b"IDAT", zlib.compress(data)) + after + END


def gray(depth: int, **options: Any) -> bytes:
    """The picture in shades of gray of this depth."""
    samples = gray16() if depth == 16 else gray8() >> (8 - depth)
    return png(samples[..., None], depth, GRAY, **options)


def colours(depth: int = 8, **options: Any) -> bytes:
    """The picture in RGB."""
    return png(rgb8().astype(np.uint16) * (257 if depth == 16 else 1), depth, RGB, **options)


def palette(depth: int, *, transparent: bytes = b"", **options: Any) -> bytes:
    """The picture in 2 to 256 colours of a palette."""
    count = 1 << depth
    entries = np.linspace(0, 255, count).astype(np.uint8)
    table = chunk(b"PLTE", np.stack([entries, entries[::-1], entries], axis=1).tobytes())
    trns = chunk(b"tRNS", transparent) if transparent else b""
    return png((gray8() >> (8 - depth))[..., None], depth, PALETTE, before=table + trns, **options)


def with_alpha(depth: int, colour: int) -> bytes:
    """The picture with an opacity that grows downwards."""
    scale = 257 if depth == 16 else 1
    shades = rgb8() if colour == RGBA else gray8()[..., None]
    alpha = np.repeat(np.linspace(0, 255, HEIGHT).astype(np.uint8)[:, None, None], WIDTH, axis=1)
    return png(np.concatenate([shades, alpha], axis=2).astype(np.uint16) * scale, depth, colour)


for bits in (1, 2, 4, 8, 16):
    case.add(f"png_gray_{bits}_bit", good(), partial(gray, bits))
    case.add(f"png_gray_{bits}_bit_interlaced", good(), partial(gray, bits, adam7=True))
    if bits < 16:
        case.add(f"png_palette_{bits}_bit", good(), partial(palette, bits))
        case.add(f"png_palette_{bits}_bit_transparent", good(), partial(palette, bits, transparent=b"\0\x80"))
    else:
        case.add("png_rgb_16_bit", good(), partial(colours, 16))
        case.add("png_rgb_16_bit_interlaced", good(), partial(colours, 16, adam7=True))
for bits in (8, 16):
    case.add(f"png_gray_alpha_{bits}_bit", good(), partial(with_alpha, bits, LA))
    case.add(f"png_rgb_alpha_{bits}_bit", good(), partial(with_alpha, bits, RGBA))

EXTRAS = {
    "gamma_of_zero": chunk(b"gAMA", bytes(4)),
    "gamma_of_forty_thousand": chunk(b"gAMA", b"\xff\xff\xff\xff"),
    "gamma_of_one": chunk(b"gAMA", struct.pack(">I", 100_000)),
    "both_srgb_and_gamma": chunk(b"sRGB", b"\0") + chunk(b"gAMA", struct.pack(">I", 45_455)),
    "coding_independent_code_points": chunk(b"cICP", bytes([9, 16, 0, 1])),
    "resolution_of_zero": chunk(b"pHYs", bytes(9)),
    "chunk_of_5_megabytes": chunk(b"prVt", bytes(5_000_000)),
    "ten_thousand_empty_chunks": chunk(b"prVt") * 10_000,
    "orientation_of_garbage": chunk(b"eXIf", b"II*\0\xff\xff\xff\xff"),
    "time_that_never_was": chunk(b"tIME", b"\xff" * 7),
    "text_in_no_language": chunk(b"iTXt", b"Comment\0\0\0zz\0\0\xff\xfe\xfd"),
    "colour_key": chunk(b"tRNS", struct.pack(">HHH", 255, 255, 220)),
}
for name, chunks in EXTRAS.items():
    case.add(f"png_{name}", good(), partial(colours, before=chunks))

case.add(
    "png_text_behind_the_picture", good(), partial(colours, after=chunk(b"tEXt", b"Comment\0" + b"x" * 5000))
)
case.add("png_bytes_behind_the_end", good(), lambda: colours() + b"<html><script>alert(1)</script>" * 100)
case.add("png_with_a_jpg_name", good(), colours, suffix="jpg")
case.add("png_upright_by_exif", good(48, 64), lambda: saved(image(), "PNG", exif=turned()))
case.add(
    "png_animated", good(), lambda: saved(image(), "PNG", save_all=True, append_images=[image("RGB")] * 3)
)


def turned() -> Image.Exif:
    """EXIF of a camera held upright."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


@case(good())
def png_picture_in_slices_of_one_byte() -> bytes:
    data = zlib.compress(lines(rgb8(), 8))
    slices = b"".join(chunk(b"IDAT", data[at : at + 1]) for at in range(len(data)))
    return SIGNATURE + header(WIDTH, HEIGHT) + slices + END


@case(good())
def png_with_html_inside() -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "<script>alert(document.cookie)</script>")
    stream = io.BytesIO()
    image().save(stream, "PNG", pnginfo=info)
    return stream.getvalue()
