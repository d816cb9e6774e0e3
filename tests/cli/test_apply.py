"""Master and layer joined: the same file as from colouring the master, and never with another master by mistake."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner

from tintype.cli import app
from tintype.formats.layer import encode_layer, read_layer
from tintype.formats.photo import encode_photo, read_photo, write_photo
from tintype.formats.xmp import read_provenance
from tintype.imaging.merge import merge
from tintype.imaging.provenance import Lineage, Provenance


def _tintype(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def master(here: Path, cat: NDArray[np.uint8]) -> Path:
    """A photo with EXIF that lies on its side."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "Aunt Emma"
    Image.fromarray(cat).transpose(Image.Transpose.ROTATE_90).save("master.jpg", exif=exif.tobytes())
    return Path("master.jpg")


@pytest.fixture
def layer(master: Path) -> Path:
    """Its colour layer."""
    photo = read_photo(master)
    ab = np.random.default_rng(3).uniform(-20, 20, (48, 48, 2)).astype(np.float32)
    made = Provenance(Lineage("tintype", "3", bundle_sha256="a" * 64), photo.sha256, {"saturation": "1.5"})
    Path("master.layer.png").write_bytes(encode_layer(ab, made, (451, 300)))
    return Path("master.layer.png")


def test_the_files_are_those_that_colouring_the_masters_gives(
    tintype: Callable[..., Result], here: Path, cat: NDArray[np.uint8]
) -> None:
    dtypes = {"a.jpg": np.uint8, "b.png": np.uint16, "c.tif": np.uint16}
    for name, dtype in dtypes.items():
        write_photo(Path("in") / name, cat.astype(dtype) * (257 if dtype is np.uint16 else 1))
    saturation = ("--saturation", 1 / 3)  # no short decimal
    assert tintype("colorize", "in", "-o", "direct", *saturation).exit_code == 0
    assert tintype("colorize", "in", "-o", "layers", "--layer", *saturation).exit_code == 0
    for name, dtype in dtypes.items():
        layer = (Path("layers") / name).with_suffix(".layer.png")
        result = _tintype("apply", Path("in") / name, layer, "-o", name)
        assert (result.exit_code, result.stderr) == (0, "")
        direct, joined = read_photo(Path("direct") / name), read_photo(Path(name))
        assert joined.pixels.dtype == dtype
        np.testing.assert_array_equal(joined.pixels, direct.pixels)
        assert Path(name).read_bytes() == (Path("direct") / name).read_bytes()


def test_a_layer_of_an_earlier_version_is_applied_as_it_was(master: Path, layer: Path) -> None:
    whole = read_layer(layer)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tintype.formats.layer.FORMAT", "ab16/1")
        Path("old.layer.png").write_bytes(encode_layer(whole.ab, whole.provenance, whole.master_size))
    photo = read_photo(master)
    for name, file, edges in (("new.png", layer, True), ("old.png", "old.layer.png", False)):
        assert _tintype("apply", master, file, "-o", name).exit_code == 0
        expected, _ = merge(photo.pixels, whole.ab, whole.saturation, edges=edges)
        np.testing.assert_array_equal(read_photo(Path(name)).pixels, expected)
    assert Path("new.png").read_bytes() != Path("old.png").read_bytes()


def test_the_masters_metadata_and_the_layers_provenance_are_in_the_result(master: Path, layer: Path) -> None:
    assert _tintype("apply", master, layer, "-o", "out.jpg").exit_code == 0
    provenance = read_provenance(Path("out.jpg"))
    assert provenance.input_sha256 == read_photo(master).sha256
    assert provenance.lineage.version == "3"
    assert provenance.parameters == {"saturation": "1.5"}
    with Image.open("out.jpg") as image:
        assert image.size == (451, 300)  # upright
        assert image.getexif()[0x010E] == "Aunt Emma"


def test_metadata_can_be_left_out(master: Path, layer: Path) -> None:
    assert _tintype("apply", master, layer, "-o", "out.jpg", "--metadata", "strip").exit_code == 0
    with Image.open("out.jpg") as image:
        assert 0x010E not in image.getexif()


def test_another_master_is_refused_unless_it_is_meant(master: Path, layer: Path) -> None:
    Path("other.jpg").write_bytes(master.read_bytes() + b"!")
    refused = _tintype("apply", "other.jpg", layer, "-o", "out.jpg")
    assert refused.exit_code == 1
    assert "Expected the master of this layer, with SHA-256" in refused.stderr
    assert "--any-master" in refused.stderr
    assert not Path("out.jpg").exists()
    assert _tintype("apply", "other.jpg", layer, "-o", "out.jpg", "--any-master").exit_code == 0
    assert read_provenance(Path("out.jpg")).input_sha256 == read_photo(Path("other.jpg")).sha256


def test_a_better_scan_of_another_size_can_be_coloured(
    layer: Path, here: Path, cat: NDArray[np.uint8]
) -> None:
    write_photo(Path("better.png"), np.repeat(np.repeat(cat, 2, axis=0), 2, axis=1))
    assert _tintype("apply", "better.png", layer, "-o", "out.png", "--any-master").exit_code == 0
    assert read_photo(Path("out.png")).pixels.shape == (600, 902, 3)


def test_a_size_that_is_not_the_masters_is_refused(master: Path) -> None:
    made = Provenance(Lineage("tintype"), read_photo(master).sha256)
    Path("odd.png").write_bytes(encode_layer(np.zeros((4, 4, 2), np.float32), made, (300, 451)))
    result = _tintype("apply", master, "odd.png", "-o", "out.jpg")
    assert result.exit_code == 1
    assert "Received: 451 x 300" in result.stderr


def test_neither_master_nor_layer_is_ever_replaced(master: Path, layer: Path) -> None:
    before = master.read_bytes(), layer.read_bytes()
    for output in (master, layer):
        assert _tintype("apply", master, layer, "-o", output, "--force").exit_code == 2
    assert before == (master.read_bytes(), layer.read_bytes())


def test_a_file_is_replaced_only_by_force(master: Path, layer: Path) -> None:
    Path("out.jpg").write_text("mine")
    assert _tintype("apply", master, layer, "-o", "out.jpg").exit_code == 2
    assert Path("out.jpg").read_text() == "mine"
    assert _tintype("apply", master, layer, "-o", "out.jpg", "--force").exit_code == 0
    assert read_photo(Path("out.jpg")).format == "JPEG"


def test_what_is_no_layer_is_reported_in_a_sentence(master: Path, here: Path, cat: NDArray[np.uint8]) -> None:
    Path("photo.png").write_bytes(encode_photo(cat, "PNG"))
    Path("empty.png").write_bytes(b"")
    for other in ("photo.png", "empty.png", "none.png", master):
        shutil.copy(master, "copy.jpg")
        result = _tintype("apply", "copy.jpg", other, "-o", "out.jpg")
        assert result.exit_code == 1
        assert result.stderr.startswith("error: Expected a colour layer")
        assert result.stderr.count("\n") == 1
