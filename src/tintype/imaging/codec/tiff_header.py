"""What a TIFF file's first directory asks for, looked at before a decoder believes it."""

from __future__ import annotations

from dataclasses import dataclass

from tintype.imaging.photo_error import PhotoError
from tintype.imaging.tags.ifd import (
    Layout,
    Place,
    integer_of,
    read_directory,
    read_layout,
)

_MOST_NUMBERS = 300_000  # in a tag's value: more than a strip for each row of each plane of the tallest photo
_BYTES = {1, 2, 6, 7}  # types whose values are not taken apart one by one
_MOST_SCANS = 12  # in one strip or tile with JPEG compression, which cannot be decoded under a time limit
_JPEG, _SCAN = 7, b"\xff\xda"
_SUB_DIRECTORIES, _DNG_VERSION = 330, 50706


@dataclass(frozen=True)
class TiffHeader:
    """What Pillow does not tell of a TIFF file's first page.

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
    extra = integer_of(content, layout, tags.get(338), -1)
    return TiffHeader(
        bits=integer_of(content, layout, tags.get(258), 1),
        white_is_zero=integer_of(content, layout, tags.get(262)) == 0,
        planar=integer_of(content, layout, tags.get(284), 1) == 2,
        premultiplied=extra == 1,
        has_alpha=extra != 0,
    )


def _refuse_raw(content: bytes, layout: Layout, tags: dict[int, Place], name: str) -> None:
    """Cameras' raw files look like TIFF, and their first picture is a thumbnail."""
    reduced = integer_of(content, layout, tags.get(254)) & 1
    if content[8:10] == b"CR" or _DNG_VERSION in tags or (reduced and _SUB_DIRECTORIES in tags):
        raise PhotoError(
            f"Expected a photo in {name}. Received: a camera's raw file. Develop it to a TIFF or JPEG first.",
            "unsupported",
        )


def _refuse_excess(content: bytes, layout: Layout, tags: dict[int, Place], name: str) -> None:
    if any(place.count > _MOST_NUMBERS and place.kind not in _BYTES for place in tags.values()):
        raise PhotoError(
            f"Expected at most {_MOST_NUMBERS} strips, tiles or numbers in a tag of {name}, but it has more.",
            "broken",
        )
    if integer_of(content, layout, tags.get(259)) != _JPEG:
        return
    for start, size in _pieces(content, layout, tags):
        if content.count(_SCAN, start, start + size) > _MOST_SCANS:
            raise PhotoError(
                f"Expected at most {_MOST_SCANS} JPEG scans in each strip of {name}, but it has more.",
                "too_slow",
            )


def _pieces(content: bytes, layout: Layout, tags: dict[int, Place]) -> list[tuple[int, int]]:
    """Position and size of each strip or tile."""
    for offsets, sizes in ((324, 325), (273, 279)):
        if offsets in tags and sizes in tags:
            pair = (_all(content, layout, tags[tag]) for tag in (offsets, sizes))
            return list(zip(*pair, strict=False))
    return []


def _all(content: bytes, layout: Layout, place: Place) -> list[int]:
    width = place.size // place.count
    return [
        integer_of(content, layout, Place(place.kind, 1, place.start + width * index, width))
        for index in range(place.count)
    ]
