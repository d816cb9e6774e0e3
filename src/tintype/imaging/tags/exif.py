"""EXIF (CIPA DC-008): what a photo tells of camera, time and place, carried from file to file.

A block is taken apart and written anew, so that nothing hides in it: what was left out is gone from its bytes. Camera
makers' own notes point into the block, so they stay at their place in it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, replace

from tintype.imaging.tags.ifd import (
    RATIONAL,
    SHORT,
    Place,
    Value,
    integer_of,
    integers,
    read_directory,
    read_layout,
    value_of,
)

ORIENTATION, CAMERA, GPS = 0x0112, 0x8769, 0x8825
MAX_BYTES = 60_000  # a JPEG segment holds 65533
MAKER_NOTE, _COLOR_SPACE = 0x927C, 0xA001
_ACROSS, _DOWN, _UNIT = 282, 283, 296
# Where a map's corner lies on the Earth (GeoTIFF 1.1), and what GDAL says of it.
_PLACES = {33550, 33922, 34264, 34735, 34736, 34737, 42112, 42113}
# What is true of the file's pixels and nothing else: how they are laid out, their profile, thumbnails, and the other
# metadata, each of which goes its own way. The resolution is `Photo.dpi`.
_LAYOUT = {
    *(
        254,
        255,
        256,
        257,
        258,
        259,
        262,
        263,
        264,
        265,
        266,
        273,
        274,
        277,
        278,
        279,
        280,
        281,
        282,
        283,
        284,
    ),
    *(
        288,
        289,
        290,
        291,
        292,
        293,
        296,
        297,
        301,
        317,
        318,
        319,
        320,
        321,
        322,
        323,
        324,
        325,
        326,
        327,
        328,
    ),
    *(330, 332, 333, 334, 336, 338, 339, 340, 341, 342, 347, 512, 513, 514, 515, 517, 518, 519, 520, 521),
    *(529, 530, 531, 532, 700, 33723, 34377, 34675, 37724, 50341, CAMERA, GPS),
}
_CAMERA_LAYOUT = {0xA002, 0xA003, 0xA005}  # width, height, and what the colour space was called in cameras


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
    orientation : int
        1 to 8; 0 if it is not said.
    """

    order: str
    main: dict[int, Value] = field(default_factory=dict)
    camera: dict[int, Value] = field(default_factory=dict)
    gps: dict[int, Value] = field(default_factory=dict)
    note_at: int = 0
    orientation: int = 0


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
        at = integer_of(content, layout, main.get(tag))
        tags = read_directory(content, layout, at)[0] if at else {}
        if tag == CAMERA and MAKER_NOTE in tags:
            starts.append(tags[MAKER_NOTE].start)
        return {key: value_of(content, place) for key, place in tags.items() if _fits(place)}

    starts: list[int] = []
    camera, gps = below(CAMERA), below(GPS)
    kept = {key: place for key, place in main.items() if key not in _LAYOUT and _fits(place)}
    return Exif(
        order=layout.order,
        main={key: value_of(content, place) for key, place in kept.items()},
        camera=_as_srgb({key: camera[key] for key in camera.keys() - _CAMERA_LAYOUT}, layout.order),
        gps=gps,
        note_at=starts[0] if starts else 0,
        orientation=integer_of(content, layout, main.get(ORIENTATION)),
    )


def _fits(place: Place) -> bool:
    """Whether a value can stand in an EXIF block, which knows none of BigTIFF's types."""
    return place.size <= MAX_BYTES and place.kind <= 12


def _as_srgb(camera: dict[int, Value], order: str) -> dict[int, Value]:
    """Pixels are sRGB by now, whatever the camera was set to."""
    return camera | {_COLOR_SPACE: integers(SHORT, [1], order)} if _COLOR_SPACE in camera else camera


def without_gps(exif: Exif) -> Exif:
    """The same without a place."""
    return replace(exif, gps={}, main={key: exif.main[key] for key in exif.main.keys() - _PLACES})


def resolution_of(block: bytes) -> tuple[float, float] | None:
    """Dots to an inch as an EXIF block says them; None if it does not."""
    content = block.removeprefix(b"Exif\0\0")
    layout = read_layout(content)
    tags, _ = read_directory(content, layout, layout.first)
    places = [tags[tag] for tag in (_ACROSS, _DOWN) if tag in tags and tags[tag].kind == RATIONAL]
    pairs = [struct.unpack_from(f"{layout.order}2I", content, place.start) for place in places]
    if len(pairs) < 2 or any(0 in pair for pair in pairs):
        return None
    inch = 2.54 if integer_of(content, layout, tags.get(_UNIT)) == 3 else 1  # or a centimetre
    across, down = (inch * numerator / denominator for numerator, denominator in pairs)
    return across, down


def resolution_tags(dpi: tuple[float, float], order: str) -> dict[int, Value]:
    """The tags that say how many pixels there are to an inch."""
    across, down = (integers(RATIONAL, [round(value * 1000), 1000], order) for value in dpi)
    return {_ACROSS: across, _DOWN: down, _UNIT: integers(SHORT, [2], order)}
