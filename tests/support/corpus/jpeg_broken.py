"""JPEGs that are broken, or cost more than they are worth."""

from __future__ import annotations

import struct
from functools import cache, partial

from PIL import Image

from corpus.case import Cases, either, good, refused
from corpus.jpeg import exif, plain, segment, with_segments
from corpus.picture import saved

case = Cases("jpg")


def cut(share: float) -> bytes:
    """The first part of a JPEG."""
    content = plain()
    return content[: int(len(content) * share)]


@cache
def frame_at(content: bytes) -> int:
    """Where the frame's header is, which holds precision, height and width."""
    return next(
        content.index(bytes([0xFF, marker])) for marker in (0xC0, 0xC2) if bytes([0xFF, marker]) in content
    )


def claims(width: int, height: int, *, keep_data: bool = True) -> bytes:
    """A JPEG whose header says another size."""
    content = plain()
    at = frame_at(content)
    changed = content[: at + 5] + struct.pack(">HH", height, width) + content[at + 9 :]
    return changed if keep_data else changed[: changed.index(b"\xff\xda") + 14]


def patched(offset: int, value: int) -> bytes:
    """A JPEG with one byte of its frame header changed."""
    content = bytearray(plain())
    content[frame_at(bytes(content)) + offset] = value
    return bytes(content)


for length in (2, 3, 4, 11, 20):
    case.add(f"jpeg_first_{length}_bytes", refused("broken", "unknown_format"), lambda n=length: plain()[:n])
for percent in (20, 35, 50, 65, 80, 90, 97):
    case.add(f"jpeg_cut_at_{percent}_percent", refused("broken"), partial(cut, percent / 100))
case.add("jpeg_without_its_end_marker", either(good(), "broken"), lambda: plain()[:-2])
case.add("jpeg_progressive_cut", refused("broken"), lambda: plain(progressive=True)[:-200])

case.add(
    "jpeg_claims_65535_by_65535", refused("too_many_pixels"), partial(claims, 65535, 65535, keep_data=False)
)
case.add(
    "jpeg_claims_65535_by_65535_with_data",
    refused("too_many_pixels", "broken"),
    partial(claims, 65535, 65535),
)
case.add(
    "jpeg_claims_8000_by_6000_without_data", refused("broken"), partial(claims, 8000, 6000, keep_data=False)
)
case.add("jpeg_claims_no_height", refused("broken"), partial(claims, 64, 0))
case.add("jpeg_claims_no_width", refused("broken"), partial(claims, 0, 48))
case.add("jpeg_claims_12_bits", refused("broken", "unsupported"), partial(patched, 4, 12))
case.add("jpeg_claims_255_components", refused("broken"), partial(patched, 9, 255))
case.add("jpeg_claims_no_components", refused("broken"), partial(patched, 9, 0))
case.add("jpeg_claims_lossless", refused("broken", "unsupported"), partial(patched, 1, 0xC3))
case.add("jpeg_claims_hierarchical", refused("broken", "unsupported"), partial(patched, 1, 0xC5))
case.add("jpeg_sampling_of_zero", refused("broken"), partial(patched, 11, 0))
case.add("jpeg_sampling_of_fifteen", refused("broken"), partial(patched, 11, 0xFF))
case.add("jpeg_without_its_quantisation_table", refused("broken"), partial(patched, 12, 3))
case.add("jpeg_without_its_start", refused("unknown_format"), lambda: plain()[2:])
case.add("jpeg_behind_a_line_break", refused("unknown_format"), lambda: b"\n" + plain())
case.add(
    "jpeg_read_as_text",
    refused("broken", "unknown_format"),
    lambda: plain().replace(b"\xff", b"\xef\xbf\xbd"),
)
case.add("jpeg_line_ends_translated", either(good(), "broken"), lambda: plain().replace(b"\n", b"\r\n"))


@case(either(good(), "broken"))
def jpeg_without_huffman_tables() -> bytes:
    """Decoders may take the tables that everybody uses."""
    content = plain()
    while b"\xff\xc4" in content:
        at = content.index(b"\xff\xc4")
        length = struct.unpack(">H", content[at + 2 : at + 4])[0]
        content = content[:at] + content[at + 2 + length :]
    return content


@case(refused("broken"))
def jpeg_segment_longer_than_the_file() -> bytes:
    return plain()[:20] + b"\xff\xe1\xff\xff" + bytes(100)


@case(refused("broken"))
def jpeg_only_a_thumbnail() -> bytes:
    return b"\xff\xd8" + exif(1, thumbnail=plain()) + b"\xff\xd9"


@case(refused("broken"))
def jpeg_tables_only() -> bytes:
    content = plain()
    return content[: frame_at(content)] + b"\xff\xd9"


@case(either(good(), "broken"))
def jpeg_with_a_torn_middle() -> bytes:
    """Decoders fill the gap with gray: to colour it or to refuse it are both fair."""
    content = bytearray(plain())
    middle = len(content) - 200
    content[middle : middle + 60] = b"\x55" * 60
    return bytes(content)


@case(either(good(), "broken"))
def jpeg_restart_markers_out_of_order() -> bytes:
    return plain(restart_marker_blocks=1).replace(b"\xff\xd3", b"\xff\xd6")


@case(refused("broken", "too_slow"))
def jpeg_of_empty_segments() -> bytes:
    return b"\xff\xd8" + segment(0xE5, b"") * 200_000 + b"\xff\xd9"


@case(either(good(), "too_slow", "broken", "too_many_bytes"))
def jpeg_behind_two_hundred_thousand_segments() -> bytes:
    return with_segments(plain(), segment(0xE5, b"") * 200_000)


@cache
def progressive_bomb(side: int, scans: int) -> bytes:
    """A few kilobytes, each scan of which makes the decoder walk over the whole picture again."""
    content = saved(Image.new("L", (side, side), 128), "JPEG", progressive=True, quality=90)
    last = content.rindex(b"\xff\xda")
    start = content.rindex(b"\xff\xc4", 0, last)
    return content[:-2] + content[start:-2] * scans + b"\xff\xd9"


case.add("jpeg_of_200_more_scans", refused("too_slow"), partial(progressive_bomb, 3000, 200))
case.add("jpeg_of_20000_more_scans", refused("too_slow", "broken"), partial(progressive_bomb, 200, 20_000))
