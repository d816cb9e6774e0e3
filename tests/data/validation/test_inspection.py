"""Facts are those of the upright, decoded photo, and what cannot be read is said to be so."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tintype.data.validation.inspection import Facts, Reason, Rejection, inspect_all, inspect_photo

SAMPLE = Path(__file__).parents[3] / "data" / "sample"


def test_facts_of_a_photo(tmp_path: Path) -> None:
    (tmp_path / "pets" / "cats").mkdir(parents=True)
    shutil.copy(SAMPLE / "cat.jpg", tmp_path / "pets" / "cats" / "tom.jpg")
    facts = inspect_photo(tmp_path, "pets/cats/tom.jpg")
    content = (SAMPLE / "cat.jpg").read_bytes()
    width, height = Image.open(SAMPLE / "cat.jpg").size
    assert isinstance(facts, Facts)
    assert facts.content_hash == hashlib.sha256(content).hexdigest()
    assert (facts.width, facts.height, facts.bytes) == (width, height, len(content))
    assert (facts.format, facts.mode, facts.label) == ("JPEG", "RGB", "cats")


def test_size_is_that_of_the_upright_photo(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    Image.new("RGB", (90, 60), "red").save(tmp_path / "turned.jpg", exif=exif)
    facts = inspect_photo(tmp_path, "turned.jpg")
    assert isinstance(facts, Facts)
    assert (facts.width, facts.height) == (60, 90)


@pytest.mark.parametrize(
    ("colour", "lightness", "chroma"),
    [((128, 128, 128), 53.6, 0.0), ((255, 0, 0), 53.2, 104.6), ((0, 0, 255), 32.3, 133.8)],
    ids=["gray", "red", "blue"],
)
def test_means_are_those_of_lab(
    tmp_path: Path, colour: tuple[int, int, int], lightness: float, chroma: float
) -> None:
    Image.new("RGB", (700, 80), colour).save(tmp_path / "plain.png")
    facts = inspect_photo(tmp_path, "plain.png")
    assert isinstance(facts, Facts)
    assert facts.mean_l == pytest.approx(lightness, abs=0.2)
    assert facts.mean_chroma == pytest.approx(chroma, abs=0.5)


def test_pixel_hash_ignores_metadata_but_not_shape(tmp_path: Path) -> None:
    pixels = np.arange(64 * 96 * 3, dtype=np.uint8).reshape(64, 96, 3)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    Image.fromarray(pixels).save(tmp_path / "b.png", dpi=(300, 300))
    Image.fromarray(pixels.reshape(96, 64, 3)).save(tmp_path / "c.png")
    plain, with_dpi, reshaped = (inspect_photo(tmp_path, name) for name in ("a.png", "b.png", "c.png"))
    assert isinstance(plain, Facts)
    assert isinstance(with_dpi, Facts)
    assert isinstance(reshaped, Facts)
    assert plain.content_hash != with_dpi.content_hash
    assert plain.pixel_hash == with_dpi.pixel_hash != reshaped.pixel_hash


@pytest.mark.parametrize("content", [b"", b"no photo at all", (SAMPLE / "cat.jpg").read_bytes()[:4000]])
def test_unreadable_photos_are_rejected_with_a_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "broken.jpg").write_bytes(content)
    rejection = inspect_photo(tmp_path, "broken.jpg")
    assert isinstance(rejection, Rejection)
    assert rejection.reason is Reason.UNDECODABLE
    assert rejection.detail.startswith("Expected")
    assert str(tmp_path) not in rejection.detail


def test_a_name_that_is_no_text_is_rejected(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.jpg")
    shutil.copy(SAMPLE / "cat.jpg", tmp_path / name)
    rejection = inspect_photo(tmp_path, name)
    assert rejection == Rejection("caf\\xe9.jpg", Reason.UNUSABLE_NAME, "Expected a file name in UTF-8.")


def test_processes_give_what_one_would_in_the_same_order() -> None:
    names = [photo.name for photo in sorted(SAMPLE.glob("*.jpg"))][:4]
    assert list(inspect_all(SAMPLE, names)) == [inspect_photo(SAMPLE, name) for name in names]
