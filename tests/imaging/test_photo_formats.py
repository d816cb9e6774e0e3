"""Each kind of file comes out as the picture that went in."""

from __future__ import annotations

import base64
import importlib.util
import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin

from tintype.formats.photo import read_photo
from tintype.imaging.limits import PhotoError

# 32 x 24 pixels of 8x, 10y and 4(x+y), by libjpeg-turbo's jpegtran: once as it was, once with arithmetic coding.
ARITHMETIC = (
    b"/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMUFRUV"
    b"DA8XGBYUGBIUFRT/2wBDAQMEBAUEBQkFBQkUDQsNFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU"
    b"FBT/yQARCAAYACADASIAAhEBAxEB/8wACgAQEAUBEBEF/9oADAMBAAIRAxEAPwD/AOJiqRT4iYYAE5jZ5uKVVP8AFHKE+WM1YieIjb+v"
    b"S4BeQCw7ACsoFmdCP8/PjZ9mjqONIt6RaBUNgz0ZQdkjjU737FWas7/TQttOfXWuijqP1H9cRXQ2Pm1YduOvgP0mfsGyAM45btRY/v/Z"
)


def saved(picture: Image.Image, file_format: str, **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, file_format, **options)
    return stream.getvalue()


def tiff(pixels: NDArray[np.generic], **options: object) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, pixels, **options)
    return stream.getvalue()


def difference(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    return float(np.abs(a.astype(int) - b).mean())


@pytest.fixture
def picture(cat: NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(cat)


def test_progressive_jpeg(picture: Image.Image, cat: NDArray[np.uint8]) -> None:
    plain = read_photo(saved(picture, "JPEG", quality=90))
    progressive = read_photo(saved(picture, "JPEG", quality=90, progressive=True))
    np.testing.assert_array_equal(progressive.rgb8, plain.rgb8)
    assert difference(plain.rgb8, cat) < 4


def test_arithmetic_jpeg() -> None:
    photo = read_photo(base64.b64decode(ARITHMETIC))
    y, x = np.mgrid[:24, :32]
    assert difference(photo.rgb8, np.stack([x * 8, y * 10, (x + y) * 4], axis=-1).astype(np.uint8)) < 6


def test_cmyk_jpeg(picture: Image.Image, cat: NDArray[np.uint8]) -> None:
    photo = read_photo(saved(picture.convert("CMYK"), "JPEG", quality=95))
    assert photo.mode == "CMYK"
    assert difference(photo.rgb8, cat) < 4


def test_ycck_jpeg_as_adobe_writes_it(picture: Image.Image, cat: NDArray[np.uint8]) -> None:
    inks = np.asarray(picture.convert("CMYK")).copy()
    inks[..., 3] = 40
    ycc = np.asarray(Image.fromarray(inks[..., :3]).convert("YCbCr"))
    stored = Image.fromarray(np.dstack([255 - ycc, inks[..., 3]]), "CMYK")  # Pillow stores 255 minus it
    content = bytearray(saved(stored, "JPEG", quality=100, subsampling=0))
    flag = content.index(b"Adobe") + 11
    assert content[flag] == 0
    content[flag] = 2  # YCCK
    expected = np.asarray(Image.fromarray(inks, "CMYK").convert("RGB"))
    assert difference(read_photo(bytes(content)).rgb8, expected) < 3
    content[flag] = 0
    assert difference(read_photo(bytes(content)).rgb8, expected) > 20


def test_a_phones_two_pictures_in_a_jpeg(picture: Image.Image, cat: NDArray[np.uint8]) -> None:
    other = Image.new("RGB", (60, 40), "red")
    photo = read_photo(saved(picture, "MPO", save_all=True, append_images=[other], quality=95))
    assert photo.format == "JPEG"
    assert difference(photo.rgb8, cat) < 4
    assert photo.notes == ("It has 2 pictures; the first was taken.",)


@pytest.mark.parametrize(("colours", "bits"), [(2, 1), (4, 2), (16, 4), (256, 8)])
def test_palette_png_of_few_bits(picture: Image.Image, colours: int, bits: int) -> None:
    reduced = picture.quantize(colours)
    content = saved(reduced, "PNG", bits=bits)
    assert content[24] == bits
    np.testing.assert_array_equal(read_photo(content).rgb8, np.asarray(reduced.convert("RGB")))


def test_palette_png_with_opacity(picture: Image.Image) -> None:
    reduced = picture.quantize(8)
    photo = read_photo(saved(reduced, "PNG", transparency=bytes([0, 50, 100, 150, 200, 250])))
    opacity = np.array([0, 50, 100, 150, 200, 250, 255, 255], np.uint8)
    np.testing.assert_array_equal(photo.alpha, opacity[np.asarray(reduced)])
    np.testing.assert_array_equal(photo.rgb8, np.asarray(reduced.convert("RGB")))


def test_gray_png_with_a_transparent_level(picture: Image.Image) -> None:
    gray = picture.convert("L")
    level = int(np.asarray(gray)[5, 5])
    photo = read_photo(saved(gray, "PNG", transparency=level))
    np.testing.assert_array_equal(photo.alpha, np.where(np.asarray(gray) == level, 0, 255))
    np.testing.assert_array_equal(photo.rgb8[..., 1], np.asarray(gray))


def test_gray_with_opacity(picture: Image.Image) -> None:
    both = picture.convert("LA")
    both.putalpha(Image.linear_gradient("L").resize(both.size))
    photo = read_photo(saved(both, "PNG"))
    np.testing.assert_array_equal(photo.rgb8[..., 2], np.asarray(both)[..., 0])
    np.testing.assert_array_equal(photo.alpha, np.asarray(both)[..., 1])


def interlaced(pixels: NDArray[np.uint8]) -> bytes:
    """A PNG in Adam7, which no encoder at hand writes (ISO/IEC 15948, 8.2)."""
    rows = []
    for x, y, dx, dy in (
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ):
        rows += [b"\0" + row.tobytes() for row in pixels[y::dy, x::dx] if row.size]
    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 8 * pixels.itemsize, 2, 0, 0, 1)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"".join(rows))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def test_interlaced_png(cat: NDArray[np.uint8]) -> None:
    np.testing.assert_array_equal(read_photo(interlaced(cat)).rgb8, cat)


def test_interlaced_png_of_sixteen_bits(cat: NDArray[np.uint8]) -> None:
    deep = cat.astype(np.uint16) * 257 ^ 0x3F
    np.testing.assert_array_equal(read_photo(interlaced(deep.astype(">u2"))).pixels, deep)


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_compressed_tiff(picture: Image.Image, cat: NDArray[np.uint8], compression: str | None) -> None:
    photo = read_photo(saved(picture, "TIFF", compression=compression))
    np.testing.assert_array_equal(photo.rgb8, cat)


def test_a_fax_in_group_4_with_white_as_zero(picture: Image.Image) -> None:
    bilevel = picture.convert("1")
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    content = saved(bilevel, "TIFF", compression="group4", tiffinfo=tags)
    with Image.open(io.BytesIO(content)) as image:
        assert image.tag_v2[262] == 1
        entry = content.index(struct.pack("<HHI", 262, 3, 1))
    as_it_is = read_photo(content).rgb8
    np.testing.assert_array_equal(as_it_is, np.asarray(bilevel.convert("RGB")))
    white_is_zero = content[: entry + 8] + struct.pack("<H", 0) + content[entry + 10 :]
    np.testing.assert_array_equal(read_photo(white_is_zero).rgb8, 255 - as_it_is)


def test_several_pages_give_the_first_and_a_note(picture: Image.Image, cat: NDArray[np.uint8]) -> None:
    content = saved(picture, "TIFF", save_all=True, append_images=[Image.new("RGB", (5, 5))] * 2)
    photo = read_photo(content)
    np.testing.assert_array_equal(photo.rgb8, cat)
    assert photo.notes == ("It has 3 pages; the first was taken.",)


def test_a_smaller_version_is_no_page(cat: NDArray[np.uint8]) -> None:
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as writer:
        writer.write(cat, photometric="rgb")
        writer.write(cat[::4, ::4], photometric="rgb", subfiletype=1)
    assert read_photo(stream.getvalue()).notes == ()


@pytest.mark.parametrize("file_format", ["GIF", "WEBP", "AVIF", "PNG"])
def test_an_animation_gives_its_first_frame_and_a_note(file_format: str) -> None:
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "lime", "blue")]
    options = {"lossless": True} if file_format == "WEBP" else {}
    photo = read_photo(saved(frames[0], file_format, save_all=True, append_images=frames[1:], **options))
    assert np.abs(photo.rgb8.reshape(-1, 3).mean(axis=0) - (255, 0, 0)).max() < 6
    assert photo.notes == ("It has 3 frames; the first was taken.",)


@pytest.mark.parametrize("file_format", ["BMP", "WEBP", "AVIF"])
def test_other_formats(picture: Image.Image, cat: NDArray[np.uint8], file_format: str) -> None:
    photo = read_photo(saved(picture, file_format, quality=95))
    assert photo.format == file_format
    assert difference(photo.rgb8, cat) < 4


def test_heic_is_read_where_a_decoder_is_there_and_else_refused(
    picture: Image.Image, cat: NDArray[np.uint8]
) -> None:
    if importlib.util.find_spec("pillow_heif") is None:
        with pytest.raises(PhotoError, match="pillow-heif") as refused:
            read_photo(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))
        assert refused.value.code == "unsupported"
        return
    from pillow_heif import register_heif_opener

    register_heif_opener()
    photo = read_photo(saved(picture, "HEIF", quality=95))
    assert photo.format == "HEIF"
    assert difference(photo.rgb8, cat) < 4


def test_floating_point_is_refused_with_a_sentence() -> None:
    with pytest.raises(PhotoError, match=r"floating point\. Save it with 8 or 16 bits") as refused:
        read_photo(tiff(np.zeros((4, 4), np.float32), photometric="minisblack"))
    assert refused.value.code == "unsupported"


def test_a_cameras_raw_file_is_not_taken_for_its_thumbnail() -> None:
    thumbnail, raw = np.zeros((40, 60, 3), np.uint8), np.zeros((400, 600), np.uint16)
    dng = tiff(thumbnail, photometric="rgb", extratags=[(50706, 1, 4, (1, 4, 0, 0), True)])
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as writer:
        writer.write(thumbnail, photometric="rgb", subfiletype=1, subifds=1)
        writer.write(raw, photometric="minisblack")
    for content in (dng, stream.getvalue()):
        with pytest.raises(PhotoError, match="raw file") as refused:
            read_photo(content)
        assert refused.value.code == "unsupported"


def test_colours_multiplied_with_opacity_are_restored(cat: NDArray[np.uint8]) -> None:
    deep = cat.astype(np.uint16) * 257
    opacity = np.linspace(20_000, 65535, cat.shape[1]).astype(np.uint16)[np.newaxis].repeat(len(cat), 0)
    multiplied = np.rint(deep * (opacity[..., np.newaxis] / 65535)).astype(np.uint16)
    photo = read_photo(tiff(np.dstack([multiplied, opacity]), photometric="rgb", extrasamples=["assocalpha"]))
    assert np.abs(photo.pixels.astype(int) - deep).max() < 4
    np.testing.assert_array_equal(photo.alpha, opacity)


def test_a_fourth_channel_that_is_no_opacity_is_left_out(cat: NDArray[np.uint8]) -> None:
    deep = np.dstack([cat.astype(np.uint16) * 257, np.zeros(cat.shape[:2], np.uint16)])
    photo = read_photo(tiff(deep, photometric="rgb", extrasamples=["unspecified"]))
    assert photo.alpha is None
    np.testing.assert_array_equal(photo.pixels, deep[..., :3])


def test_planes_apart_with_eight_bits(cat: NDArray[np.uint8]) -> None:
    content = tiff(np.moveaxis(cat, -1, 0), photometric="rgb", planarconfig="separate")
    np.testing.assert_array_equal(read_photo(content).rgb8, cat)
