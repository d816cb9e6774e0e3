"""A JPEG's markers, walked without decoding: how many passes over the picture it asks for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

SOS, EOI = 0xDA, 0xD9
_ALONE = {0x01, *range(0xD0, 0xD9)}  # markers that no length follows
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
        scans += marker == SOS
    return scans


def _markers(content: bytes) -> Iterator[int]:
    """The marker of each segment, up to the end of the first image."""
    at = 2
    while match := _MARKER.search(content, at):
        marker, at = content[match.start() + 1], match.end()
        if marker == EOI:
            return
        yield marker
        if marker not in _ALONE:
            at += int.from_bytes(content[at : at + 2], "big")
