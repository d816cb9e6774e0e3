"""What is written beside the pixels: chosen by a policy out of what the photo said, and where its colours come from."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Literal

from tintype.formats.exif import Exif, parse_exif, resolution_tags, without_gps, write_exif
from tintype.formats.iptc import CHARACTER_SET, iptc_record, read_record
from tintype.formats.xmp import provenance_xmp, without_place
from tintype.imaging.provenance import Provenance

Policy = Literal["keep", "no-gps", "strip"]
POLICIES: tuple[Policy, ...] = ("keep", "no-gps", "strip")
_UTF8 = b"\x1b%G"


@dataclass(frozen=True)
class OutputMetadata:
    """What goes into a file.

    Attributes
    ----------
    exif : Exif or None
    xmp : bytes or None
        A packet.
    xmp_alone : bytes or None
        The same without what the photo said, for where the packet is too long.
    iptc : bytes or None
        IIM datasets.
    dpi : tuple of float or None
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
        What the photo said.
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
    packet, record = provenance_xmp(provenance, xmp), _merged(iptc, iptc_record(provenance))
    return OutputMetadata(parsed, packet, provenance_xmp(provenance, None), record, dpi)


def _merged(existing: bytes | None, ours: bytes) -> bytes:
    """A photo's captions, in UTF-8, and what is ours in the place of the same datasets."""
    if not existing:
        return ours
    theirs, new = read_record(existing), read_record(ours)
    replaced = {dataset.number for dataset in new}
    unicode = any(dataset.number == CHARACTER_SET and dataset.data == _UTF8 for dataset in theirs)
    kept = [
        (number, data if unicode or number[0] == 1 else data.decode("latin-1").encode())
        for number, data in theirs
        if number not in replaced
    ]
    datasets = sorted([*kept, *new], key=lambda dataset: dataset[0])
    return b"".join(struct.pack(">BBBH", 0x1C, *number, len(data)) + data for number, data in datasets)
