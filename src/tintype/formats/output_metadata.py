"""What is written beside the pixels: what a photo says, as far as a policy allows, and where its colours come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tintype.formats.exif import Exif, parse_exif, resolution_tags, without_gps, write_exif
from tintype.formats.iptc import iptc_record, merge_records
from tintype.formats.xmp import provenance_xmp, without_place
from tintype.imaging.provenance import Provenance

Policy = Literal["keep", "no-gps", "strip"]
POLICIES: tuple[Policy, ...] = ("keep", "no-gps", "strip")


@dataclass(frozen=True)
class OutputMetadata:
    """What goes into a file.

    Attributes
    ----------
    exif : Exif or None
    xmp : bytes or None
        A packet.
    xmp_alone : bytes or None
        Our part of it alone, for where the whole packet is too long.
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
