"""Every file that is written says where its colours come from, beside what its owner said."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, IptcImagePlugin

from tintype.formats.iptc import INSTRUCTIONS, iptc_record, photoshop_block
from tintype.formats.photo import Photo, encode_photo, read_photo
from tintype.formats.xmp import read_provenance
from tintype.imaging.finding import WRITABLE
from tintype.imaging.provenance import Lineage, Provenance

MADE = Provenance(
    Lineage("tintype", "3", "a" * 64, "r7", "b" * 40, "c" * 64, "d" * 64), "e" * 64, {"saturation": "1"}
)
CAPTION, KEYWORD = (2, 120), (2, 25)
FORMATS = sorted(set(WRITABLE.values()))


def _owners_packet(extra: str = "") -> bytes:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:e="http://ns.adobe.com/exif/1.0/" xmlns:u="urn:u" e:GPSLatitude="48,8N" '
        f'u:shelf="42">{extra}</rdf:Description></rdf:RDF></x:xmpmeta>'
    ).encode()


def _owned(cat: NDArray[np.uint8], packet: bytes) -> Photo:
    """A photo with XMP and with IPTC in Latin-1, as software of the nineties wrote it."""
    record = b"".join(
        struct.pack(">BBBH", 0x1C, *number, len(data)) + data
        for number, data in ((KEYWORD, b"family"), (CAPTION, "Großmutter".encode("latin-1")))
    )
    file = io.BytesIO()
    block = photoshop_block(record)
    extra = struct.pack(">HH", 0xFFED, len(block) + 2) + block
    Image.fromarray(cat).save(file, "JPEG", xmp=packet, extra=extra)
    return read_photo(file.getvalue())


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("file_format", FORMATS)
def test_each_format_says_it_in_xmp(cat: NDArray[np.uint8], file_format: str, depth: type) -> None:
    pixels = cat.astype(depth) * (257 if depth is np.uint16 else 1)
    content = encode_photo(pixels, file_format, provenance=MADE)
    assert read_provenance(content) == MADE
    assert encode_photo(pixels, file_format, provenance=MADE) == content


@pytest.mark.parametrize("file_format", ["JPEG", "TIFF"])
def test_jpeg_and_tiff_say_it_in_iptc_too_and_keep_the_captions(
    cat: NDArray[np.uint8], file_format: str
) -> None:
    content = encode_photo(cat, file_format, like=_owned(cat, _owners_packet()), provenance=MADE)
    with Image.open(io.BytesIO(content)) as image:
        datasets = IptcImagePlugin.getiptcinfo(image)
    assert datasets is not None
    assert b"AI-made" in datasets[INSTRUCTIONS]
    assert datasets[INSTRUCTIONS] in iptc_record(MADE)
    assert datasets[CAPTION].decode() == "Großmutter"  # now in UTF-8, as the record says
    assert datasets[KEYWORD] == b"family"


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize(
    ("metadata", "place", "shelf"), [("keep", True, True), ("no-gps", False, True), ("strip", False, False)]
)
def test_of_the_owners_xmp_what_the_policy_says_stays(
    cat: NDArray[np.uint8], file_format: str, metadata: str, place: bool, shelf: bool
) -> None:
    content = encode_photo(
        cat,
        file_format,
        like=_owned(cat, _owners_packet()),
        provenance=MADE,
        metadata=metadata,  # type: ignore[arg-type]
    )
    assert read_provenance(content) == MADE
    assert (b"GPSLatitude" in content) == place
    assert (b"shelf" in content) == shelf


def test_where_the_owners_xmp_is_too_long_for_jpeg_the_provenance_is_there_nevertheless(
    cat: NDArray[np.uint8],
) -> None:
    packet = _owners_packet(f"<u:story>{'long ' * 12_900}</u:story>")  # alone it fits
    photo = _owned(cat, packet)
    assert photo.xmp is not None
    assert read_provenance(encode_photo(cat, "JPEG", like=photo, provenance=MADE)) == MADE
    assert b"shelf" in encode_photo(cat, "PNG", like=photo, provenance=MADE)


def test_colouring_a_coloured_photo_replaces_what_it_said(cat: NDArray[np.uint8]) -> None:
    first = encode_photo(cat, "JPEG", provenance=MADE)
    again = Provenance(Lineage("tintype", "4"), "f" * 64)
    content = encode_photo(cat, "JPEG", like=read_photo(first), provenance=again)
    assert read_provenance(content) == again
    assert b"e" * 64 not in content
