"""What coloured files say of their colours, read back by us, by Pillow and by a plain XML parser."""

from __future__ import annotations

import io
import struct
import xml.etree.ElementTree as ET
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from tintype.formats.xmp import (
    COLOURED_PHOTO,
    ProvenanceError,
    provenance_xmp,
    read_provenance,
    unusable_xmp,
    without_place,
    without_provenance,
)
from tintype.imaging.provenance import Lineage, Provenance

LINEAGE = Lineage("tintype", "3", "a" * 64, "run 7", "b" * 40, "c" * 64, "d" * 64)
MADE = Provenance(LINEAGE, "e" * 64, {"saturation": "1.25", "backend": "openvino"})

NAMES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "iptc": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "ours": "urn:tintype:provenance:1#",
}


def _packet(properties: str) -> bytes:
    """A packet as other software writes it."""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        f'<rdf:RDF xmlns:rdf="{NAMES["rdf"]}">{properties}</rdf:RDF></x:xmpmeta>'
        + " " * 100
        + '<?xpacket end="w"?>'
    ).encode()


OWNERS = _packet(
    f'<rdf:Description rdf:about="uuid:1" xmlns:xmp="{NAMES["xmp"]}" xmlns:e="http://ns.adobe.com/exif/1.0/" '
    'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmp:CreatorTool="SilverFast" e:GPSLatitude="48,8N" '
    f'tiff:Orientation="6" xmlns:i="{NAMES["iptc"]}" i:DigitalSourceType="urn:print">'
    f'<dc:description xmlns:dc="{NAMES["dc"]}"><rdf:Alt><rdf:li xml:lang="x-default">Großmutter &amp; ich</rdf:li>'
    "</rdf:Alt></dc:description></rdf:Description>"
)

OTHERS_BROKEN = {
    "empty": b"",
    "zeros": b"\0" * 100,
    "no text": b"\xff" * 9,
    "cut": OWNERS[:300],
    "bomb": b'<!DOCTYPE x [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>' + _packet("&b;"),
    "bomb in UTF-16": ('<!DOCTYPE x [<!ENTITY a "a">]>' + _packet("&a;").decode()).encode("utf-16"),
    "file inclusion": b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + _packet("&a;"),
    "deep": _packet("<a>" * 5000 + "</a>" * 5000),
    "wide": _packet("<a/>" * 100_000),
    "many attributes": _packet("<a " + " ".join(f'b{i}="1"' for i in range(30_000)) + "/>"),
    "large": _packet("<a>" + "x" * 5_000_000 + "</a>"),
    "no RDF": b"<x/>",
    "unbound prefix": _packet("<q:a/>"),
}


def _resources(packet: bytes) -> list[ET.Element]:
    return ET.fromstring(packet.decode()).findall("rdf:RDF/rdf:Description", NAMES)


def _text(packet: bytes, name: str) -> str | None:
    prefix, _, local = name.partition(":")
    for resource in _resources(packet):
        attribute = resource.get(f"{{{NAMES[prefix]}}}{local}")
        found = attribute if attribute is not None else resource.findtext(name, None, NAMES)
        if found is not None:
            return found
    return None


def _jpeg(xmp: bytes) -> bytes:
    return _saved("JPEG", xmp=xmp)


def _saved(file_format: str, **options: object) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (16, 8), (90, 120, 60)).save(file, file_format, **options)  # type: ignore[arg-type]
    return file.getvalue()


def _png(xmp: bytes) -> bytes:
    texts = PngImagePlugin.PngInfo()
    texts.add_itxt("XML:com.adobe.xmp", xmp.decode())
    return _saved("PNG", pnginfo=texts)


def _png_with_text_at_the_end(xmp: bytes) -> bytes:
    content, body = _saved("PNG"), b"iTXtXML:com.adobe.xmp\0\0\0\0\0" + xmp
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return content[:-12] + chunk + content[-12:]


FILES: dict[str, Callable[[bytes], bytes]] = {
    "JPEG": _jpeg,
    "PNG": _png,
    "PNG with text at the end": _png_with_text_at_the_end,
    "TIFF": lambda xmp: _saved("TIFF", tiffinfo={700: xmp}),
    "WebP": lambda xmp: _saved("WEBP", xmp=xmp),
    "AVIF": lambda xmp: _saved("AVIF", xmp=xmp),
}


@pytest.mark.parametrize("kind", FILES)
def test_provenance_is_read_back_from_a_file(kind: str) -> None:
    assert read_provenance(FILES[kind](provenance_xmp(MADE))) == MADE


def test_provenance_is_read_back_from_a_path(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(_jpeg(provenance_xmp(MADE)))
    assert read_provenance(tmp_path / "a.jpg") == MADE


def test_a_photo_larger_than_pillow_opens_is_read_too() -> None:
    header = struct.pack(">4sIIBBBBB", b"IHDR", 100_000, 100_000, 8, 2, 0, 0, 0)
    content = _png(provenance_xmp(MADE))
    huge = content[:8] + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header)) + content[33:]
    assert read_provenance(huge) == MADE


def test_everyones_software_finds_the_iptc_properties() -> None:
    packet = provenance_xmp(MADE)
    assert _text(packet, "iptc:DigitalSourceType") == COLOURED_PHOTO
    assert _text(packet, "iptc:AISystemUsed") == "Tintype, model tintype"
    assert _text(packet, "iptc:AISystemVersionUsed") == "3"
    assert _text(packet, "xmp:CreatorTool") == "Tintype"


def test_pillow_finds_the_packet() -> None:
    with Image.open(io.BytesIO(_jpeg(provenance_xmp(MADE)))) as image:
        assert image.info["xmp"] == provenance_xmp(MADE)


def test_a_fact_that_is_not_known_is_not_stated() -> None:
    packet = provenance_xmp(Provenance(Lineage("tintype"), "e" * 64))
    assert _text(packet, "iptc:AISystemVersionUsed") is None
    assert _text(packet, "ours:RunID") is None
    assert read_provenance(_jpeg(packet)) == Provenance(Lineage("tintype"), "e" * 64, {})


def test_equal_provenance_gives_equal_packets_whatever_the_order_of_parameters() -> None:
    turned = Provenance(LINEAGE, "e" * 64, dict(reversed(MADE.parameters.items())))
    assert provenance_xmp(MADE, OWNERS) == provenance_xmp(turned, OWNERS)


def test_the_owners_properties_stay() -> None:
    packet = provenance_xmp(MADE, OWNERS)
    first = _resources(packet)[0]
    assert first.findtext("dc:description/rdf:Alt/rdf:li", None, NAMES) == "Großmutter & ich"
    assert _text(packet, "xmp:CreatorTool") == "SilverFast"
    assert b"GPSLatitude" in packet
    assert read_provenance(_jpeg(packet)) == MADE


def test_all_properties_are_about_the_same_thing() -> None:
    abouts = {
        resource.get(f"{{{NAMES['rdf']}}}about") for resource in _resources(provenance_xmp(MADE, OWNERS))
    }
    assert abouts == {"uuid:1"}


def test_what_no_longer_holds_goes() -> None:
    packet = provenance_xmp(MADE, OWNERS)
    assert b"Orientation" not in packet
    assert _text(packet, "iptc:DigitalSourceType") == COLOURED_PHOTO
    assert packet.count(b"DigitalSourceType>") == 2


def test_colouring_twice_says_it_once() -> None:
    again = Provenance(LINEAGE, "f" * 64)
    packet = provenance_xmp(again, provenance_xmp(MADE, OWNERS))
    assert packet == provenance_xmp(again, OWNERS)


def test_a_packet_in_utf16_is_kept() -> None:
    packet = provenance_xmp(MADE, OWNERS.decode().replace("\ufeff", "").encode("utf-16"))
    assert packet == provenance_xmp(MADE, OWNERS)


@pytest.mark.parametrize("kind", OTHERS_BROKEN)
def test_a_broken_or_hostile_packet_is_dropped_and_the_reason_is_a_sentence(kind: str) -> None:
    reason = unusable_xmp(OTHERS_BROKEN[kind])
    assert reason is not None
    assert reason.startswith("Expected")
    assert reason.endswith(".")
    assert provenance_xmp(MADE, OTHERS_BROKEN[kind]) == provenance_xmp(MADE)
    assert without_provenance(OTHERS_BROKEN[kind]) is None


def test_a_packet_that_is_kept_has_no_reason_to_be_dropped() -> None:
    assert unusable_xmp(OWNERS) is None


def test_letters_that_xml_cannot_hold_are_replaced() -> None:
    odd = Provenance(Lineage("a\x1b[2J\ud800<&>\"'b"), "e" * 64, {"<&": "x\0=y"})
    read = read_provenance(_jpeg(provenance_xmp(odd)))
    assert read.lineage.name == "a\ufffd[2J\ufffd<&>\"'b"
    assert read.parameters == {"<&": "x\ufffd=y"}


def test_a_parameters_name_with_an_equals_sign_is_refused() -> None:
    with pytest.raises(ValueError, match="equals sign"):
        provenance_xmp(Provenance(LINEAGE, "e" * 64, {"a=b": "c"}))


def test_without_provenance_the_owners_properties_remain() -> None:
    packet = without_provenance(provenance_xmp(MADE, OWNERS))
    assert packet is not None
    assert b"tintype" not in packet.lower()
    assert b"DigitalSourceType" not in packet
    assert _text(packet, "xmp:CreatorTool") == "SilverFast"
    assert b"GPSLatitude" in packet


def test_without_provenance_nothing_remains_of_ours_alone() -> None:
    assert without_provenance(provenance_xmp(MADE)) is None


def test_without_place_all_but_the_coordinates_remains() -> None:
    packet = without_place(OWNERS)
    assert packet is not None
    assert b"GPS" not in packet
    assert _text(packet, "xmp:CreatorTool") == "SilverFast"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "has none"),
        (b"hello", "has none"),
        (_saved("JPEG"), "has none"),
        (_saved("PNG"), "has none"),
        (_saved("TIFF"), "has none"),
        (_jpeg(OWNERS), "properties Model and InputSHA256"),
        (_jpeg(b"<broken"), "well-formed"),
        (_jpeg(provenance_xmp(MADE).replace(b"e" * 64, b"' OR 1=1" + b"e" * 56)), "hexadecimal"),
        (_jpeg(provenance_xmp(MADE).replace(b"b" * 40, b"--output=/tmp/x")), "hexadecimal"),
    ],
)
def test_a_file_without_provenance_of_ours_is_reported_in_a_sentence(content: bytes, words: str) -> None:
    with pytest.raises(ProvenanceError, match=words):
        read_provenance(content)


@pytest.mark.parametrize("kind", FILES)
def test_a_file_cut_anywhere_is_read_or_refused(kind: str) -> None:
    content = FILES[kind](provenance_xmp(MADE))
    outcomes = {_outcome(content[:length]) for length in range(0, len(content), 37)}
    assert outcomes - {"read"} == {"refused"}


def _outcome(content: bytes) -> str:
    try:
        return "read" if read_provenance(content) == MADE else "misread"
    except ProvenanceError:
        return "refused"


def test_a_missing_file_is_reported_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ProvenanceError, match="No such file"):
        read_provenance(tmp_path / "none.jpg")


def test_the_compact_form_that_other_software_rewrites_it_to_is_read() -> None:
    facts = f'ours:Model="tintype" ours:InputSHA256="{"e" * 64}" ours:Parameters="saturation=1"'
    packet = _packet(f'<rdf:Description rdf:about="" xmlns:ours="{NAMES["ours"]}" {facts}/>')
    assert read_provenance(_jpeg(packet)) == Provenance(Lineage("tintype"), "e" * 64, {"saturation": "1"})


def test_a_terminals_commands_are_taken_out() -> None:
    packet = provenance_xmp(MADE).replace(b"run 7", "run\u009b2J7".encode())
    assert read_provenance(_jpeg(packet)).lineage.run_id == "run 2J7"
