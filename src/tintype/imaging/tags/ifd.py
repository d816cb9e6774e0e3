"""Directories of tags as TIFF files and EXIF blocks have them (TIFF 6.0, section 2; BigTIFF): read and written.

A directory comes from somebody else's file. Whatever it claims is checked against the bytes that are there, and
values are looked at only when they are asked for.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

BYTE, SHORT, LONG, RATIONAL, UNDEFINED = 1, 3, 4, 5, 7
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


class DirectoryError(ValueError):
    """A directory is broken."""


@dataclass(frozen=True)
class Value:
    """A tag's value: its type, how many there are, and their bytes in the file's byte order."""

    kind: int
    count: int
    data: bytes


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
class Place:
    """Where a tag's value lies in the content, which it does as a whole."""

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


def read_directory(content: bytes, layout: Layout, at: int) -> tuple[dict[int, Place], int]:
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
    tags: dict[int, Place] = {}
    for position in range(first, end, width):
        tag, kind, count = struct.unpack_from(f"{layout.order}{entry}", content, position)
        size = SIZES.get(kind, 0) * count
        start = position + width - inline
        if size > inline:
            start = struct.unpack_from(f"{layout.order}{entry[-1]}", content, start)[0]
        if size and start + size <= len(content):
            tags.setdefault(tag, Place(kind, count, start, size))
    if sum(place.size for place in tags.values()) > len(content):
        raise DirectoryError("its tags claim more bytes than there are")  # a thousand times the same ones
    return tags, _next(content, layout, end)


def _next(content: bytes, layout: Layout, at: int) -> int:
    letter = "Q" if layout.big else "I"
    try:
        return int(struct.unpack_from(f"{layout.order}{letter}", content, at)[0])
    except struct.error:
        return 0  # EXIF blocks often end without it


def value_of(content: bytes, place: Place) -> Value:
    """A tag's value."""
    return Value(place.kind, place.count, content[place.start : place.start + place.size])


def integer_of(content: bytes, layout: Layout, place: Place | None, default: int = 0) -> int:
    """A tag's first whole number."""
    if place is None or place.kind not in _INTEGERS:
        return default
    return int(struct.unpack_from(f"{layout.order}{_INTEGERS[place.kind]}", content, place.start)[0])


def write_directory(tags: dict[int, Value], order: str, at: int) -> bytes:
    """A directory to stand at the even offset `at`, followed by those of its values that do not fit into it."""
    table, values = [struct.pack(f"{order}H", len(tags))], bytearray()
    behind = at + 2 + 12 * len(tags) + 4
    for tag, value in sorted(tags.items()):
        field = value.data.ljust(4, b"\0")
        if len(value.data) > 4:
            field = struct.pack(f"{order}I", behind + len(values))
            values += value.data + bytes(len(value.data) % 2)  # values begin at even offsets
        table.append(struct.pack(f"{order}HHI", tag, value.kind, value.count) + field)
    return b"".join([*table, bytes(4), values])


def integers(kind: int, numbers: list[int], order: str) -> Value:
    """Whole numbers as a tag's value; of a RATIONAL, numerators and denominators in turn."""
    letter = {SHORT: "H", LONG: "I", RATIONAL: "I"}[kind]
    data = struct.pack(f"{order}{len(numbers)}{letter}", *numbers)
    return Value(kind, len(data) // SIZES[kind], data)
