"""How much a file asks of a decoder, counted without decoding: pictures, and passes over a JPEG's picture."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from tintype.imaging.reading.tiff import DirectoryError, read_directory, read_integer, read_layout

_REDUCED = 1  # of TIFF's NewSubfileType: a smaller version of another page
_TRAILER, _EXTENSION, _PICTURE = 0x3B, 0x21, 0x2C  # GIF89a, appendix A
_SOS, _EOI = 0xDA, 0xD9
_ALONE = {0x01, *range(0xD0, 0xD9)}  # JPEG's markers that no length follows
# The end of entropy-coded data: a marker that is neither a stuffed 0xFF nor a restart, nor fill.
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def count_scans(content: bytes, check: Callable[[], None]) -> int:
    """Passes over the picture that a JPEG file asks for; only its first image is walked.

    Parameters
    ----------
    content : bytes
        A file that begins as a JPEG.
    check : callable
        Called at each marker; ends what takes too long with an exception.

    Returns
    -------
    int
        1 for a baseline file, about 10 for a progressive one. Of a broken file, as many as stand before the break.
    """
    scans = 0
    for marker in _markers(content):
        check()
        scans += marker == _SOS
    return scans


def _markers(content: bytes) -> Iterator[int]:
    """The marker of each segment, up to the end of the first image."""
    at = 2
    while match := _MARKER.search(content, at):
        marker, at = content[match.start() + 1], match.end()
        if marker == _EOI:
            return
        yield marker
        if marker not in _ALONE:
            at += int.from_bytes(content[at : at + 2], "big")


def count_frames(content: bytes, image: Any, most: int, check: Callable[[], None]) -> int:
    """Pictures in a file, counted no further than is allowed.

    Parameters
    ----------
    content : bytes
        Of the file.
    image : PIL.Image.Image
        The same file, opened but not decoded.
    most : int
        Where counting ends.
    check : callable
        Called again and again; ends what takes too long with an exception.

    Returns
    -------
    int
        At most `most` + 1.
    """
    if image.format == "TIFF":
        return _count_pages(content, most, check)
    if image.format == "GIF":
        return _count_gif(content, most, check)
    return min(getattr(image, "n_frames", 1), most + 1)  # the others say it in their header


def _count_pages(content: bytes, most: int, check: Callable[[], None]) -> int:
    """Pages of a TIFF file: directories that are not a page's smaller version."""
    layout = read_layout(content)
    at, seen, pages = layout.first, set[int](), 0
    while at and at not in seen and pages <= most:
        check()
        seen.add(at)
        try:
            tags, at = read_directory(content, layout, at)
        except DirectoryError:
            break  # the first page may be whole all the same
        pages += not read_integer(content, layout, tags.get(254)) & _REDUCED
    return max(1, pages)


def _count_gif(content: bytes, most: int, check: Callable[[], None]) -> int:
    """Pictures of a GIF file, up to its end or its first break."""
    at, frames = 13 + _table_size(content[10]), 0
    while at < len(content) and content[at] != _TRAILER and frames <= most:
        if content[at] == _PICTURE and at + 10 < len(content):
            frames += 1
            at += 11 + _table_size(content[at + 9])  # and the size of LZW's first codes
        elif content[at] == _EXTENSION:
            at += 2
        else:
            break
        while at < len(content) and content[at]:
            check()
            at += 1 + content[at]
        at += 1
    return max(1, frames)


def _table_size(flags: int) -> int:
    """Bytes of the colour table that flags announce."""
    return 3 * 2 ** (1 + (flags & 7)) if flags & 0x80 else 0
