"""What files say beside the pixels, EXIF, XMP, IPTC captions and resolution: read from one, and chosen for another."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tintype.formats.exif import (
    MAX_BYTES,
    Exif,
    parse_exif,
    read_resolution,
    read_value,
    resolution_tags,
    without_gps,
    write_exif,
)
from tintype.formats.iptc import RESOURCE, TIFF_TAG, iptc_record, merge_records
from tintype.formats.xmp import provenance_xmp, unusable_xmp, without_place
from tintype.imaging.provenance import Provenance
from tintype.imaging.reading.orientation import XMP_ORIENTATION, exif_block
from tintype.imaging.reading.tiff import DirectoryError, read_directory, read_layout

Policy = Literal["keep", "no-gps", "strip"]
POLICIES: tuple[Policy, ...] = ("keep", "no-gps", "strip")
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


@dataclass(frozen=True)
class OutputMetadata:
    """What goes into a file.

    Attributes
    ----------
    xmp : bytes or None
        A packet.
    xmp_alone : bytes or None
        Our part of it alone, for where the whole packet is too long.
    iptc : bytes or None
        IIM datasets.
    """

    exif: Exif | None = None
    xmp: bytes | None = None
    xmp_alone: bytes | None = None
    iptc: bytes | None = None
    dpi: tuple[float, float] | None = None

    def exif_block(self, *, with_resolution: bool) -> bytes | None:
        """The EXIF block; with the resolution in it for formats that keep it nowhere else."""
        exif = self.exif or Exif("<")
        if with_resolution and self.dpi:
            exif = Exif(exif.order, exif.main | resolution_tags(self.dpi, exif.order), exif.camera, exif.gps)
        return write_exif(exif)


def output_metadata(
    exif: bytes | None,
    xmp: bytes | None,
    iptc: bytes | None,
    dpi: tuple[float, float] | None,
    *,
    provenance: Provenance | None,
    metadata: Policy,
) -> OutputMetadata:
    """What goes into a file.

    Parameters
    ----------
    exif, xmp, iptc, dpi
        What the photo's file says.
    provenance : Provenance, optional
        Where its colours come from.
    metadata : {"keep", "no-gps", "strip"}
        All of it; all but where it was taken; only the resolution.

    Raises
    ------
    ValueError
        If there is no such policy.
    """
    if metadata not in POLICIES:
        raise ValueError(f"Expected a policy out of {', '.join(POLICIES)}. Received: {metadata}.")
    if metadata == "strip":
        exif = xmp = iptc = None
    parsed = parse_exif(exif) if exif else None
    if metadata == "no-gps":
        parsed, xmp = parsed and without_gps(parsed), xmp and without_place(xmp)
    if provenance is None:
        return OutputMetadata(parsed, xmp, None, iptc, dpi)
    packet, record = provenance_xmp(provenance, xmp), merge_records(iptc, iptc_record(provenance))
    return OutputMetadata(parsed, packet, provenance_xmp(provenance, None), record, dpi)
