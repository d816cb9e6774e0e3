"""EXIF that was taken apart, written as a block anew, and as the directories of a TIFF file."""

from __future__ import annotations

import struct
from dataclasses import replace

from tintype.imaging.tags.exif import CAMERA, GPS, MAKER_NOTE, MAX_BYTES, Exif
from tintype.imaging.tags.ifd import LONG, Value, integers, write_directory


def write_exif(exif: Exif) -> bytes | None:
    """A block, of at most `MAX_BYTES`; None if there is nothing to say.

    The maker's note is given up where the block would be too long with it; then the rest, if it still is.
    """
    if not (exif.main or exif.camera or exif.gps):
        return None
    whole = _assembled(exif)
    if len(whole) <= MAX_BYTES:
        return whole
    short = _assembled(
        replace(exif, camera={key: exif.camera[key] for key in exif.camera.keys() - {MAKER_NOTE}})
    )
    return short if len(short) <= MAX_BYTES else None


def _assembled(exif: Exif) -> bytes:
    """Header, maker's note at its place, directories."""
    camera, note = dict(exif.camera), exif.camera.get(MAKER_NOTE)
    block = bytearray(8)
    pinned = note is not None and 8 <= exif.note_at <= MAX_BYTES - note.count
    if note is not None and pinned:
        block += bytes(exif.note_at - 8) + note.data + bytes((exif.note_at + len(note.data)) % 2)
        del camera[MAKER_NOTE]
    tail, first = write_tree(replace(exif, camera=camera), len(block), note if pinned else None, exif.note_at)
    struct.pack_into(f"{exif.order}2sHI", block, 0, b"II" if exif.order == "<" else b"MM", 42, first)
    return bytes(block + tail)


def write_tree(exif: Exif, at: int, note: Value | None = None, note_at: int = 0) -> tuple[bytes, int]:
    """The directories, to stand at the even offset `at`; and where the main one is.

    Parameters
    ----------
    note : Value, optional
        The maker's note if it is in the file already, at `note_at`.
    """
    written, main = bytearray(), dict(exif.main)
    for pointer, tags in ((CAMERA, exif.camera), (GPS, exif.gps)):
        pinned = note if pointer == CAMERA else None
        if tags or pinned:
            start = at + len(written)
            main[pointer] = integers(LONG, [start], exif.order)
            written += _with_note(tags, pinned, note_at, exif.order, start)
    first = at + len(written)
    return bytes(written + write_directory(main, exif.order, first)), first


def _with_note(tags: dict[int, Value], note: Value | None, note_at: int, order: str, at: int) -> bytes:
    """A directory whose maker's note is elsewhere."""
    if note is None:
        return write_directory(tags, order, at)
    placeholder = Value(note.kind, note.count, struct.pack(f"{order}I", note_at))
    if len(note.data) <= 4:
        placeholder = note
    return write_directory(tags | {MAKER_NOTE: placeholder}, order, at)
