"""How many pictures a file holds, counted without decoding one, and no further than is allowed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tintype.imaging.tags.ifd import DirectoryError, integer_of, read_directory, read_layout

_REDUCED = 1  # of TIFF's NewSubfileType: a smaller version of another page
_TRAILER, _EXTENSION, _PICTURE = 0x3B, 0x21, 0x2C  # GIF89a, appendix A


def count_frames(content: bytes, image: Any, most: int, check: Callable[[], None]) -> int:
    """Pictures in a file.

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
        pages += not integer_of(content, layout, tags.get(254)) & _REDUCED
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
