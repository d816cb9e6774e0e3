"""What a call would do and take."""

import struct
from pathlib import Path

import pytest

from tintype.cli.collection.estimate import (
    BASE_BYTES,
    LOAD_SECONDS,
    NETWORK_SECONDS,
    bytes_of,
    seconds_of,
    work_of,
)
from tintype.cli.collection.headers import Header, read_header
from tintype.cli.collection.run import IN_FLIGHT, IN_FLIGHT_PIXELS


def headers(*megapixels):
    return [Header("JPEG", 1000, round(1000 * size), 500_000) for size in megapixels]


def test_memory_does_not_grow_with_the_collection():
    few, many, large = (work_of(headers(*sizes)) for sizes in ([4] * 30, [4] * 10_000, [4, 150, 4]))
    assert bytes_of(few) == bytes_of(many)
    assert few.in_flight == IN_FLIGHT_PIXELS
    assert large.in_flight == 150_000_000
    assert work_of(headers(*[0.1] * 1000)).in_flight == pytest.approx(IN_FLIGHT * 100_000)
    assert bytes_of(work_of([])) == BASE_BYTES


def test_time_grows_with_photos_and_pixels():
    assert seconds_of(work_of([]), 0.1) == LOAD_SECONDS
    small, large = work_of(headers(1)), work_of(headers(10))
    assert seconds_of(work_of(headers(*[1] * 100)), 0.1) - LOAD_SECONDS == pytest.approx(
        100 * (seconds_of(small, 0.1) - LOAD_SECONDS)
    )
    assert seconds_of(small, 0) == LOAD_SECONDS + NETWORK_SECONDS
    assert seconds_of(large, 0.1) > seconds_of(small, 0.1)


def test_headers_are_read_without_decoding(odd_photos, tmp_path):
    assert read_header(odd_photos / "gray16.png") == Header(
        "PNG", 451, 300, (odd_photos / "gray16.png").stat().st_size
    )
    cut = tmp_path / "cut.png"
    cut.write_bytes((odd_photos / "rotated.jpg").read_bytes()[:20_000])  # by content, not by name
    header = read_header(cut)
    assert header is not None
    assert (header.format, header.pixels) == ("JPEG", 451 * 300)
    (tmp_path / "text.jpg").write_text("no photo")
    assert read_header(tmp_path / "text.jpg") is None
    assert read_header(tmp_path / "nowhere.jpg") is None


def test_headers_of_photos_beyond_pillows_own_limit_are_read(tmp_path):
    size = struct.pack("<II", 15_000, 13_000)
    header = b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + struct.pack("<I", 40) + size
    (tmp_path / "large.bmp").write_bytes(header + struct.pack("<HH", 1, 24) + bytes(24))
    header = read_header(tmp_path / "large.bmp")
    assert header is not None
    assert header.pixels == 195_000_000


def test_a_dry_run_counts_estimates_and_writes_nothing(photos, tintype):
    before = sorted(Path().rglob("*"))
    result = tintype("colorize", "in", "-o", "out", "--dry-run")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].startswith("6 photos would be coloured: 0.9 megapixels, ")
    assert lines[0].endswith("3 JPEG, 2 PNG, 1 TIFF.")
    assert lines[1].startswith("Estimate: ")
    assert " GB of memory on " in lines[1]
    assert sorted(Path().rglob("*")) == before


def test_a_dry_run_names_photos_in_colour(photos, tintype):
    cases = [((), "would be replaced (see --keep-colour)"), (("--keep-colour",), "would stay as they are")]
    for options, would in cases:
        result = tintype("colorize", "in", "-o", "out", "--dry-run", *options)
        assert result.stderr.splitlines() == [
            f"note: in/{name}: Has colours of its own, which {would}."
            for name in ("deep/coffee.jpg", "lzw.tiff", "palette.png", "rotated.jpg")
        ]


def test_a_dry_run_foretells_what_would_fail_and_what_is_in_the_way(photos, photo, tintype):
    Path("in/text.jpg").write_text("no photo")
    result = tintype("colorize", "in", "-o", "out", "--dry-run", "--max-megapixels", "0.2")
    assert result.exit_code == 1
    assert "would fail: in/deep/coffee.jpg: Has 0.2 megapixels, of at most 0.2." in result.stderr
    assert "would fail: in/text.jpg: Its header cannot be read." in result.stderr
    photo("out/gray.jpg")
    result = tintype("colorize", "in", "-o", "out", "--dry-run")
    assert result.exit_code == 1
    assert "in the way: out/gray.jpg" in result.stderr
    assert "1 result would be replaced" in tintype("colorize", "in", "-o", "out", "-n", "--force").stdout


def test_a_dry_run_knows_what_is_done(photos, tintype):
    tintype("colorize", "in", "-o", "out")
    result = tintype("colorize", "in", "-o", "out", "--dry-run")
    assert "Nothing would be coloured." in result.stdout
    assert "6 photos were coloured before" in result.stdout
    result = tintype("colorize", "in", "-o", "out", "--dry-run", "--saturation", "0.5")
    assert "left: out/gray.jpg was coloured with saturation 1." in result.stderr
