from __future__ import annotations

import io

import pytest
from PIL import Image

from tintype.imaging.reading.sniff import FORMATS, sniff


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF", "AVIF"])
def test_what_an_encoder_writes_is_known(file_format: str) -> None:
    stream = io.BytesIO()
    Image.new("RGB", (9, 7), "teal").save(stream, file_format)
    assert sniff(stream.getvalue()) == file_format
    assert sniff(stream.getvalue()[:64]) == file_format


def box(*brands: bytes) -> bytes:
    body = b"ftyp" + brands[0] + bytes(4) + b"".join(brands[1:])
    return (len(body) + 4).to_bytes(4, "big") + body


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"II*\0\x08\0\0\0", "TIFF"),
        (b"MM\0*\0\0\0\x08", "TIFF"),
        (b"II+\0\x08\0\0\0", "TIFF"),
        (box(b"heic", b"mif1"), "HEIF"),
        (box(b"mif1", b"heic"), "HEIF"),
        (box(b"mif1", b"avif", b"miaf"), "AVIF"),
        (box(b"avis"), "AVIF"),
    ],
)
def test_headers_of_other_makes_are_known(content: bytes, expected: str) -> None:
    assert sniff(content) == expected
    assert expected in FORMATS


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"%!PS-Adobe-3.0 EPSF-3.0",
        b"\xc5\xd0\xd3\xc6",  # EPS with a preview
        b"%PDF-1.7",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"8BPS\0\x01",
        b"BM is how this letter begins, and it is no photo.",
        b"RIFF\x24\0\0\0WAVEfmt ",
        b"\x89PNX\r\n\x1a\n",
        b"\0\0\x01\0\x01\0",  # an icon
        b"P6 1 1 255 abc",
        b"\0\0\0\x0cjP  \r\n\x87\n",
        box(b"isom", b"mp42"),
        b"#!/bin/sh",
        b"\xff\xd8",
    ],
)
def test_what_is_no_photo_is_not_known(content: bytes) -> None:
    assert sniff(content) is None
