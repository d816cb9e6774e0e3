"""What a file says of its photo beside the pixels: EXIF, XMP, IPTC captions, resolution."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tintype.formats.exif import MAX_BYTES, Exif, parse_exif, read_resolution, read_value, write_exif
from tintype.formats.iptc import RESOURCE, TIFF_TAG
from tintype.formats.xmp import unusable_xmp
from tintype.imaging.reading.orientation import XMP_ORIENTATION, exif_block
from tintype.imaging.reading.tiff import DirectoryError, read_directory, read_layout

_MOST_DPI = 100_000


@dataclass(frozen=True)
class FileMetadata:
    """What a file says of its photo.

    Attributes
    ----------
    exif : bytes or None
        A TIFF structure without orientation, thumbnail and what describes the file's own pixels.
    xmp, iptc : bytes or None
        An XMP packet that speaks of an upright photo; a row of IIM datasets.
    dpi : tuple of float or None
        Resolution across and down.
    notes : tuple of str
        Sentences on what cannot be carried on.
    """

    exif: bytes | None
    xmp: bytes | None
    iptc: bytes | None
    dpi: tuple[float, float] | None
    notes: tuple[str, ...]


def read_metadata(content: bytes, info: Mapping[str, Any], file_format: str) -> FileMetadata:
    """Collect what a file says of its photo.

    Parameters
    ----------
    content : bytes
        Of a file that has been decoded.
    info : mapping of str to Any
        What the decoder found beside the pixels (`tintype.imaging.picture.DecodedFile`).
    file_format : str
        What `sniff` says of it.
    """
    notes: list[str] = []
    block = exif_block(info)
    return FileMetadata(
        exif=_exif(content if file_format == "TIFF" else block, notes),
        xmp=_upright_xmp(info.get("xmp"), notes),
        iptc=_short(_captions(content, info, file_format), notes),
        dpi=_resolution(info.get("dpi")) or _resolution(_exif_resolution(block)),
        notes=tuple(notes),
    )


def _exif(block: bytes | None, notes: list[str]) -> bytes | None:
    """A block written anew, without what is not to be carried on."""
    try:
        exif = parse_exif(block) if block else Exif("<")
    except DirectoryError:
        notes.append("Its EXIF is broken and was left behind.")
        return None
    written = write_exif(exif)
    if written is None and (exif.main or exif.camera or exif.gps):
        notes.append(f"Its EXIF is longer than {MAX_BYTES} bytes and was left behind.")
    return written


def _exif_resolution(block: bytes | None) -> tuple[float, float] | None:
    try:
        return read_resolution(block) if block else None
    except DirectoryError:
        return None  # `_exif` says so


def _upright_xmp(packet: bytes | None, notes: list[str]) -> bytes | None:
    if not packet:
        return None
    if (sentence := unusable_xmp(packet)) is not None:
        notes.append(f"Its XMP was left behind. {sentence}")
        return None
    return XMP_ORIENTATION.sub(rb"\g<1>1", packet)


def _captions(content: bytes, info: Mapping[str, Any], file_format: str) -> bytes | None:
    if file_format == "TIFF":
        layout = read_layout(content)
        place = read_directory(content, layout, layout.first)[0].get(TIFF_TAG)
        return read_value(content, place).data if place else None
    resources = info.get("photoshop")
    record = resources.get(RESOURCE) if isinstance(resources, dict) else None
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
