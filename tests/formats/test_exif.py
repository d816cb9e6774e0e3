from __future__ import annotations

import io
import struct

import pytest
from PIL import Image

from tintype.formats.exif import (
    LONG,
    MAX_BYTES,
    RATIONAL,
    UNDEFINED,
    Exif,
    Value,
    integers,
    parse_exif,
    read_resolution,
    without_gps,
    write_directory,
    write_exif,
)
from tintype.formats.photo import encode_photo, read_photo
from tintype.imaging.reading.orientation import read_orientation
from tintype.imaging.reading.tiff import DirectoryError, read_directory, read_layout

MAKER_NOTE = 0x927C


def blob(size: int) -> Value:
    return Value(UNDEFINED, size, bytes(range(256)) * (size // 256) + bytes(size % 256))


@pytest.mark.parametrize("order", ["<", ">"])
def test_what_is_written_is_read_back(order: str) -> None:
    exif = Exif(
        order,
        main={271: Value(2, 7, b"Camera\0"), 33432: Value(2, 2, b"I\0")},
        camera={0x9003: Value(2, 20, b"1936:03:05 06:07:08\0"), MAKER_NOTE: blob(301)},
        gps={2: integers(RATIONAL, [48, 1, 51, 1, 30, 1], order)},
        note_at=777,
    )
    block = write_exif(exif)
    assert block is not None
    assert parse_exif(block) == exif
    assert parse_exif(b"Exif\0\0" + block) == exif
    assert parse_exif(write_exif(without_gps(exif)) or b"").gps == {}


def test_nothing_to_say_is_no_block() -> None:
    assert write_exif(Exif("<")) is None
    orientation_alone = Image.Exif()
    orientation_alone[0x0112] = 6
    block = orientation_alone.tobytes()
    assert read_orientation({"exif": block}) == 6
    assert write_exif(parse_exif(block)) is None


def test_a_makers_note_gives_way_where_there_is_no_room() -> None:
    text = Value(2, 2, b"I\0")
    long = write_exif(
        Exif("<", main={271: text, 270: blob(30_000)}, camera={MAKER_NOTE: blob(40_000), 0x9003: text})
    )
    assert long is not None
    assert len(long) <= MAX_BYTES
    assert MAKER_NOTE not in parse_exif(long).camera
    assert parse_exif(long).camera[0x9003] == text
    assert write_exif(Exif("<", main={270: blob(40_000), 271: blob(40_000)})) is None


def test_a_note_whose_place_lies_too_far_out_moves() -> None:
    exif = Exif("<", camera={MAKER_NOTE: blob(500)}, note_at=59_900)
    assert parse_exif(write_exif(exif) or b"").camera == exif.camera


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"II*\0",
        b"XX*\0\x08\0\0\0",
        b"II*\0\xff\xff\0\0",
        b"II*\0\x08\0\0\0\xff\xff",
        b"II*\0\x08\0\0\0" + struct.pack("<H", 5000) + bytes(70_000),
    ],
)
def test_broken_blocks_are_refused(block: bytes) -> None:
    with pytest.raises(DirectoryError):
        parse_exif(block)


def test_values_outside_of_the_block_and_of_unknown_types_are_left_out() -> None:
    entries = [(270, 2, 100, 5000), (271, 99, 1, 0), (272, 2, 3, 0x00434241)]
    table = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    parsed = parse_exif(struct.pack("<2sHIH", b"II", 42, 8, 3) + table + bytes(4))
    assert parsed.main == {272: Value(2, 3, b"ABC")}


def test_a_directory_below_that_points_to_itself_is_read_once() -> None:
    block = (
        struct.pack("<2sHIH", b"II", 42, 8, 2)
        + struct.pack("<HHIIHHII", 0x8769, 4, 1, 8, 0x8825, 4, 1, 8)
        + bytes(4)
    )
    assert parse_exif(block).main == {}


def test_directories_are_sorted_and_even() -> None:
    tags = {
        300: Value(UNDEFINED, 5, b"abcde"),
        20: integers(LONG, [7], "<"),
        100: Value(UNDEFINED, 7, b"fghijkl"),
    }
    block = struct.pack("<2sHI", b"II", 42, 8) + write_directory(tags, "<", 8)
    places, following = read_directory(block, read_layout(block), 8)
    assert list(places) == [20, 100, 300]
    assert following == 0
    assert all(place.start % 2 == 0 for place in places.values())


@pytest.mark.parametrize("file_format", ["WEBP", "AVIF"])
def test_the_resolution_comes_back_where_only_exif_can_hold_it(file_format: str) -> None:
    stream = io.BytesIO()
    Image.new("RGB", (20, 30)).save(stream, "JPEG", dpi=(300, 150))
    photo = read_photo(stream.getvalue())
    assert read_photo(encode_photo(photo.pixels, file_format, like=photo)).dpi == (300, 150)


def test_a_resolution_in_centimetres() -> None:
    tags = {
        282: integers(RATIONAL, [100, 1], "<"),
        283: integers(RATIONAL, [200, 1], "<"),
        296: integers(3, [3], "<"),
    }
    block = struct.pack("<2sHI", b"II", 42, 8) + write_directory(tags, "<", 8)
    assert read_resolution(block) == pytest.approx((254, 508))
    tags[282] = integers(RATIONAL, [100, 0], "<")
    assert read_resolution(struct.pack("<2sHI", b"II", 42, 8) + write_directory(tags, "<", 8)) is None
