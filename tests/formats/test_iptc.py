"""The IIM record, read back by us, by Pillow, and from the files that carry it."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest
from PIL import Image, IptcImagePlugin, TiffImagePlugin

from tintype.formats.iptc import (
    CHARACTER_SET,
    INSTRUCTIONS,
    PROGRAM,
    RECORD_VERSION,
    TIFF_TAG,
    iptc_record,
    photoshop_block,
    read_record,
    without_provenance,
)
from tintype.imaging.provenance import Lineage, Provenance

MADE = Provenance(Lineage("tintype", "3", bundle_sha256="ab" * 32), "cd" * 32, {"saturation": "1"})


def _jpeg_with(block: bytes) -> bytes:
    """A JPEG file with a segment APP13 behind its start."""
    plain = io.BytesIO()
    Image.new("RGB", (8, 8)).save(plain, "JPEG")
    content = plain.getvalue()
    return content[:2] + struct.pack(">HH", 0xFFED, len(block) + 2) + block + content[2:]


def test_the_record_says_in_words_that_the_colours_are_ai_made() -> None:
    datasets = dict(read_record(iptc_record(MADE)))
    instructions = datasets[INSTRUCTIONS].decode()
    assert "colours are AI-made" in instructions
    assert "tintype/3" in instructions
    assert "cd" * 32 in instructions
    assert len(datasets[INSTRUCTIONS]) <= 256
    assert datasets[PROGRAM] == b"Tintype"
    assert datasets[CHARACTER_SET] == b"\x1b%G"
    assert datasets[RECORD_VERSION] == b"\x00\x04"


def test_datasets_come_in_the_order_of_their_numbers() -> None:
    numbers = [dataset.number for dataset in read_record(iptc_record(MADE))]
    assert numbers == sorted(numbers)


def test_equal_provenance_gives_equal_records() -> None:
    assert iptc_record(MADE) == iptc_record(MADE)


@pytest.mark.parametrize("name", ["m" * 300, "ä" * 151, "\N{CAT FACE}" * 90])
def test_a_long_name_is_cut_between_letters_to_what_the_standard_allows(name: str) -> None:
    instructions = dict(read_record(iptc_record(Provenance(Lineage(name), "cd" * 32))))[INSTRUCTIONS]
    assert len(instructions) <= 256
    assert "cd" * 32 in instructions.decode()


def test_pillow_reads_the_record_out_of_a_jpeg() -> None:
    content = _jpeg_with(photoshop_block(iptc_record(MADE)))
    with Image.open(io.BytesIO(content)) as image:
        found = IptcImagePlugin.getiptcinfo(image)
    assert found is not None
    assert dict(read_record(iptc_record(MADE)))[INSTRUCTIONS] == found[INSTRUCTIONS]


def test_pillow_reads_the_record_out_of_a_tiff(tmp_path: Path) -> None:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[TIFF_TAG] = iptc_record(MADE)
    tags.tagtype[TIFF_TAG] = 7
    Image.new("RGB", (8, 8)).save(tmp_path / "a.tif", tiffinfo=tags)
    with Image.open(tmp_path / "a.tif") as image:
        found = IptcImagePlugin.getiptcinfo(image)
    assert found is not None
    assert found[PROGRAM] == b"Tintype"


def test_a_record_cut_anywhere_is_read_as_far_as_it_goes() -> None:
    record = iptc_record(MADE)
    whole = read_record(record)
    for length in range(len(record)):
        part = read_record(record[:length])
        assert part == whole[: len(part)]
        assert len(part) < len(whole)


def test_without_provenance_the_owners_datasets_remain() -> None:
    caption = b"\x1c\x02\x78\x00\x04Aunt"
    datasets = read_record(without_provenance(iptc_record(MADE) + caption))
    assert [dataset.number for dataset in datasets] == [CHARACTER_SET, RECORD_VERSION, (2, 120)]
    assert datasets[-1].data == b"Aunt"


def test_without_provenance_nothing_remains_of_ours_alone() -> None:
    assert without_provenance(iptc_record(MADE)) == b""


def test_a_record_of_other_software_stays_as_it_is() -> None:
    record = b"\x1c\x02\x28\x00\x04Keep\x1c\x02\x41\x00\x04GIMP"
    assert without_provenance(record) == record
