"""WebP and AVIF, right and broken, and an HEIC that is none."""

from __future__ import annotations

import re
import struct
from functools import partial
from typing import Any

from corpus.case import Cases, either, good, refused
from corpus.picture import image, saved
from corpus.png import turned

case = Cases("webp")


def webp(mode: str = "RGB", **options: Any) -> bytes:
    return saved(image(mode), "WEBP", **options)


def avif(mode: str = "RGB", **options: Any) -> bytes:
    return saved(image(mode), "AVIF", speed=10, **options)


def animated_avif() -> bytes:
    """Four frames, without the time of their making."""
    content = bytearray(avif(save_all=True, append_images=[image("L")] * 3))
    for box in (b"mvhd", b"tkhd", b"mdhd"):
        for found in re.finditer(re.escape(box) + rb"([\0\1])", bytes(content)):
            times = 16 if found[1] == b"\1" else 8
            content[found.end() + 3 : found.end() + 3 + times] = bytes(times)
    return bytes(content)


def claims(width: int, height: int) -> bytes:
    """A lossless WebP with alpha whose extended header says another size."""
    content = webp("RGBA", exif=turned())
    at = content.index(b"VP8X") + 12
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return content[:at] + size + content[at + 6 :]


unreadable = refused("broken", "unknown_format", "unsupported")
case.add("webp_lossy", good(), webp)
case.add("webp_lossless", good(), partial(webp, lossless=True))
case.add("webp_transparent", good(), partial(webp, "RGBA"))
case.add("webp_lossless_transparent", good(), partial(webp, "RGBA", lossless=True))
case.add("webp_upright_by_exif", good(48, 64), lambda: webp(exif=turned()))
case.add("webp_animated", good(), lambda: webp(save_all=True, append_images=[image("L")] * 3))
case.add("webp_bytes_behind_the_end", good(), lambda: webp() + bytes(9999))
for percent in (10, 50, 95):
    case.add(f"webp_cut_at_{percent}_percent", unreadable, lambda p=percent: webp()[: len(webp()) * p // 100])
case.add("webp_header_only", unreadable, lambda: b"RIFF\x04\0\0\0WEBP")
case.add(
    "webp_length_of_4_gigabytes",
    either(good(), "broken", "unknown_format"),
    lambda: b"RIFF\xff\xff\xff\xff" + webp()[8:],
)
case.add(
    "webp_claims_16384_by_16384",
    refused("too_many_pixels", "broken", "unknown_format"),
    partial(claims, 16_384, 16_384),
)
case.add(
    "webp_claims_16777216_by_1",
    refused("too_many_pixels", "broken", "unknown_format"),
    partial(claims, 1 << 24, 1),
)
case.add("webp_claims_2_by_2", either(good(), "broken", "unknown_format"), partial(claims, 2, 2))
case.add("webp_of_garbage", unreadable, lambda: webp()[:30] + b"U" * 200)

case.add("avif", good(), avif, suffix="avif")
case.add("avif_transparent", good(), partial(avif, "RGBA"), suffix="avif")
case.add("avif_gray", good(), partial(avif, "L"), suffix="avif")
case.add("avif_upright_by_exif", good(48, 64), lambda: avif(exif=turned()), suffix="avif")
case.add("avif_animated", good(), lambda: animated_avif(), suffix="avif")
for percent in (10, 50, 95):
    case.add(
        f"avif_cut_at_{percent}_percent",
        unreadable,
        lambda p=percent: avif()[: len(avif()) * p // 100],
        suffix="avif",
    )
case.add("avif_header_only", unreadable, lambda: b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf", suffix="avif")


@case(refused("too_many_pixels", "broken"), suffix="avif")
def avif_claims_60000_by_60000() -> bytes:
    content = avif()
    at = content.index(b"ispe") + 8
    return content[:at] + struct.pack(">II", 60_000, 60_000) + content[at + 8 :]


@case(unreadable, suffix="heic")
def heic_of_garbage() -> bytes:
    return b"\0\0\0\x18ftypheic\0\0\0\0heicmif1" + b"\0\0\x01\0meta" + b"U" * 248
