"""The colour layer: exact, bound to its master, and refused where it is not whole."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tintype.formats import layer as layer_module
from tintype.formats.layer import FORMAT, LayerError, encode_layer, read_layer
from tintype.formats.xmp import COLOURS_ALONE, provenance_xmp, read_provenance
from tintype.imaging.lab import AB16_STEP, round_ab
from tintype.imaging.merge import merge
from tintype.imaging.provenance import Lineage, Provenance

MADE = Provenance(Lineage("tintype", "3", bundle_sha256="a" * 64), "e" * 64, {"saturation": "1.25"})


@pytest.fixture(scope="module")
def ab() -> NDArray[np.float32]:
    """Colours over the whole range in whole steps, (40, 30, 2) float32."""
    values = np.random.default_rng(1).integers(-32768, 32768, (40, 30, 2))
    values[0, 0], values[0, 1] = (-32768, 32767), 0
    return values.astype(np.float32) * np.float32(AB16_STEP)


def test_colours_and_what_belongs_to_them_come_back_exactly(ab: NDArray[np.float32]) -> None:
    layer = read_layer(encode_layer(ab, MADE, (4000, 3000)))
    np.testing.assert_array_equal(layer.ab, ab)
    assert layer.ab.dtype == np.float32
    assert layer.provenance == MADE
    assert layer.master_size == (4000, 3000)
    assert layer.saturation == 1.25


def test_colours_between_steps_are_rounded(ab: NDArray[np.float32]) -> None:
    near = np.clip(ab + np.float32(0.4 * AB16_STEP), -128, 127.99)
    assert np.abs(read_layer(encode_layer(near, MADE, (1, 1))).ab - near).max() <= AB16_STEP / 2


def test_a_layer_holds_exactly_what_is_on_its_steps() -> None:
    values = np.random.default_rng(2).uniform(-200, 200, (30, 40, 2)).astype(np.float32)
    values[0, 0] = (128, -128)
    held = round_ab(values)
    np.testing.assert_array_equal(read_layer(encode_layer(held, MADE, (1, 1))).ab, held)
    np.testing.assert_array_equal(held, round_ab(held))
    np.testing.assert_array_equal(held[0, 0], np.float32([128 - AB16_STEP, -128]))
    inside = np.abs(values) < 127.9
    assert np.abs(held - values)[inside].max() <= AB16_STEP / 2


def test_layers_of_earlier_versions_are_interpolated_as_they_were(
    ab: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read_layer(encode_layer(ab, MADE, (1, 1))).edges
    monkeypatch.setattr(layer_module, "FORMAT", "ab16/1")
    old = encode_layer(ab, MADE, (1, 1))
    monkeypatch.setattr(layer_module, "FORMAT", "ab16/3")
    newer = encode_layer(ab, MADE, (1, 1))
    monkeypatch.undo()
    assert FORMAT == "ab16/2"
    assert not read_layer(old).edges
    np.testing.assert_array_equal(read_layer(old).ab, ab)
    assert read_layer(old).provenance == MADE
    with pytest.raises(LayerError, match="Expected a colour layer"):
        read_layer(newer)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_photo_gets_the_same_pixels_from_a_layer_as_from_the_colours(
    ab: NDArray[np.float32], cat: NDArray[np.uint8], dtype: type
) -> None:
    photo = cat.astype(dtype) * (257 if dtype is np.uint16 else 1)
    layer = read_layer(encode_layer(ab, MADE, (451, 300)))
    np.testing.assert_array_equal(
        merge(photo, layer.ab, layer.saturation)[0], merge(photo, ab, np.float32(1.25))[0]
    )


def test_a_layer_is_a_png_that_every_viewer_shows(ab: NDArray[np.float32]) -> None:
    with Image.open(io.BytesIO(encode_layer(np.zeros_like(ab), MADE, (1, 1)))) as image:
        assert image.format == "PNG"
        assert image.size == (30, 40)
        assert set(np.asarray(image.convert("RGB")).ravel()) == {128}  # gray means no colour


def test_a_layer_says_that_all_of_it_is_ai_made(ab: NDArray[np.float32]) -> None:
    content = encode_layer(ab, MADE, (1, 1))
    assert COLOURS_ALONE.encode() in content
    assert read_provenance(content).input_sha256 == "e" * 64


def test_equal_colours_give_equal_files(ab: NDArray[np.float32]) -> None:
    assert encode_layer(ab, MADE, (4, 3)) == encode_layer(ab.copy(), MADE, (4, 3))


@pytest.mark.parametrize("saturation", ["3", "-1", "nan", "much"])
def test_a_saturation_out_of_range_is_refused(ab: NDArray[np.float32], saturation: str) -> None:
    provenance = Provenance(MADE.lineage, MADE.input_sha256, {"saturation": saturation})
    with pytest.raises(LayerError, match="saturation"):
        read_layer(encode_layer(ab, provenance, (1, 1)))


def _photo_with_provenance() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "JPEG", xmp=provenance_xmp(MADE))
    return file.getvalue()


def _png16_without_provenance() -> bytes:
    content = encode_layer(np.zeros((4, 4, 2), np.float32), MADE, (1, 1))
    text = content.index(b"iTXt") - 4
    (length,) = struct.unpack_from(">I", content, text)
    return content[:text] + content[text + 12 + length :]


@pytest.mark.parametrize(
    "content",
    [b"", b"text", _photo_with_provenance(), _png16_without_provenance()],
    ids=["empty", "text", "a coloured photo", "a PNG of 16 bits"],
)
def test_what_is_no_layer_is_reported_in_a_sentence(content: bytes) -> None:
    with pytest.raises(LayerError, match=r"Expected a colour layer as .* writes it"):
        read_layer(content)


def test_a_layer_cut_or_changed_anywhere_is_refused(ab: NDArray[np.float32]) -> None:
    content = encode_layer(ab, MADE, (4, 3))
    for at in range(0, len(content), 97):
        changed = content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1 :]
        for damaged in (content[:at], changed):
            with pytest.raises(LayerError):
                read_layer(damaged)


def test_a_bomb_is_refused_before_it_is_decoded() -> None:
    content = encode_layer(np.zeros((4, 4, 2), np.float32), MADE, (1, 1))
    header = struct.pack(">4sIIBBBBB", b"IHDR", 60_000, 60_000, 16, 2, 0, 0, 0)
    bomb = content[:8] + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header)) + content[33:]
    with pytest.raises(LayerError, match="60000 x 60000"):
        read_layer(bomb)


def test_a_missing_file_is_reported_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(LayerError, match="No such file"):
        read_layer(tmp_path / "none.png")
