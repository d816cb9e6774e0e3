"""Sixteen bits in, sixteen bits out, and none of them lost on the way."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from tintype.formats.photo import encode_photo, read_photo, write_photo
from tintype.imaging.limits import PhotoError

RAMP = np.linspace(0, 65535, 120 * 251).astype(np.uint16).reshape(120, 251)


@pytest.fixture
def deep() -> NDArray[np.uint16]:
    """A gradient of 30120 levels that is another one in each channel, (120, 251, 3) uint16."""
    return np.stack([RAMP, RAMP[::-1], RAMP[:, ::-1]], axis=-1)


def levels(pixels: NDArray[np.generic]) -> int:
    return len(np.unique(pixels))


def tiff(pixels: NDArray[np.generic], **options: object) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, pixels, **options)
    return stream.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png16(pixels: NDArray[np.uint16], *extra: bytes, behind: bytes = b"") -> bytes:
    """A PNG by hand: gray, gray and opacity, RGB or RGBA by the number of channels."""
    planes = pixels.reshape(*pixels.shape[:2], -1)
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[planes.shape[2]]
    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 16, colour, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in planes)
    body = [chunk(b"IHDR", header), *extra, chunk(b"IDAT", zlib.compress(rows)), behind, chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_every_level_survives_reading_and_writing(
    tmp_path: Path, deep: NDArray[np.uint16], suffix: str
) -> None:
    write_photo(tmp_path / f"a{suffix}", deep)
    photo = read_photo(tmp_path / f"a{suffix}")
    assert photo.pixels.dtype == np.uint16
    np.testing.assert_array_equal(photo.pixels, deep)
    assert levels(photo.pixels[..., 0]) == levels(RAMP) > 5000


def test_others_read_what_is_written(tmp_path: Path, deep: NDArray[np.uint16]) -> None:
    for suffix in (".png", ".tif"):
        write_photo(tmp_path / f"a{suffix}", deep)
        by_opencv = cv2.imread(str(tmp_path / f"a{suffix}"), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(by_opencv[..., ::-1], deep)
        with Image.open(tmp_path / f"a{suffix}") as by_pillow:
            assert np.abs(np.asarray(by_pillow).astype(int) - deep / 257).max() <= 1
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "a.tif"), deep)


def test_opacity_of_sixteen_bits(tmp_path: Path, deep: NDArray[np.uint16]) -> None:
    photo = read_photo(png16(np.dstack([deep, RAMP.T.reshape(RAMP.shape)])))
    np.testing.assert_array_equal(photo.alpha, RAMP.T.reshape(RAMP.shape))
    for suffix in (".png", ".tif"):
        write_photo(tmp_path / f"a{suffix}", photo.pixels, like=photo)
        again = read_photo(tmp_path / f"a{suffix}")
        np.testing.assert_array_equal(again.alpha, photo.alpha)
        np.testing.assert_array_equal(again.pixels, deep)


@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_gray(byteorder: str) -> None:
    photo = read_photo(tiff(RAMP, photometric="minisblack", byteorder=byteorder))
    assert photo.mode.startswith("I;16")
    for channel in range(3):
        np.testing.assert_array_equal(photo.pixels[..., channel], RAMP)
    np.testing.assert_array_equal(read_photo(png16(RAMP)).pixels[..., 1], RAMP)


def test_gray_with_white_as_zero() -> None:
    photo = read_photo(tiff(RAMP, photometric="miniswhite"))
    np.testing.assert_array_equal(photo.pixels[..., 1], 65535 - RAMP)


def test_gray_with_opacity() -> None:
    photo = read_photo(png16(np.dstack([RAMP, RAMP[::-1]])))
    np.testing.assert_array_equal(photo.pixels[..., 0], RAMP)
    np.testing.assert_array_equal(photo.alpha, RAMP[::-1])


def test_gray_of_twelve_bits_is_stretched() -> None:
    levels12 = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)
    pairs = levels12.reshape(-1, 2).astype(np.uint32)
    packed = pairs[:, 0] << 12 | pairs[:, 1]
    data = np.stack([packed >> 16, packed >> 8 & 255, packed & 255], axis=-1).astype(np.uint8).tobytes()
    numbers = {256: 64, 257: 64, 258: 12, 259: 1, 262: 1, 273: 8, 277: 1, 278: 64, 279: len(data)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in numbers.items())
    directory = struct.pack("<H", len(numbers)) + entries + bytes(4)
    photo = read_photo(struct.pack("<2sHI", b"II", 42, 8 + len(data)) + data + directory)
    np.testing.assert_array_equal(photo.pixels[..., 0], np.rint(levels12 * (65535 / 4095)))


@pytest.mark.parametrize("gray", [True, False])
def test_the_transparent_level_or_colour(deep: NDArray[np.uint16], gray: bool) -> None:
    pixels = RAMP if gray else deep
    key = np.atleast_1d(pixels[7, 9])
    photo = read_photo(png16(pixels, chunk(b"tRNS", key.astype(">u2").tobytes())))
    assert photo.alpha is not None
    assert photo.alpha[7, 9] == 0
    assert (photo.alpha == 65535).sum() == RAMP.size - 1


@pytest.mark.parametrize(
    "options", [{"tile": (64, 64)}, {"compression": "zlib"}, {"bigtiff": True}, {"byteorder": ">"}]
)
def test_arrangements_of_tiff(deep: NDArray[np.uint16], options: dict[str, object]) -> None:
    np.testing.assert_array_equal(read_photo(tiff(deep, photometric="rgb", **options)).pixels, deep)


def test_lzw_with_prediction(deep: NDArray[np.uint16]) -> None:
    done, content = cv2.imencode(".tiff", deep[..., ::-1])  # OpenCV's default
    assert done
    np.testing.assert_array_equal(read_photo(content.tobytes()).pixels, deep)


def test_planes_apart_are_refused_not_mistaken(deep: NDArray[np.uint16]) -> None:
    content = tiff(np.moveaxis(deep, -1, 0), photometric="rgb", planarconfig="separate")
    with pytest.raises(PhotoError, match="interleaved") as refused:
        read_photo(content)
    assert refused.value.code == "unsupported"


def test_formats_with_eight_bits_are_given_the_nearest(deep: NDArray[np.uint16]) -> None:
    photo = read_photo(encode_photo(deep, "JPEG", quality=100))
    assert photo.pixels.dtype == np.uint8
    assert np.abs(photo.pixels - deep / 257).mean() < 1.5


def test_eight_bits_are_the_nearest_of_sixteen() -> None:
    every = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    photo = read_photo(tiff(every, photometric="minisblack"))
    np.testing.assert_array_equal(photo.rgb8[..., 0], np.rint(every / 257))


@pytest.mark.parametrize("part", [0.3, 0.9])
def test_half_a_deep_photo_is_refused(
    deep: NDArray[np.uint16], part: float, capfd: pytest.CaptureFixture[str]
) -> None:
    for content in (png16(deep), tiff(deep, photometric="rgb", rowsperstrip=8)):
        with pytest.raises(PhotoError) as refused:
            read_photo(content[: int(len(content) * part)])
        assert refused.value.code == "broken"
    assert "libpng" not in capfd.readouterr().err


def test_a_flipped_bit_in_a_deep_png_is_refused(deep: NDArray[np.uint16]) -> None:
    content = bytearray(png16(deep))
    content[len(content) // 2] ^= 1
    with pytest.raises(PhotoError, match="check sum") as refused:
        read_photo(bytes(content))
    assert refused.value.code == "broken"


def test_what_stands_behind_a_deep_pngs_pixels_is_read(deep: NDArray[np.uint16]) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "A scanner"
    block = exif.tobytes().removeprefix(b"Exif\0\0")
    packet = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>'
        b"</x:xmpmeta>"
    )
    text = chunk(b"iTXt", b"XML:com.adobe.xmp\0\x01\0\0\0" + zlib.compress(packet))
    photo = read_photo(png16(deep, behind=chunk(b"eXIf", block) + text))
    np.testing.assert_array_equal(photo.pixels, np.rot90(deep, -1))
    assert photo.exif is not None
    assert b"A scanner" in photo.exif
    assert photo.xmp == packet


def table_profile() -> bytes:
    """A profile that makes a colour the gray whose L* is the mean of its channels in percent (ICC.1:2001, 6.5.7)."""
    corners = [(100 * (r + g + b) / 3, 0, 0) for r in (0, 1) for g in (0, 1) for b in (0, 1)]
    lab = [
        round(value * 652.8) if axis == 0 else 0x8000
        for corner in corners
        for axis, value in enumerate(corner)
    ]
    ones = [65536 if row == column else 0 for row in range(3) for column in range(3)]
    table = struct.pack(">4s4xBBBx9iHH", b"mft2", 3, 3, 2, *ones, 2, 2)
    table += struct.pack(">6H24H6H", *[0, 65535] * 3, *lab, *[0, 65535] * 3)
    header = bytearray(128)
    struct.pack_into(
        ">I4sI4s4s4s", header, 0, 144 + len(table), b"none", 0x02400000, b"scnr", b"RGB ", b"Lab "
    )
    header[36:40] = b"acsp"
    struct.pack_into(">3i", header, 68, 63190, 65536, 54061)  # D50
    return bytes(header) + struct.pack(">I4sII", 1, b"A2B0", 144, len(table)) + table


def test_a_profile_that_is_a_table_costs_bits_and_says_so(deep: NDArray[np.uint16]) -> None:
    photo = read_photo(tiff(deep, photometric="rgb", iccprofile=table_profile()))
    assert photo.pixels.dtype == np.uint8
    assert photo.notes == ("It has 16 bits a channel, of which 8 were taken: its colour profile is a table.",)
    mean = deep.astype(float).mean(axis=-1, keepdims=True) / 655.35
    luminance = np.where(mean > 8, ((mean + 16) / 116) ** 3, mean / 903.3)
    gray = np.where(luminance > 0.0031308, 1.055 * luminance ** (1 / 2.4) - 0.055, 12.92 * luminance)
    assert np.abs(photo.pixels - 255 * gray).max() < 3


def test_a_picture_too_wide_for_sixteen_bits_says_so() -> None:
    wide = np.random.default_rng(1).integers(0, 65536, (2, 1_000_001, 3), np.uint16)
    photo = read_photo(png16(wide))
    assert photo.pixels.dtype == np.uint8
    np.testing.assert_array_equal(photo.pixels, wide >> 8)
    assert "16 bits a channel, of which 8 were taken" in photo.notes[0]
    assert read_photo(png16(wide[:, :1_000_000])).notes == ()
