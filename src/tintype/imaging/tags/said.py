"""What a file says of its photo beside the pixels: EXIF, XMP, IPTC captions, resolution, orientation."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from tintype.imaging.codec.png_chunks import read_chunks, xmp_of_text
from tintype.imaging.tags.exif import MAX_BYTES, Exif, parse_exif, resolution_of
from tintype.imaging.tags.exif_block import write_exif
from tintype.imaging.tags.ifd import DirectoryError, read_directory, read_layout, value_of
from tintype.imaging.tags.iptc import TIFF_TAG
from tintype.imaging.tags.xmp import unusable_xmp

_ORIENTATION = re.compile(rb"(tiff:Orientation(?:\s*=\s*[\"']|>))([1-8])")
_IPTC_RESOURCE = 0x0404
_MOST_DPI = 100_000


@dataclass(frozen=True)
class Said:
    """What a file says of its photo.

    Attributes
    ----------
    exif : bytes or None
        A TIFF structure without orientation, thumbnail and what describes the file's own pixels.
    xmp, iptc : bytes or None
        An XMP packet that speaks of an upright photo; a row of IIM datasets.
    dpi : tuple of float or None
        Resolution across and down.
    orientation : int
        What is still to be done to the decoded pixels, 1 if nothing.
    notes : tuple of str
        Sentences on what cannot be carried on.
    """

    exif: bytes | None
    xmp: bytes | None
    iptc: bytes | None
    dpi: tuple[float, float] | None
    orientation: int
    notes: tuple[str, ...]


def said_by(content: bytes, image: Any, file_format: str) -> Said:
    """Collect it.

    Parameters
    ----------
    content : bytes
        Of the file.
    image : PIL.Image.Image
        The same file, opened and, unless it is a PNG or TIFF with 16-bit colours, decoded.
    file_format : str
        What `sniff` says of it.
    """
    notes: list[str] = []
    block, packet = image.info.get("exif") or _exif_as_text(image.info), image.info.get("xmp")
    if (
        file_format == "PNG" and image.tile
    ):  # not decoded by Pillow, which knows what follows the pixels only then
        block, packet = _behind_pixels(content, block, packet)
    exif = _parsed(content if file_format == "TIFF" else block, notes)
    orientation = exif.orientation or _orientation_of(packet)
    return Said(
        exif=_written(exif, notes),
        xmp=_upright_packet(packet, notes),
        iptc=_short(_captions(content, image, file_format), notes),
        dpi=_resolution(image.info.get("dpi")) or _resolution(_resolution_of(block)),
        orientation=1 if file_format == "TIFF" else orientation,  # Pillow and OpenCV turned it
        notes=tuple(notes),
    )


def _exif_as_text(info: dict[str, Any]) -> bytes | None:
    """How ImageMagick kept EXIF in PNG before there was a chunk for it: three lines, then hexadecimal ones."""
    text = info.get("Raw profile type exif")
    try:
        return bytes.fromhex("".join(text.split("\n")[3:])) if isinstance(text, str) else None
    except ValueError:
        return None


def _behind_pixels(
    content: bytes, block: bytes | None, packet: bytes | None
) -> tuple[bytes | None, bytes | None]:
    for kind, data in read_chunks(content, lambda: None):
        if kind == b"eXIf":
            block = bytes(data)
        elif kind == b"iTXt":
            packet = xmp_of_text(bytes(data)) or packet
    return block, packet


def _parsed(block: bytes | None, notes: list[str]) -> Exif:
    if not block:
        return Exif("<")
    try:
        return parse_exif(block)
    except DirectoryError:
        notes.append("Its EXIF is broken and was left behind.")
        return Exif("<")


def _resolution_of(block: bytes | None) -> tuple[float, float] | None:
    try:
        return resolution_of(block) if block else None
    except DirectoryError:
        return None  # `_parsed` says so


def _written(exif: Exif, notes: list[str]) -> bytes | None:
    block = write_exif(exif)
    if block is None and (exif.main or exif.camera or exif.gps):
        notes.append(f"Its EXIF is longer than {MAX_BYTES} bytes and was left behind.")
    return block


def _orientation_of(packet: bytes | None) -> int:
    match = _ORIENTATION.search(packet or b"")
    return int(match[2]) if match else 1


def _upright_packet(packet: bytes | None, notes: list[str]) -> bytes | None:
    if not packet:
        return None
    if (sentence := unusable_xmp(packet)) is not None:
        notes.append(f"Its XMP was left behind. {sentence}")
        return None
    return _ORIENTATION.sub(rb"\g<1>1", packet)


def _captions(content: bytes, image: Any, file_format: str) -> bytes | None:
    if file_format == "TIFF":
        layout = read_layout(content)
        place = read_directory(content, layout, layout.first)[0].get(TIFF_TAG)
        return value_of(content, place).data if place else None
    resources = image.info.get("photoshop")
    record = resources.get(_IPTC_RESOURCE) if isinstance(resources, dict) else None
    return record if isinstance(record, bytes) else None


def _short(record: bytes | None, notes: list[str]) -> bytes | None:
    """Captions as long as a JPEG's segment can hold."""
    if record is None or len(record) <= MAX_BYTES:
        return record
    notes.append(f"Its IPTC captions are longer than {MAX_BYTES} bytes and were left behind.")
    return None


def _resolution(dpi: Any) -> tuple[float, float] | None:
    """Dots to an inch, where they are numbers that make sense."""
    try:
        across, down = (float(value) for value in dpi)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    usable = all(math.isfinite(value) and 0 < value <= _MOST_DPI for value in (across, down))
    return (across, down) if usable else None
