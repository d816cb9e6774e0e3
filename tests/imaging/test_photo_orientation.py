"""All eight orientations, wherever a file says them and however it keeps its pixels."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from tintype.formats.photo import read_photo, write_photo
from tintype.imaging.reading.orientation import upright

# What has to be stored so that it is upright after the turn that EXIF 3.0, 4.6.5.1.6, asks for.
STORED = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: np.swapaxes(a, 0, 1),
    6: lambda a: np.rot90(a, 1),
    7: lambda a: np.swapaxes(a, 0, 1)[::-1, ::-1],
    8: lambda a: np.rot90(a, -1),
}
ORIENTATIONS = pytest.mark.parametrize("orientation", STORED)


@pytest.fixture
def corners() -> NDArray[np.uint8]:
    """Opaque to clear from top to bottom, with a colour in each corner, (24, 40, 4) uint8."""
    picture = np.full((24, 40, 4), 128, np.uint8)
    picture[:8, :8, :3], picture[:8, -8:, :3] = (255, 0, 0), (0, 255, 0)
    picture[-8:, :8, :3], picture[-8:, -8:, :3] = (0, 0, 255), (255, 255, 0)
    picture[..., 3] = np.linspace(255, 10, 24).astype(np.uint8)[:, np.newaxis]
    return picture


def exif(orientation: int) -> Image.Exif:
    block = Image.Exif()
    block[0x0112] = orientation
    return block


def saved(pixels: NDArray[np.uint8], file_format: str, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(stream, file_format, **options)
    return stream.getvalue()


@ORIENTATIONS
@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "TIFF"])
def test_pixels_and_opacity(corners: NDArray[np.uint8], orientation: int, file_format: str) -> None:
    options = {"lossless": True, "exact": True} if file_format == "WEBP" else {}
    photo = read_photo(saved(STORED[orientation](corners), file_format, exif=exif(orientation), **options))
    np.testing.assert_array_equal(photo.rgb8, corners[..., :3])
    np.testing.assert_array_equal(photo.alpha, corners[..., 3])


@ORIENTATIONS
@pytest.mark.parametrize("file_format", ["JPEG", "AVIF"])
def test_lossy_formats(corners: NDArray[np.uint8], orientation: int, file_format: str) -> None:
    pixels = STORED[orientation](corners[..., :3])
    photo = read_photo(saved(pixels, file_format, exif=exif(orientation), quality=95))
    assert np.abs(photo.rgb8.astype(int) - corners[..., :3]).mean() < 6


@ORIENTATIONS
def test_sixteen_bits(tmp_path: Path, corners: NDArray[np.uint8], orientation: int) -> None:
    deep = corners.astype(np.uint16) * 257 ^ 0x55
    stored = np.ascontiguousarray(STORED[orientation](deep))
    tag = [(0x0112, "H", 1, orientation, True)]
    for planes, channels in ((stored, {"photometric": "rgb", "extrasamples": ["unassalpha"]}),):
        tifffile.imwrite(tmp_path / "a.tif", planes, extratags=tag, **channels)
        photo = read_photo(tmp_path / "a.tif")
        np.testing.assert_array_equal(photo.pixels, deep[..., :3])
        np.testing.assert_array_equal(photo.alpha, deep[..., 3])
    tifffile.imwrite(tmp_path / "gray.tif", stored[..., 0], photometric="minisblack", extratags=tag)
    np.testing.assert_array_equal(read_photo(tmp_path / "gray.tif").pixels[..., 2], deep[..., 0])


@ORIENTATIONS
def test_what_is_written_is_upright_for_others(
    tmp_path: Path, corners: NDArray[np.uint8], orientation: int
) -> None:
    block = exif(orientation)
    block[0x010F] = "A camera"
    photo = read_photo(saved(STORED[orientation](corners[..., :3]), "JPEG", exif=block, quality=95))
    for suffix in (".jpg", ".png", ".tif", ".webp", ".avif"):
        write_photo(tmp_path / f"a{suffix}", photo.pixels, like=photo)
        with Image.open(tmp_path / f"a{suffix}") as image:
            assert image.size == (40, 24)
            assert image.getexif().get(0x0112, 1) == 1
            assert image.getexif()[0x010F] == "A camera"


@pytest.mark.parametrize("spelling", [b'tiff:Orientation="6"', b"tiff:Orientation='6'"])
def test_where_only_xmp_says_it(corners: NDArray[np.uint8], spelling: bytes) -> None:
    packet = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" %s/></rdf:RDF></x:xmpmeta>'
    )
    photo = read_photo(saved(STORED[6](corners[..., :3]), "JPEG", xmp=packet % spelling, quality=95))
    assert photo.rgb8.shape == (24, 40, 3)
    assert photo.xmp is not None
    assert spelling.replace(b"6", b"1") in photo.xmp  # or it would be turned again


@pytest.mark.parametrize("orientation", [0, 9, 1000])
def test_orientations_that_do_not_exist_mean_nothing(orientation: int) -> None:
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    assert upright(pixels, orientation) is pixels
