"""What goes along into a file, what does not, and that what was left out is gone from its bytes."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms

from tintype.formats.exif import parse_exif
from tintype.formats.iptc import read_record
from tintype.formats.photo import Photo, encode_photo, read_photo, write_photo
from tintype.formats.xmp import read_provenance
from tintype.imaging.limits import PhotoError
from tintype.imaging.provenance import Lineage, Provenance

PROVENANCE = Provenance(
    Lineage("tintype", "3", "ab" * 32, "run7", "cd" * 20, "ef" * 32, "01" * 32),
    "23" * 32,
    {"saturation": "1"},
)
FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "AVIF")
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    b'xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:GPSLatitude="48,51.5N" dc:source="Box 17"/>'
    b"</rdf:RDF></x:xmpmeta>"
)
CAPTIONS = b"\x1c\x02\x69\x00\x08Headline\x1c\x02\x5a\x00\x06Z\xfcrich\x1c\x02\x41\x00\x09Scanner 9"
MAKER_NOTE = b"NOTE OF A MAKER WHOSE OFFSETS COUNT"
# 48 degrees 51 minutes 30.7734 seconds: bytes that only a place would leave.
SECONDS = (153_867, 5_000)  # in lowest terms, as Pillow writes them


def camera_exif(order: str = "<") -> bytes:
    """EXIF as a camera writes it: two directories below, a maker's note, and a thumbnail."""
    exif = Image.Exif()
    exif.endian = order
    exif[0x010F], exif[0x0112], exif[0x8298] = "Maker", 1, "The owner"
    exif.get_ifd(0x8769)[0x9003] = "1936:03:05 06:07:08"
    exif.get_ifd(0x8769)[0x927C] = MAKER_NOTE
    exif.get_ifd(0x8769)[0xA001] = 65535  # not sRGB
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2], gps[3], gps[4] = "N", (48, 51, SECONDS[0] / SECONDS[1]), "E", (2, 17, 40)
    block = bytearray(exif.tobytes())
    thumbnail = io.BytesIO()
    Image.new("RGB", (16, 12), "red").save(thumbnail, "JPEG")
    start = len(block) - 6
    end = 6 + 8 + 2 + 12 * struct.unpack_from(f"{order}H", block, 6 + 8)[0]
    struct.pack_into(f"{order}I", block, end, start)
    entries = struct.pack(f"{order}HHHII", 2, 0x0201, 4, 1, start + 30) + struct.pack(
        f"{order}HHII", 0x0202, 4, 1, len(thumbnail.getvalue())
    )
    return bytes(block) + entries + bytes(4) + thumbnail.getvalue()


@pytest.fixture(scope="module", params=["<", ">"])
def photo(request: pytest.FixtureRequest, cat: NDArray[np.uint8]) -> Photo:
    """A photo that says everything a photo can say."""
    stream = io.BytesIO()
    block = b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0" + struct.pack(">I", len(CAPTIONS)) + CAPTIONS
    captions = b"\xff\xed" + struct.pack(">H", len(block) + 2) + block
    Image.fromarray(cat).save(
        stream,
        "JPEG",
        exif=camera_exif(request.param),
        xmp=XMP,
        dpi=(300, 300),
        comment=b"A COMMENT",
        extra=captions,
    )
    return read_photo(stream.getvalue() + b"BYTES BEHIND THE PICTURE")


def encoded(photo: Photo, file_format: str, policy: str, depth: int = 8) -> bytes:
    pixels = photo.pixels if depth == 8 else photo.pixels.astype(np.uint16) * 257
    return encode_photo(pixels, file_format, like=photo, provenance=PROVENANCE, metadata=policy)


def places(content: bytes) -> list[bytes]:
    rationals = [struct.pack(f"{order}2I", *SECONDS) for order in "<>"]
    return [trace for trace in (*rationals, b"GPSLatitude", b"48,51.5N") if trace in content]


def test_the_photo_says_it_all(photo: Photo) -> None:
    assert photo.notes == ()
    assert photo.exif is not None
    assert len(places(photo.exif)) == 1
    assert photo.xmp == XMP
    assert photo.iptc == CAPTIONS
    assert photo.dpi == (300, 300)


@pytest.mark.parametrize("file_format", FORMATS)
def test_keep_keeps_camera_time_place_and_words(photo: Photo, file_format: str) -> None:
    content = encoded(photo, file_format, "keep")
    assert len(places(content)) == 3  # EXIF, and XMP's name and value
    for text in (b"Maker\0", b"1936:03:05 06:07:08", b"The owner", MAKER_NOTE, b"Box 17"):
        assert text in content
    with Image.open(io.BytesIO(content)) as image:
        exif = image.getexif()
        assert exif[0x010F] == "Maker"
        assert exif.get_ifd(0x8769)[0xA001] == 1  # the pixels are sRGB now
        assert [float(value) for value in exif.get_ifd(0x8825)[2]] == [48, 51, pytest.approx(30.7734)]


@pytest.mark.parametrize("file_format", FORMATS)
def test_no_gps_leaves_out_the_place_alone(photo: Photo, file_format: str) -> None:
    content = encoded(photo, file_format, "no-gps")
    assert places(content) == []
    for text in (b"Maker\0", b"1936:03:05 06:07:08", MAKER_NOTE, b"Box 17"):
        assert text in content


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("file_format", FORMATS)
def test_strip_leaves_nothing_but_resolution_and_provenance(
    photo: Photo, file_format: str, depth: int
) -> None:
    content = encoded(photo, file_format, "strip", depth)
    assert places(content) == []
    for text in (b"Maker\0", b"1936:03:05", b"The owner", MAKER_NOTE, b"Box 17", b"Headline"):
        assert text not in content
    assert read_photo(content).exif is None


@pytest.mark.parametrize("policy", ["keep", "no-gps", "strip"])
@pytest.mark.parametrize("file_format", FORMATS)
def test_comments_thumbnails_and_trailing_bytes_never_go_along(
    photo: Photo, file_format: str, policy: str
) -> None:
    content = encoded(photo, file_format, policy)
    assert b"A COMMENT" not in content
    assert b"BYTES BEHIND" not in content
    assert content.count(b"\xff\xd8\xff") == (1 if file_format == "JPEG" else 0)
    with Image.open(io.BytesIO(content)) as image:
        assert image.getexif().get_ifd(1) == {}


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("policy", ["keep", "strip"])
def test_where_the_colours_come_from_is_always_said(photo: Photo, file_format: str, policy: str) -> None:
    for depth in (8, 16):
        assert read_provenance(encoded(photo, file_format, policy, depth)) == PROVENANCE


def test_avif_says_it_too(photo: Photo) -> None:
    packet = read_photo(encoded(photo, "AVIF", "strip")).xmp
    assert packet is not None
    assert b"compositeWithTrainedAlgorithmicMedia" in packet


@pytest.mark.parametrize("file_format", ["JPEG", "TIFF"])
def test_captions_stay_beside_ours(photo: Photo, file_format: str) -> None:
    kept = read_photo(encoded(photo, file_format, "keep")).iptc
    assert kept is not None
    datasets = {dataset.number: dataset.data for dataset in read_record(kept)}
    assert datasets[2, 105] == b"Headline"
    assert datasets[2, 90] == "Zürich".encode()  # as the character set says, which is ours
    assert datasets[1, 90] == b"\x1b%G"
    assert datasets[2, 65] == b"Tintype"
    stripped = read_photo(encoded(photo, file_format, "strip")).iptc
    assert stripped is not None
    assert (2, 105) not in {dataset.number for dataset in read_record(stripped)}


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("policy", ["keep", "no-gps", "strip"])
def test_profile_and_resolution(photo: Photo, file_format: str, policy: str) -> None:
    with Image.open(io.BytesIO(encoded(photo, file_format, policy))) as image:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
        assert "sRGB" in ImageCms.getProfileDescription(profile)
        if file_format in ("WEBP", "AVIF"):
            assert image.getexif()[282] == 300
        else:
            assert image.info["dpi"] == pytest.approx((300, 300), abs=0.01)


def test_a_maker_note_stays_where_its_offsets_count_from(photo: Photo) -> None:
    before = camera_exif("<" if photo.exif and photo.exif[:2] == b"II" else ">").removeprefix(b"Exif\0\0")
    content = encoded(photo, "JPEG", "keep")
    after = content[content.index(b"Exif\0\0") + 6 :]
    assert after.index(MAKER_NOTE) == before.index(MAKER_NOTE)
    with Image.open(io.BytesIO(content)) as image:
        assert bytes(image.getexif().get_ifd(0x8769)[0x927C]) == MAKER_NOTE


def test_tags_of_a_tiff_go_along_and_what_describes_its_pixels_does_not() -> None:
    stream = io.BytesIO()
    tags = [
        (315, "s", 0, "The photographer", True),
        (33550, "d", 3, (1.0, 1.0, 0.0), True),  # GeoTIFF: a place
        (34377, "B", 4, b"8BIM", True),
    ]
    tifffile.imwrite(
        stream, np.zeros((30, 40, 3), np.uint8), photometric="rgb", description="A plate", extratags=tags
    )
    photo = read_photo(stream.getvalue())
    assert photo.exif is not None
    assert set(parse_exif(photo.exif).main) >= {270, 315, 33550}
    assert not {256, 258, 262, 273, 279, 34377} & set(parse_exif(photo.exif).main)
    with Image.open(io.BytesIO(encode_photo(photo.pixels, "JPEG", like=photo))) as image:
        assert image.getexif()[315] == "The photographer"
    closer = read_photo(encode_photo(photo.pixels, "TIFF", like=photo, metadata="no-gps"))
    assert closer.exif is not None
    assert 33550 not in parse_exif(closer.exif).main


def test_xmp_that_a_jpeg_cannot_hold_gives_way_to_provenance(cat: NDArray[np.uint8]) -> None:
    stream = io.BytesIO()
    long = XMP.replace(b"Box 17", b"Box 17 " * 12_000)
    Image.fromarray(cat).save(stream, "WEBP", xmp=long)
    photo = read_photo(stream.getvalue())
    jpeg, png = (
        encode_photo(photo.pixels, file_format, like=photo, provenance=PROVENANCE)
        for file_format in ("JPEG", "PNG")
    )
    assert read_provenance(jpeg) == read_provenance(png) == PROVENANCE
    assert (b"Box 17" in jpeg, b"Box 17" in png) == (False, True)


@pytest.mark.parametrize(
    ("options", "note"),
    [
        ({"exif": b"Exif\0\0nonsense of a block"}, "Its EXIF is broken and was left behind."),
        ({"xmp": b"<x:xmpmeta"}, "Its XMP was left behind."),
    ],
)
def test_broken_words_cost_the_words_not_the_photo(
    cat: NDArray[np.uint8], options: dict[str, bytes], note: str
) -> None:
    stream = io.BytesIO()
    Image.fromarray(cat).save(stream, "JPEG", dpi=(72, 72), **options)
    photo = read_photo(stream.getvalue())
    assert any(note in line for line in photo.notes)
    assert (photo.exif, photo.xmp) == (None, None)


@pytest.mark.parametrize("dpi", [(0, 0), (1, 0)])
def test_a_resolution_that_makes_no_sense_is_none(cat: NDArray[np.uint8], dpi: tuple[int, int]) -> None:
    stream = io.BytesIO()
    Image.fromarray(cat).save(stream, "TIFF", dpi=dpi)
    assert read_photo(stream.getvalue()).dpi is None


def test_a_photo_that_is_too_wide_for_its_format_gets_a_sentence(tmp_path: Path) -> None:
    for name, width in (("a.webp", 16_384), ("a.jpg", 65_501)):
        with pytest.raises(PhotoError, match="Choose PNG or TIFF") as refused:
            write_photo(tmp_path / name, np.zeros((1, width, 3), np.uint8))
        assert refused.value.code == "not_writable"
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_to_gets_a_sentence(tmp_path: Path, cat: NDArray[np.uint8]) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PhotoError, match="Expected to write") as refused:
        write_photo(tmp_path / "file" / "a.jpg", cat)
    assert refused.value.code == "not_writable"


def test_odd_sizes_in_every_format(cat: NDArray[np.uint8]) -> None:
    for height, width in ((1, 1), (1, 501), (501, 1), (7, 13)):
        pixels = np.ascontiguousarray(np.resize(cat, (height, width, 3)))
        for file_format in FORMATS:
            assert read_photo(encode_photo(pixels, file_format)).pixels.shape == pixels.shape, file_format
        deep = pixels.astype(np.uint16) * 257 + 3
        for file_format in ("PNG", "TIFF"):
            np.testing.assert_array_equal(read_photo(encode_photo(deep, file_format)).pixels, deep)


def test_what_is_no_picture_or_policy_is_refused(photo: Photo) -> None:
    with pytest.raises(ValueError, match="Expected uint8 or uint16 RGB"):
        encode_photo(photo.pixels.astype(float), "PNG")
    with pytest.raises(ValueError, match="Expected a policy"):
        encode_photo(photo.pixels, "PNG", like=photo, metadata="some")
    with pytest.raises(PhotoError, match="as format") as refused:
        encode_photo(photo.pixels, "HEIF")
    assert refused.value.code == "not_writable"


def test_a_picture_too_wide_for_png_is_refused_in_a_sentence(capfd: pytest.CaptureFixture[str]) -> None:
    wide = np.zeros((1, 1_000_001, 3), np.uint8)
    with pytest.raises(
        PhotoError, match=r"at most 1000000 pixels along each side for PNG\..* Choose TIFF\.$"
    ):
        encode_photo(wide, "PNG")
    assert capfd.readouterr().err == ""
    assert read_photo(encode_photo(wide, "TIFF")).pixels.shape == wide.shape
