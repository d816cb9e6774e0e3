"""EXIF (CIPA DC-008): what a photo says of camera, time and place, carried from file to file.

A block is taken apart and written anew, so that nothing hides in it: what was left out is gone from its bytes. Camera
makers' own notes point into the block, so they stay at their place in it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, replace

from tintype.imaging.reading.tiff import SIZES, TagEntry, read_directory, read_integer, read_layout

BYTE, SHORT, LONG, RATIONAL, UNDEFINED = 1, 3, 4, 5, 7  # types of values
CAMERA, GPS = 0x8769, 0x8825
MAX_BYTES = 60_000  # a JPEG segment holds 65533
MAKER_NOTE, _COLOR_SPACE = 0x927C, 0xA001
_ACROSS, _DOWN, _UNIT = 282, 283, 296
# Where a map's corner lies on the Earth (GeoTIFF 1.1), and what GDAL says of it.
_PLACES = {33550, 33922, 34264, 34735, 34736, 34737, 42112, 42113}
# What is true of the file's pixels and nothing else: how they are laid out, their profile, thumbnails, and the other
# metadata, each of which goes its own way. The resolution is `Photo.dpi`.
# fmt: off
_LAYOUT = {
    *(254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, 274, 277, 278, 279, 280, 281, 282, 283, 284),
    *(288, 289, 290, 291, 292, 293, 296, 297, 301, 317, 318, 319, 320, 321, 322, 323, 324, 325, 326, 327, 328),
    *(330, 332, 333, 334, 336, 338, 339, 340, 341, 342, 347, 512, 513, 514, 515, 517, 518, 519, 520, 521),
    *(529, 530, 531, 532, 700, 33723, 34377, 34675, 37724, 50341, CAMERA, GPS),
}
# fmt: on
_CAMERA_LAYOUT = {0xA002, 0xA003, 0xA005}  # width, height, and what the colour space was called in cameras


@dataclass(frozen=True)
class Value:
    """A tag's value: its type, how many there are, and their bytes in the file's byte order."""

    kind: int
    count: int
    data: bytes


@dataclass(frozen=True)
class Exif:
    """A block, taken apart.

    Attributes
    ----------
    order : str
        Byte order of all values, ``"<"`` or ``">"``.
    main, camera, gps : dict of int to Value
        Tags of the picture, of how it was taken, and of where.
    note_at : int
        Where in the block the camera maker's note was; 0 if that means nothing.
    """

    order: str
    main: dict[int, Value] = field(default_factory=dict)
    camera: dict[int, Value] = field(default_factory=dict)
    gps: dict[int, Value] = field(default_factory=dict)
    note_at: int = 0


def parse_exif(content: bytes) -> Exif:
    """Take apart an EXIF block or the tags of a TIFF file, without what is only true of its pixels.

    Raises
    ------
    DirectoryError
        If there is no such block, or its first directory is broken.
    """
    content = content.removeprefix(b"Exif\0\0")
    layout = read_layout(content)
    main, _ = read_directory(content, layout, layout.first)

    def below(tag: int) -> dict[int, Value]:
        at = read_integer(content, layout, main.get(tag))
        tags = read_directory(content, layout, at)[0] if at else {}
        if tag == CAMERA and MAKER_NOTE in tags:
            starts.append(tags[MAKER_NOTE].start)
        return {key: read_value(content, place) for key, place in tags.items() if _fits(place)}

    starts: list[int] = []
    camera, gps = below(CAMERA), below(GPS)
    kept = {key: place for key, place in main.items() if key not in _LAYOUT and _fits(place)}
    return Exif(
        order=layout.order,
        main={key: read_value(content, place) for key, place in kept.items()},
        camera=_as_srgb({key: camera[key] for key in camera.keys() - _CAMERA_LAYOUT}, layout.order),
        gps=gps,
        note_at=starts[0] if starts else 0,
    )


def _fits(place: TagEntry) -> bool:
    """Whether a value can stand in an EXIF block, which knows none of BigTIFF's types."""
    return place.size <= MAX_BYTES and place.kind <= 12


def _as_srgb(camera: dict[int, Value], order: str) -> dict[int, Value]:
    """Pixels are sRGB by now, no matter what the camera was set to."""
    return camera | {_COLOR_SPACE: integers(SHORT, [1], order)} if _COLOR_SPACE in camera else camera


def without_gps(exif: Exif) -> Exif:
    """The same without a place."""
    return replace(exif, gps={}, main={key: exif.main[key] for key in exif.main.keys() - _PLACES})


def read_resolution(block: bytes) -> tuple[float, float] | None:
    """Dots to an inch as an EXIF block says them; None if it does not."""
    content = block.removeprefix(b"Exif\0\0")
    layout = read_layout(content)
    tags, _ = read_directory(content, layout, layout.first)
    places = [tags[tag] for tag in (_ACROSS, _DOWN) if tag in tags and tags[tag].kind == RATIONAL]
    pairs = [struct.unpack_from(f"{layout.order}2I", content, place.start) for place in places]
    if len(pairs) < 2 or any(0 in pair for pair in pairs):
        return None
    inch = 2.54 if read_integer(content, layout, tags.get(_UNIT)) == 3 else 1  # or a centimetre
    across, down = (inch * numerator / denominator for numerator, denominator in pairs)
    return across, down


def resolution_tags(dpi: tuple[float, float], order: str) -> dict[int, Value]:
    """The tags that say how many pixels there are to an inch."""
    across, down = (integers(RATIONAL, [round(value * 1000), 1000], order) for value in dpi)
    return {_ACROSS: across, _DOWN: down, _UNIT: integers(SHORT, [2], order)}


def write_exif(exif: Exif) -> bytes | None:
    """A block, of at most `MAX_BYTES`; None if there is nothing to say.

    Where the block would be too long, the maker's note is left out; if it still is too long, there is no block.
    """
    if not (exif.main or exif.camera or exif.gps):
        return None
    whole = _written_block(exif)
    if len(whole) <= MAX_BYTES:
        return whole
    short = _written_block(
        replace(exif, camera={key: exif.camera[key] for key in exif.camera.keys() - {MAKER_NOTE}})
    )
    return short if len(short) <= MAX_BYTES else None


def _written_block(exif: Exif) -> bytes:
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


def read_value(content: bytes, place: TagEntry) -> Value:
    """A tag's value."""
    return Value(place.kind, place.count, content[place.start : place.start + place.size])


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
