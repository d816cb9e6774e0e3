"""The colours out again: lightness, depth and the owner's metadata stay, no word of AI-made colours does."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner

from tintype.cli import app
from tintype.formats.photo import encode_photo, read_photo, write_photo
from tintype.formats.xmp import ProvenanceError, read_provenance
from tintype.imaging.lab import chroma, lightness, rgb_to_lab
from tintype.imaging.merge import merge
from tintype.imaging.provenance import Lineage, Provenance

MADE = Provenance(Lineage("tintype", "3", bundle_sha256="a" * 64), "e" * 64, {"saturation": "1"})


def _tintype(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def _gray(cat: NDArray[np.uint8], dtype: type) -> NDArray[np.uint16] | NDArray[np.uint8]:
    """A gray photo; with 16 bits it has levels between those of 8."""
    levels = cat.mean(axis=2) * (257 if dtype is np.uint16 else 1)
    return np.repeat(levels.astype(dtype)[..., np.newaxis], 3, axis=2)


def _coloured(gray: NDArray[np.uint16] | NDArray[np.uint8]) -> NDArray[np.uint16] | NDArray[np.uint8]:
    ab = np.random.default_rng(3).uniform(-20, 20, (8, 8, 2)).astype(np.float32)
    return merge(gray, ab)[0]


@pytest.mark.parametrize(("name", "dtype"), [("a.png", np.uint8), ("a.png", np.uint16), ("a.tif", np.uint16)])
def test_the_gray_photo_comes_back(here: Path, cat: NDArray[np.uint8], name: str, dtype: type) -> None:
    gray = _gray(cat, dtype)
    write_photo(Path(name), _coloured(gray), provenance=MADE)
    assert chroma(rgb_to_lab(read_photo(Path(name)).pixels)).mean() > 3
    result = _tintype("strip", name, "-o", f"gray-{name}")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "note:" not in result.stdout
    back = read_photo(Path(f"gray-{name}"))
    assert back.pixels.dtype == gray.dtype
    assert back.pixels.shape == gray.shape
    np.testing.assert_array_equal(back.pixels[..., 0], back.pixels[..., 1])
    np.testing.assert_array_equal(back.pixels[..., 0], back.pixels[..., 2])
    difference = np.abs(lightness(back.pixels) - lightness(gray)).mean()
    assert difference < (0.01 if dtype is np.uint16 else 0.2)


def test_the_printed_difference_is_that_of_the_files(here: Path, cat: NDArray[np.uint8]) -> None:
    write_photo(Path("a.png"), _coloured(_gray(cat, np.uint8)), provenance=MADE)
    output = _tintype("strip", "a.png", "-o", "b.png").stdout
    before, after = (lightness(read_photo(Path(name)).pixels) for name in ("a.png", "b.png"))
    assert f"mean |dL*| {np.abs(before - after).mean():.3f}" in output


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
def test_nothing_speaks_of_ai_made_colours_any_more_and_the_owners_words_stay(
    here: Path, cat: NDArray[np.uint8], suffix: str
) -> None:
    exif = Image.Exif()
    exif[0x010E] = "Aunt Emma"
    owned = io.BytesIO()
    Image.fromarray(cat).save(owned, "JPEG", exif=exif.tobytes(), dpi=(600, 600))
    content = encode_photo(
        cat,
        {".jpg": "JPEG", ".tif": "TIFF"}.get(suffix, suffix[1:].upper()),
        like=read_photo(owned.getvalue()),
        provenance=MADE,
    )
    Path(f"a{suffix}").write_bytes(content)
    assert read_provenance(Path(f"a{suffix}")) == MADE
    assert _tintype("strip", f"a{suffix}", "-o", f"b{suffix}").exit_code == 0
    with pytest.raises(ProvenanceError):
        read_provenance(Path(f"b{suffix}"))
    stripped = Path(f"b{suffix}").read_bytes()
    for word in (b"AI-made", b"tintype", b"Tintype", b"lgorithmicMedia"):
        assert word in content or word in (b"AI-made", b"Tintype")
        assert word not in stripped
    with Image.open(f"b{suffix}") as image:
        assert image.getexif()[0x010E] == "Aunt Emma"


def test_a_photo_that_says_nothing_of_its_colours_is_pointed_out(here: Path, cat: NDArray[np.uint8]) -> None:
    write_photo(Path("own.png"), cat)
    result = _tintype("strip", "own.png", "-o", "b.png")
    assert result.exit_code == 0
    assert "they may have been its own" in result.stdout


def test_bits_that_the_format_cannot_hold_are_reported(here: Path, cat: NDArray[np.uint8]) -> None:
    write_photo(Path("a.png"), _coloured(_gray(cat, np.uint16)), provenance=MADE)
    assert "JPEG holds 8 of the photo's 16 bits" in _tintype("strip", "a.png", "-o", "b.jpg").stdout


def test_a_folder_as_output_takes_the_photos_name(here: Path, cat: NDArray[np.uint8]) -> None:
    write_photo(Path("a.png"), cat, provenance=MADE)
    Path("gray").mkdir()
    assert _tintype("strip", "a.png", "-o", "gray").exit_code == 0
    assert Path("gray/a.png").is_file()


def test_a_file_is_replaced_only_by_force_and_the_photo_never(here: Path, cat: NDArray[np.uint8]) -> None:
    write_photo(Path("a.png"), cat, provenance=MADE)
    Path("b.png").write_text("mine")
    before = Path("a.png").read_bytes()
    kept = _tintype("strip", "a.png", "-o", "b.png")
    assert (kept.exit_code, kept.stderr) == (2, "error: b.png already exists. Use --force to replace it.\n")
    assert Path("b.png").read_text() == "mine"
    assert _tintype("strip", "a.png", "-o", "b.png", "--force").exit_code == 0
    assert read_photo(Path("b.png")).format == "PNG"
    Path("link.png").symlink_to("a.png")
    for same in ("a.png", "./a.png", "link.png"):
        assert _tintype("strip", "a.png", "-o", same, "--force").exit_code == 2
    assert Path("a.png").read_bytes() == before


@pytest.mark.parametrize(
    ("content", "output", "code"),
    [
        (None, "b.png", 1),
        (b"", "b.png", 1),
        (b"text", "b.png", 1),
        (b"\x89PNG\r\n\x1a\n", "b.png", 1),
        (b"", "b.xyz", 2),
    ],
)
def test_what_cannot_be_done_is_reported_in_a_sentence(
    here: Path, content: bytes | None, output: str, code: int
) -> None:
    if content is not None:
        Path("a.png").write_bytes(content)
    result = _tintype("strip", "a.png", "-o", output)
    assert result.exit_code == code
    assert result.stderr.startswith("error: Expected")
    assert result.stderr.count("\n") == 1
    assert not Path(output).exists()
