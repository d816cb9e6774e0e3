"""The tags of TIFF files and EXIF blocks (TIFF 6.0, section 2; BigTIFF): read before a decoder believes them.

A directory of tags comes from a stranger's file. All that it claims is checked against the bytes that are there, and
values are read only when they are asked for.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from tintype.imaging.limits import PhotoError

# Bytes of one value of each type.
SIZES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
MOST_TAGS = 4096  # in one directory; there are hundreds of kinds
_INTEGERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_MOST_NUMBERS = 300_000  # in a tag's value: more than a strip for each row of each plane of the tallest photo
_BYTES = {1, 2, 6, 7}  # types whose values are not taken apart one by one
_MOST_SCANS = 12  # in one strip or tile with JPEG compression, which cannot be decoded under a time limit
_JPEG, _SCAN = 7, b"\xff\xda"
_SUB_DIRECTORIES, _DNG_VERSION = 330, 50706


class DirectoryError(ValueError):
    """A directory is broken."""


@dataclass(frozen=True)
class Layout:
    """How a file keeps its directories.

    Attributes
    ----------
    order : str
        ``"<"`` or ``">"``, as in `struct`.
    big : bool
        Whether it is a BigTIFF file.
    first : int
        Where the first directory is.
    """

    order: str
    big: bool
    first: int


@dataclass(frozen=True)
class TagEntry:
    """Where a tag's value lies; all of it is within the content."""

    kind: int
    count: int
    start: int
    size: int


def read_layout(content: bytes) -> Layout:
    """What the header of a TIFF file or EXIF block says."""
    order = {b"II": "<", b"MM": ">"}.get(content[:2])
    if order is None or len(content) < 8:
        raise DirectoryError("it has no TIFF header")
    version = struct.unpack_from(f"{order}H", content, 2)[0]
    if version == 42:
        return Layout(order, False, struct.unpack_from(f"{order}I", content, 4)[0])
    if version == 43 and len(content) >= 16:
        return Layout(order, True, struct.unpack_from(f"{order}Q", content, 8)[0])
    raise DirectoryError("it has no TIFF header")


def read_directory(content: bytes, layout: Layout, at: int) -> tuple[dict[int, TagEntry], int]:
    """The tags of the directory at `at`, and where the next directory is, 0 if there is none.

    Tags of unknown types, or whose value would not lie within the content, are left out.

    Raises
    ------
    DirectoryError
        If the directory does not lie within the content, or its values cannot all lie there apart.
    """
    head, entry, inline = ("Q", "HHQ", 8) if layout.big else ("H", "HHI", 4)
    width, head_size = 4 + 2 * inline, struct.calcsize(f"<{head}")
    if not 8 <= at <= len(content) - head_size:
        raise DirectoryError("a directory of tags lies outside of the file")
    number = struct.unpack_from(f"{layout.order}{head}", content, at)[0]
    first = at + head_size
    end = first + number * width
    if number > MOST_TAGS or end > len(content):
        raise DirectoryError("a directory of tags reaches beyond the file")
    tags: dict[int, TagEntry] = {}
    for position in range(first, end, width):
        tag, kind, count = struct.unpack_from(f"{layout.order}{entry}", content, position)
        size = SIZES.get(kind, 0) * count
        start = position + width - inline
        if size > inline:
            start = struct.unpack_from(f"{layout.order}{entry[-1]}", content, start)[0]
        if size and start + size <= len(content):
            tags.setdefault(tag, TagEntry(kind, count, start, size))
    if sum(place.size for place in tags.values()) > len(content):
        raise DirectoryError("its tags claim more bytes than there are")  # a thousand times the same ones
    return tags, _next(content, layout, end)


def _next(content: bytes, layout: Layout, at: int) -> int:
    letter = "Q" if layout.big else "I"
    try:
        return int(struct.unpack_from(f"{layout.order}{letter}", content, at)[0])
    except struct.error:
        return 0  # EXIF blocks often end without it


def read_integer(content: bytes, layout: Layout, place: TagEntry | None, default: int = 0) -> int:
    """A tag's first whole number."""
    if place is None or place.kind not in _INTEGERS:
        return default
    return int(struct.unpack_from(f"{layout.order}{_INTEGERS[place.kind]}", content, place.start)[0])


@dataclass(frozen=True)
class TiffHeader:
    """What Pillow does not say of a TIFF file's first page.

    Attributes
    ----------
    bits : int
        A channel's.
    white_is_zero : bool
        Whether gray levels run from white to black.
    planar : bool
        Whether each channel is kept by itself.
    premultiplied : bool
        Whether colours are multiplied with opacity.
    has_alpha : bool
        Whether a fourth channel is opacity.
    """

    bits: int
    white_is_zero: bool
    planar: bool
    premultiplied: bool
    has_alpha: bool


def read_tiff_header(content: bytes, name: str) -> TiffHeader:
    """The first directory of a TIFF file.

    Raises
    ------
    PhotoError
        If it is a camera's raw file, or one that would cost a decoder more than its pixels are worth.
    DirectoryError
        If it is broken.
    """
    layout = read_layout(content)
    tags, _ = read_directory(content, layout, layout.first)
    _refuse_raw(content, layout, tags, name)
    _refuse_excess(content, layout, tags, name)
    extra = read_integer(content, layout, tags.get(338), -1)
    return TiffHeader(
        bits=read_integer(content, layout, tags.get(258), 1),
        white_is_zero=read_integer(content, layout, tags.get(262)) == 0,
        planar=read_integer(content, layout, tags.get(284), 1) == 2,
        premultiplied=extra == 1,
        has_alpha=extra != 0,
    )


def _refuse_raw(content: bytes, layout: Layout, tags: dict[int, TagEntry], name: str) -> None:
    """Cameras' raw files look like TIFF, and their first picture is a thumbnail."""
    reduced = read_integer(content, layout, tags.get(254)) & 1
    if content[8:10] == b"CR" or _DNG_VERSION in tags or (reduced and _SUB_DIRECTORIES in tags):
        raise PhotoError(
            f"Expected a photo in {name}. Received: a camera's raw file. Develop it to a TIFF or JPEG first.",
            "unsupported",
        )


def _refuse_excess(content: bytes, layout: Layout, tags: dict[int, TagEntry], name: str) -> None:
    if any(place.count > _MOST_NUMBERS and place.kind not in _BYTES for place in tags.values()):
        raise PhotoError(
            f"Expected at most {_MOST_NUMBERS} strips, tiles or numbers in a tag of {name}, but it has more.",
            "broken",
        )
    if read_integer(content, layout, tags.get(259)) != _JPEG:
        return
    for start, size in _pieces(content, layout, tags):
        if content.count(_SCAN, start, start + size) > _MOST_SCANS:
            raise PhotoError(
                f"Expected at most {_MOST_SCANS} JPEG scans in each strip of {name}, but it has more.",
                "too_slow",
            )


def _pieces(content: bytes, layout: Layout, tags: dict[int, TagEntry]) -> list[tuple[int, int]]:
    """Position and size of each strip or tile."""
    for offsets, sizes in ((324, 325), (273, 279)):
        if offsets in tags and sizes in tags:
            pair = (_all(content, layout, tags[tag]) for tag in (offsets, sizes))
            return list(zip(*pair, strict=False))
    return []


def _all(content: bytes, layout: Layout, place: TagEntry) -> list[int]:
    width = place.size // place.count
    return [
        read_integer(content, layout, TagEntry(place.kind, 1, place.start + width * index, width))
        for index in range(place.count)
    ]
