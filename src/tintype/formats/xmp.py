"""Provenance as XMP: what every coloured file says of its colours, and how it is read back.

All software can read the properties of the IPTC Photo Metadata Standard 2025.1; the exact facts stand in a namespace of
our own. Nothing depends on the clock: equal inputs give equal packets.
"""

from __future__ import annotations

import io
import re
import struct
from pathlib import Path
from typing import Any
from xml.dom import minidom

from PIL.AvifImagePlugin import AvifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from tintype.errors import TintypeError
from tintype.formats.xmp_xml import (
    PacketError,
    add_property,
    add_resource,
    empty_packet,
    find_property,
    parse_packet,
    remove_empty,
    remove_properties,
    resources,
    write_packet,
)
from tintype.imaging.provenance import Lineage, Provenance
from tintype.imaging.reading.decode import quiet_decoders
from tintype.imaging.reading.png import ChunkError, read_chunks, xmp_in_text
from tintype.imaging.reading.sniff import sniff

OURS = "urn:tintype:provenance:1#"
IPTC_EXTENSION = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
XMP = "http://ns.adobe.com/xap/1.0/"
_TIFF = "http://ns.adobe.com/tiff/1.0/"
_EXIF = "http://ns.adobe.com/exif/1.0/"
_PREFIXES = {"xmp": XMP, "Iptc4xmpExt": IPTC_EXTENSION, "tintype": OURS}

_SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
# IPTC: "Edited using Generative AI", existing media modified or augmented by a trained model. Of the vocabulary's terms
# it is the one that fits: the photo was taken, its colours were not. `algorithmicallyEnhanced` is for corrections such
# as sharpening, and would hide that the colours are invented; `trainedAlgorithmicMedia` would deny the photo.
COLOURED_PHOTO = _SOURCE_TYPES + "compositeWithTrainedAlgorithmicMedia"
# "Created using Generative AI": a colour layer by itself, which has nothing of the photo in it.
COLOURS_ALONE = _SOURCE_TYPES + "trainedAlgorithmicMedia"

PROGRAM = "Tintype"
_IPTC_NAMES = {"DigitalSourceType", "AISystemUsed", "AISystemVersionUsed"}
_LINEAGE = {
    "Model": "name",
    "ModelVersion": "version",
    "BundleSHA256": "bundle_sha256",
    "RunID": "run_id",
    "GitCommit": "git_commit",
    "DVCLockSHA256": "dvc_lock_sha256",
    "ManifestSHA256": "manifest_sha256",
}
_PLACES = {"LocationCreated", "LocationShown"}
_HEADERS: dict[str, Any] = {
    "JPEG": JpegImageFile,
    "TIFF": TiffImageFile,
    "WEBP": WebPImageFile,
    "AVIF": AvifImageFile,
}
_HEX = re.compile(r"[0-9a-f]{7,64}|")


class ProvenanceError(TintypeError):
    """A file says nothing of where its colours come from, or nothing that can be read."""


def provenance_xmp(
    provenance: Provenance, existing: bytes | None = None, *, source_type: str = COLOURED_PHOTO
) -> bytes:
    """An XMP packet, with its xpacket wrapper, that says where a file's colours come from.

    Parameters
    ----------
    provenance : Provenance
        What to say. Facts that are empty are left out.
    existing : bytes, optional
        The packet that the photo came with. Our properties are added or replaced, all else stays: also
        `dc:description`, which is the owner's, and `xmp:CreatorTool`, which by definition is the first tool; only
        what is no longer true of a coloured, upright photo goes (orientation, thumbnail). A packet that is broken
        or hostile is dropped as a whole; `unusable_xmp` says so in a sentence.
    source_type : str
        IPTC digital source type.

    Returns
    -------
    bytes
        UTF-8. A JPEG file holds at most 65502 bytes of it.

    Raises
    ------
    ValueError
        If a parameter's name holds an equals sign.
    """
    tree = _usable(existing) or empty_packet()
    _remove(tree)
    resource = add_resource(tree, _PREFIXES)
    lineage = provenance.lineage
    add_property(resource, IPTC_EXTENSION, "Iptc4xmpExt:DigitalSourceType", source_type)
    add_property(resource, IPTC_EXTENSION, "Iptc4xmpExt:AISystemUsed", f"{PROGRAM}, model {lineage.name}")
    if lineage.version:
        add_property(resource, IPTC_EXTENSION, "Iptc4xmpExt:AISystemVersionUsed", lineage.version)
    if not find_property(tree, XMP, "CreatorTool"):
        add_property(resource, XMP, "xmp:CreatorTool", PROGRAM)
    facts = {name: getattr(lineage, attribute) for name, attribute in _LINEAGE.items()}
    for name, value in {**facts, "InputSHA256": provenance.input_sha256}.items():
        if value:
            add_property(resource, OURS, f"tintype:{name}", value)
    if provenance.parameters:
        add_property(resource, OURS, "tintype:Parameters", _pairs(provenance))
    return write_packet(tree)


def unusable_xmp(packet: bytes) -> str | None:
    """Why a photo's packet would be dropped by `provenance_xmp`, as a sentence; None if it would be kept."""
    try:
        parse_packet(packet)
    except PacketError as error:
        return str(error)
    return None


def without_provenance(packet: bytes) -> bytes | None:
    """A packet that no longer speaks of AI-made colours; all else stays.

    Parameters
    ----------
    packet : bytes
        From any file.

    Returns
    -------
    bytes or None
        None if nothing is left to say, or the packet is broken or hostile.
    """
    tree = _usable(packet)
    if tree is None:
        return None
    _remove(tree)
    if find_property(tree, XMP, "CreatorTool") == [PROGRAM]:
        remove_properties(tree, XMP, {"CreatorTool"})
    return _written(tree)


def without_place(packet: bytes) -> bytes | None:
    """A packet that no longer tells where the photo was taken by coordinates or IPTC locations; all else stays.

    Parameters
    ----------
    packet : bytes
        From any file.

    Returns
    -------
    bytes or None
        None if nothing is left to say, or the packet is broken or hostile.
    """
    tree = _usable(packet)
    if tree is None:
        return None
    remove_properties(tree, _EXIF, lambda name: name.startswith("GPS"))
    remove_properties(tree, IPTC_EXTENSION, _PLACES)
    return _written(tree)


def read_provenance(source: Path | bytes) -> Provenance:
    """Where a file's colours come from, as the file says it.

    Parameters
    ----------
    source : Path or bytes
        A JPEG, PNG, TIFF, WebP or AVIF file, or its content. Its pixels are not decoded.

    Returns
    -------
    Provenance
        As it was written. It is a statement, not a proof: who can write the file can write another one.

    Raises
    ------
    ProvenanceError
        If the file cannot be read, or holds no provenance of ours, or one that is damaged.
    """
    name = str(source) if isinstance(source, Path) else "the photo"
    try:
        packet = read_xmp(source.read_bytes() if isinstance(source, Path) else source)
    except OSError as error:
        raise ProvenanceError(f"Expected a readable photo at {name}. Received: {error.strerror}.") from None
    if packet is None:
        raise ProvenanceError(
            f"Expected XMP in {name} that says where its colours come from, but it has none. Either Tintype did not "
            "colour it, or something removed its metadata."
        )
    try:
        return _provenance(parse_packet(packet))
    except (PacketError, ProvenanceError) as error:
        raise ProvenanceError(f"{name} does not say where its colours come from. {error}") from None


def _provenance(tree: minidom.Document) -> Provenance:
    digest = _fact(tree, "InputSHA256")
    name = _fact(tree, "Model")
    if not (digest and name):
        raise ProvenanceError("Expected the properties Model and InputSHA256 of Tintype in its XMP.")
    lineage = {attribute: _fact(tree, name) for name, attribute in _LINEAGE.items()}
    pairs = (_printable(pair).partition("=") for pair in find_property(tree, OURS, "Parameters"))
    return Provenance(Lineage(**lineage), digest, {key: value for key, _, value in pairs})


def _fact(tree: minidom.Document, name: str) -> str:
    """A fact in one line, checked where it is a digest: it may go into a query or a command next."""
    value = _printable("".join(find_property(tree, OURS, name)[:1])).strip()
    if name.endswith(("SHA256", "Commit")) and not _HEX.fullmatch(value):
        raise ProvenanceError(f"Expected hexadecimal digits as {name} in its XMP. Received: {value[:80]}.")
    return value


def _printable(text: str) -> str:
    """The text without what would move a terminal's cursor."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _pairs(provenance: Provenance) -> list[str]:
    for key in provenance.parameters:
        if "=" in key:
            raise ValueError(f"Expected parameter names without an equals sign. Received: {key}")
    return [f"{key}={value}" for key, value in sorted(provenance.parameters.items())]


def _usable(packet: bytes | None) -> minidom.Document | None:
    try:
        return parse_packet(packet) if packet else None
    except PacketError:
        return None


def _written(tree: minidom.Document) -> bytes | None:
    remove_empty(tree)
    return write_packet(tree) if any(resources(tree)) else None


def _remove(tree: minidom.Document) -> None:
    """Take out what is ours, and what was true only of the photo as it came."""
    remove_properties(tree, _TIFF, {"Orientation"})  # written photos are upright
    remove_properties(tree, XMP, {"Thumbnails"})  # of the photo as it came
    remove_properties(tree, OURS, lambda _name: True)
    remove_properties(tree, IPTC_EXTENSION, _IPTC_NAMES)
    remove_empty(tree)


def read_xmp(content: bytes) -> bytes | None:
    """The XMP packet of a file.

    Parameters
    ----------
    content : bytes
        Of a JPEG, PNG, TIFF, WebP or AVIF file.

    Returns
    -------
    bytes or None
        The packet as it stands there, unchecked; None if there is none, or the file is broken before it, or of
        another format.
    """
    file_format = sniff(content)
    if file_format == "PNG":
        return _png_xmp(content)
    return _header_xmp(_HEADERS[file_format], content) if file_format in _HEADERS else None


def _header_xmp(header: Any, content: bytes) -> bytes | None:
    """What Pillow's readers of headers find; `Image.open` would do the same, but refuses large photos."""
    try:
        with quiet_decoders, header(io.BytesIO(content)) as image:
            packet = image.info.get("xmp")
    # Pillow's readers answer broken files with all of these.
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, struct.error):
        return None
    return packet if isinstance(packet, bytes) else None


def _png_xmp(content: bytes) -> bytes | None:
    """Pillow knows the texts behind the pixels only after it decoded these."""
    try:
        for kind, data in read_chunks(content, lambda: None):
            packet = xmp_in_text(bytes(data)) if kind == b"iTXt" else None
            if packet is not None:
                return packet
    except ChunkError:
        return None
    return None
