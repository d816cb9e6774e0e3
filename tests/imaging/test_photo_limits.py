"""What a file may cost: told before it is decoded where it can be, and held to while it is."""

from __future__ import annotations

import contextlib
import io
import re
import resource
import struct
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from tintype.formats.photo import read_photo
from tintype.imaging.limits import COLLECTION, SERVICE, Limits, PhotoError
from tintype.imaging.reading.counting import count_frames, count_scans

MANY = Limits(scans=1_000_000, seconds=0.3)


def saved(picture: Image.Image, file_format: str, **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, file_format, **options)
    return stream.getvalue()


def refused(content: bytes | Path, limits: Limits = SERVICE) -> PhotoError:
    """The refusal, which must not take long nor much memory."""
    start, before = time.thread_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(PhotoError) as error:
        read_photo(content, limits)
    assert time.thread_time() - start < 1.5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # kilobytes
    assert str(error.value).endswith(".")
    return error.value


@pytest.fixture(scope="module")
def slow() -> bytes:
    """A progressive JPEG of 12 megapixels and about 100 kB, whose first scan is repeated more than 200 times."""
    gradient = Image.linear_gradient("L").resize((4000, 3000))
    content = saved(gradient, "JPEG", progressive=True, quality=1)
    starts = [match.start() for match in re.finditer(b"\xff\xda", content)]
    last = content[starts[-1] : -2]  # refines one bit: without its Huffman table's segment it can stand again
    assert len(starts) > 2
    return content[:-2] + last * 220 + content[-2:]


def test_scans_are_counted_before_they_are_decoded(slow: bytes) -> None:
    assert count_scans(slow, lambda: None) > 200
    assert len(slow) < 2_000_000
    error = refused(slow)
    assert error.code == "too_slow"
    assert "scans" in str(error)


def test_a_decoder_that_takes_too_long_is_stopped(slow: bytes) -> None:
    error = refused(slow, MANY)
    assert error.code == "too_slow"
    assert "0.3 s of CPU time" in str(error)


def test_what_encoders_write_has_few_scans(cat: NDArray[np.uint8]) -> None:
    picture = Image.fromarray(cat)
    assert count_scans(saved(picture, "JPEG"), lambda: None) == 1
    assert 5 < count_scans(saved(picture, "JPEG", progressive=True), lambda: None) < 20
    thumbnail = saved(picture.resize((80, 60)), "JPEG", progressive=True)
    exif = Image.Exif()
    exif[0x010E] = thumbnail.decode("latin-1")
    inside = b"\xff\xe5" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail  # scans in a segment are none
    plain = saved(picture, "JPEG")
    assert count_scans(plain[:2] + inside + plain[2:], lambda: None) == 1
    assert count_scans(plain + thumbnail, lambda: None) == 1  # behind the picture neither


def test_bytes_are_limited_before_a_file_is_read(tmp_path: Path) -> None:
    large = tmp_path / "large.jpg"
    with large.open("wb") as stream:
        stream.truncate(50_000_000_000)  # sparse: it could not be read into memory
    error = refused(large, COLLECTION)
    assert error.code == "too_many_bytes"
    assert "50000.0 MB" in str(error)
    assert refused(b"\xff\xd8\xff" + bytes(1000), Limits(bytes=1000)).code == "too_many_bytes"


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *extra: bytes, bits: int = 8) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, bits, 2, 0, 0, 0)
    data = zlib.compress(bytes(1_000_000))
    body = [chunk(b"IHDR", header), *extra, chunk(b"IDAT", data), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def tiff(width: int, height: int, bits: int) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, np.zeros((8, 8, 3), f"uint{bits}"), photometric="rgb")
    content = stream.getvalue()
    for tag, value in ((256, width), (257, height), (278, height)):
        at = re.search(struct.pack("<H", tag) + rb"[\x03\x04]\0\x01\0\0\0", content).start()
        content = content[:at] + struct.pack("<HHII", tag, 4, 1, value) + content[at + 12 :]
    return content


def gif(width: int, height: int) -> bytes:
    content = bytearray(saved(Image.new("P", (8, 8)), "GIF"))
    struct.pack_into("<HH", content, 6, width, height)
    return bytes(content)


def bmp(width: int, height: int) -> bytes:
    content = bytearray(saved(Image.new("RGB", (8, 8)), "BMP"))
    struct.pack_into("<ii", content, 18, width, height)
    return bytes(content)


def webp(width: int, height: int) -> bytes:
    """An extended file whose canvas is of that size (WebP container specification)."""
    picture = saved(Image.new("RGB", (8, 8)), "WEBP", lossless=True)[12:]
    canvas = bytes(4) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + canvas + picture
    return b"RIFF" + struct.pack("<I", len(body)) + body


def jpeg(width: int, height: int) -> bytes:
    content = bytearray(saved(Image.new("RGB", (8, 8)), "JPEG"))
    struct.pack_into(">HH", content, content.index(b"\xff\xc0") + 5, height, width)
    return bytes(content)


@pytest.mark.parametrize(
    "content",
    [
        png(60_000, 60_000),
        png(60_000, 60_000, bits=16),
        tiff(60_000, 60_000, 8),
        tiff(60_000, 60_000, 16),
        gif(60_000, 60_000),
        bmp(60_000, 60_000),
        jpeg(60_000, 60_000),
    ],
    ids=["png", "png16", "tiff", "tiff16", "gif", "bmp", "jpeg"],
)
def test_bombs_are_refused_by_their_header(content: bytes) -> None:
    error = refused(content, COLLECTION)
    assert error.code == "too_many_pixels"
    assert "60000 x 60000" in str(error)


def test_a_webp_that_lies_about_its_canvas_is_refused() -> None:
    assert refused(webp(16_000, 16_000)).code in ("too_many_pixels", "broken")


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"iCCP"])
def test_text_that_swells_is_refused(kind: bytes) -> None:
    packed = zlib.compress(bytes(150_000_000), 1)
    start = {b"zTXt": b"a\0\0", b"iTXt": b"a\0\x01\0\0\0", b"iCCP": b"a\0\0"}[kind]
    assert refused(png(64, 64, chunk(kind, start + packed))).code == "broken"


@pytest.mark.parametrize("bits", [8, 16])
def test_pixels_that_swell_beyond_the_picture_are_not_kept(bits: int) -> None:
    header = struct.pack(">IIBBBBB", 4, 4, bits, 2, 0, 0, 0)
    data = zlib.compress(bytes(150_000_000), 1)
    body = [chunk(b"IHDR", header), chunk(b"IDAT", data), chunk(b"IEND", b"")]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with contextlib.suppress(PhotoError):
        read_photo(b"\x89PNG\r\n\x1a\n" + b"".join(body))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kilobytes


def test_frames_are_limited_without_decoding_them() -> None:
    frames = [Image.new("L", (16, 16), 6 * shade) for shade in range(40)]
    limits = Limits(frames=30)
    for file_format in ("GIF", "WEBP", "TIFF", "PNG", "AVIF"):
        options = {"lossless": True} if file_format == "WEBP" else {}
        content = saved(frames[0], file_format, save_all=True, append_images=frames[1:], **options)
        error = refused(content, limits)
        assert error.code == "too_many_frames", file_format
        assert read_photo(content, Limits(frames=40)).notes[0].startswith("It has 40 "), file_format


def test_pages_in_a_circle_are_counted_once() -> None:
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as writer:
        for _ in range(3):
            writer.write(np.zeros((8, 8, 3), np.uint8), photometric="rgb")
    content = stream.getvalue()
    with tifffile.TiffFile(io.BytesIO(content)) as pages:
        first, last = pages.pages[0].offset, pages.pages[2].offset
    number = struct.unpack_from("<H", content, last)[0]
    at = last + 2 + 12 * number
    circle = content[:at] + struct.pack("<I", first) + content[at + 4 :]
    with Image.open(io.BytesIO(circle), formats=["TIFF"]) as image:
        assert count_frames(circle, image, 1000, lambda: None) == 3
    assert read_photo(circle).notes == ("It has 3 pages; the first was taken.",)


def test_a_million_tiny_parts_are_stopped_by_the_clock() -> None:
    segments = b"\xff\xe5\0\x02" * 4_000_000
    plain = saved(Image.new("RGB", (8, 8)), "JPEG")
    assert refused(plain[:2] + segments + plain[2:], Limits(seconds=0.2)).code == "too_slow"
    chunks = chunk(b"tEXt", b"a\0b") * 1_000_000
    assert refused(png(64, 64, chunks), Limits(seconds=0.2)).code == "too_slow"
    assert refused(png(64, 64, chunks, bits=16), Limits(seconds=0.2)).code == "too_slow"
    frame = b"\x2c" + bytes(9) + b"\x02" + b"\x01\0" * 4_000_000 + b"\0"
    head = b"GIF89a\x08\0\x08\0\0\0\0"
    assert refused(head + frame + b";", Limits(seconds=0.2)).code in ("too_slow", "broken")


def test_a_million_strips_are_refused_before_they_become_objects() -> None:
    count = 4_000_000
    numbers = {256: (4, 1, 8), 257: (4, 1, 8), 258: (3, 1, 8), 259: (3, 1, 1), 262: (3, 1, 1), 277: (3, 1, 1)}
    numbers |= {273: (4, count, 8), 278: (4, 1, 1), 279: (4, count, 8)}
    entries = b"".join(struct.pack("<HHII", tag, *value) for tag, value in sorted(numbers.items()))
    body = bytes(4 * count)
    content = (
        struct.pack("<2sHI", b"II", 42, 8 + len(body))
        + body
        + struct.pack("<H", len(numbers))
        + entries
        + bytes(4)
    )
    assert refused(content).code == "broken"


def test_exif_whose_values_overlap_takes_no_memory() -> None:
    """Each of its 4000 tags claims the whole block."""
    count, size = 4000, 60_000
    entries = b"".join(struct.pack("<HHII", tag + 1000, 7, size - 100, 8) for tag in range(count))
    block = struct.pack("<2sHIH", b"II", 42, 8, count) + entries + bytes(size)
    stream = saved(Image.new("RGB", (8, 8)), "PNG")
    content = stream[:33] + chunk(b"eXIf", block[: size + 50_000]) + stream[33:]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    photo = read_photo(content)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kilobytes
    assert photo.exif is None
    assert any("EXIF" in note for note in photo.notes)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF", "AVIF"])
@pytest.mark.parametrize("part", [0.05, 0.4, 0.9])
def test_part_of_a_file_is_refused(cat: NDArray[np.uint8], file_format: str, part: float) -> None:
    content = saved(Image.fromarray(cat), file_format)
    error = refused(content[: int(len(content) * part)])
    assert error.code == "broken"
    assert "object at" not in str(error)


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"])
def test_part_of_a_compressed_tiff_is_refused(cat: NDArray[np.uint8], compression: str) -> None:
    content = saved(Image.fromarray(cat), "TIFF", compression=compression)
    assert refused(content[: len(content) // 2]).code == "broken"


def test_scans_within_a_tiff_are_limited(cat: NDArray[np.uint8]) -> None:
    stream = saved(Image.fromarray(cat), "JPEG", progressive=True)
    last = stream[stream.rindex(b"\xff\xda") : -2]
    inside = stream[:-2] + last * 30 + stream[-2:]
    numbers = {256: 451, 257: 300, 258: 8, 259: 7, 262: 6, 273: 8, 277: 3, 278: 300, 279: len(inside)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in numbers.items())
    at = 8 + len(inside) + len(inside) % 2
    content = struct.pack("<2sHI", b"II", 42, at) + inside.ljust(at - 8, b"\0")
    assert refused(content + struct.pack("<H", len(numbers)) + entries + bytes(4)).code == "too_slow"


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "empty"), (b"%!PS-Adobe-3.0 EPSF-3.0\n", "unknown_format"), (b"\x89PNG\r\n\x1a\n", "broken")],
)
def test_codes(content: bytes, code: str) -> None:
    assert refused(content).code == code


def test_the_code_of_a_missing_file(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.jpg").code == "missing"
    assert refused(tmp_path).code == "missing"


def test_a_very_wide_picture_is_read_in_time() -> None:
    pixels = np.arange(300_000 * 3 * 30, dtype=np.uint32).astype(np.uint8).reshape(30, 300_000, 3)
    stream = io.BytesIO()
    tifffile.imwrite(stream, pixels, photometric="rgb")
    start = time.thread_time()
    np.testing.assert_array_equal(read_photo(stream.getvalue()).pixels, pixels)
    assert time.thread_time() - start < 3
