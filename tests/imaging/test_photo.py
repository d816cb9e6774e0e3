from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from tintype.data.sources.source import photos_among
from tintype.formats.photo import read_photo, write_photo
from tintype.imaging.finding import find_photos
from tintype.imaging.limits import Limits, PhotoError
from tintype.imaging.reading.srgb import srgb_profile


def jpeg(picture: Image.Image, **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "JPEG", **options)
    return stream.getvalue()


def test_every_odd_photo_becomes_upright_srgb(odd_photos: Path, cat: np.ndarray) -> None:
    for path in find_photos(odd_photos):
        photo = read_photo(path)
        assert photo.rgb8.dtype == np.uint8, path.name
        assert photo.rgb8.ndim == 3, path.name
        assert photo.rgb8.shape[2] == 3, path.name
        assert photo.rgb8.flags.c_contiguous, path.name


def test_the_exif_orientation_is_applied_and_then_forgotten(odd_photos: Path, cat: np.ndarray) -> None:
    photo = read_photo(odd_photos / "rotated.jpg")
    assert photo.rgb8.shape == cat.shape
    assert np.abs(photo.rgb8.astype(int) - cat).mean() < 3
    assert photo.exif is None


def test_sixteen_bits_of_gray_are_scaled_not_cut(odd_photos: Path) -> None:
    deep, shallow = read_photo(odd_photos / "gray16.png"), read_photo(odd_photos / "gray.jpg")
    assert np.abs(deep.rgb8.astype(int) - shallow.rgb8).mean() < 3


def test_opacity_is_kept_apart(odd_photos: Path) -> None:
    photo = read_photo(odd_photos / "alpha.png")
    assert photo.alpha is not None
    assert photo.alpha.shape == photo.rgb8.shape[:2]
    assert photo.alpha[0].max() < photo.alpha[-1].min()
    assert read_photo(odd_photos / "cmyk.jpg").alpha is None


def test_an_icc_profile_is_converted_to_srgb(cat: np.ndarray) -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    srgb = ImageCms.createProfile("sRGB")
    stream = io.BytesIO()
    picture = ImageCms.profileToProfile(Image.fromarray(cat), srgb, lab, outputMode="LAB")
    picture.save(stream, "TIFF", icc_profile=lab.tobytes())
    photo = read_photo(stream.getvalue())
    assert photo.mode == "LAB"
    assert np.abs(photo.rgb8.astype(int) - cat).mean() < 3


def test_a_broken_icc_profile_does_not_cost_the_photo(cat: np.ndarray) -> None:
    photo = read_photo(jpeg(Image.fromarray(cat), icc_profile=b"not a profile"))
    assert np.abs(photo.rgb8.astype(int) - cat).mean() < 5


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "it is empty"),
        (b"Not a photo at all.", "its content is none of them"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "its content is none of them"),
    ],
)
def test_what_is_no_photo_gets_a_sentence(content: bytes, sentence: str) -> None:
    with pytest.raises(PhotoError, match=sentence):
        read_photo(content)


def test_a_truncated_photo_is_refused(cat: np.ndarray) -> None:
    content = jpeg(Image.fromarray(cat))
    with pytest.raises(PhotoError, match="cannot be decoded"):
        read_photo(content[: len(content) // 2])


def test_a_missing_file_gets_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match=r"Expected a readable photo at .*none.jpg. Received: No such file"):
        read_photo(tmp_path / "none.jpg")


def test_too_many_pixels_are_refused_before_they_are_decoded() -> None:
    with pytest.raises(PhotoError, match="200 x 100") as refused:
        read_photo(jpeg(Image.new("RGB", (200, 100))), Limits(pixels=10_000))
    assert refused.value.code == "too_many_pixels"


@pytest.mark.parametrize("name", ["a.png", "a.tiff", "a.TIF"])
def test_lossless_formats_give_back_what_was_written(tmp_path: Path, cat: np.ndarray, name: str) -> None:
    write_photo(tmp_path / name, cat)
    np.testing.assert_array_equal(read_photo(tmp_path / name).rgb8, cat)


@pytest.mark.parametrize("name", ["a.jpg", "a.webp"])
def test_lossy_formats_come_close(tmp_path: Path, cat: np.ndarray, name: str) -> None:
    write_photo(tmp_path / name, cat)
    assert np.abs(read_photo(tmp_path / name).rgb8.astype(int) - cat).mean() < 3


def test_opacity_resolution_and_exif_come_along(tmp_path: Path, odd_photos: Path) -> None:
    photo = read_photo(odd_photos / "alpha.png")
    write_photo(tmp_path / "a.png", photo.rgb8, like=photo)
    np.testing.assert_array_equal(read_photo(tmp_path / "a.png").alpha, photo.alpha)
    exif = Image.Exif()
    exif[0x010F] = "A camera"
    scan = read_photo(jpeg(Image.new("RGB", (8, 8)), exif=exif, dpi=(300, 300)))
    write_photo(tmp_path / "b.jpg", scan.rgb8, like=scan)
    with Image.open(tmp_path / "b.jpg") as image:
        assert image.getexif()[0x010F] == "A camera"
        assert image.info["dpi"] == (300, 300)


def test_equal_photos_are_equal_files(tmp_path: Path, cat: np.ndarray) -> None:
    write_photo(tmp_path / "a.jpg", cat)
    srgb_profile.cache_clear()
    write_photo(tmp_path / "b.jpg", cat)
    assert (tmp_path / "a.jpg").read_bytes() == (tmp_path / "b.jpg").read_bytes()


def test_an_unknown_suffix_is_refused_and_nothing_is_left(tmp_path: Path, cat: np.ndarray) -> None:
    with pytest.raises(PhotoError, match="Expected a name that ends in one of"):
        write_photo(tmp_path / "a.psd", cat)
    assert list(tmp_path.iterdir()) == []


def test_finds_photos_in_order_and_leaves_hidden_ones(tmp_path: Path) -> None:
    for name in ("b/2.JPG", "a.png", ".hidden/x.jpg", "b/.part.jpg", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [path.relative_to(tmp_path).as_posix() for path in find_photos(tmp_path)] == ["a.png", "b/2.JPG"]


def test_jpegs_under_their_rarer_names_are_photos(tmp_path: Path, cat: np.ndarray) -> None:
    names = ["a.JFIF", "b.jpe", "c.mpo", "d.jpg"]
    for name in names:
        (tmp_path / name).write_bytes(jpeg(Image.fromarray(cat)))
    (tmp_path / "e.tga").touch()  # is brought along with a data set, but cannot be decoded
    found = find_photos(tmp_path)
    assert [path.name for path in found] == names
    assert {read_photo(path).format for path in found} == {"JPEG"}
    taken, (left_out,) = photos_among([*names, "e.tga", "f.txt"])
    assert taken == [*names, "e.tga"]
    assert (left_out.path, left_out.reason) == ("f.txt", "no_photo")


def test_broken_directories_of_place_and_camera_do_not_leave_a_photo_on_its_side(cat: np.ndarray) -> None:
    orientation = struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0)
    place = struct.pack("<HHII", 0x8825, 4, 1, 0x7FFFFFFF)  # where the directory of GPS tags is said to be
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 2) + orientation + place + bytes(4)
    photo = read_photo(jpeg(Image.fromarray(np.rot90(cat)), exif=exif))
    assert photo.pixels.shape == cat.shape
    assert photo.notes == ("Its EXIF is broken and was left behind.",)
