"""The hash holds through what happens to photos on their way, and tells different photos apart."""

from __future__ import annotations

import io
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tintype.data.validation.inspection import Facts, inspect_photo
from tintype.data.validation.perceptual_hash import hashes_as_numbers

SAMPLE = Path(__file__).parents[3] / "data" / "sample"
NAMES = ["astronaut.jpg", "cat.jpg", "sunset.jpg"]


def hash_of(folder: Path, name: str) -> str:
    facts = inspect_photo(folder, name)
    assert isinstance(facts, Facts)
    return facts.perceptual_hash


def apart(first: str, second: str) -> int:
    return int(np.bitwise_count(np.bitwise_xor(*hashes_as_numbers([first, second]))))


def recompressed(photo: Image.Image) -> Image.Image:
    content = io.BytesIO()
    photo.save(content, "JPEG", quality=30)
    return Image.open(content)


def cropped(photo: Image.Image) -> Image.Image:
    width, height = photo.size
    return photo.crop((width // 100, height // 100, width - width // 100, height - height // 100))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("change", "limit"),
    [
        (lambda photo: photo.resize((photo.width // 3, photo.height // 3)), 4),
        (lambda photo: photo.resize((photo.width * 3 // 2, photo.height * 3 // 2)), 4),
        (recompressed, 4),
        (lambda photo: photo.convert("L"), 8),
        (cropped, 10),
    ],
    ids=["smaller", "larger", "recompressed", "gray", "cropped"],
)
def test_hash_survives(
    tmp_path: Path, name: str, change: Callable[[Image.Image], Image.Image], limit: int
) -> None:
    change(Image.open(SAMPLE / name)).save(tmp_path / "changed.bmp")
    assert apart(hash_of(SAMPLE, name), hash_of(tmp_path, "changed.bmp")) <= limit


def test_different_photos_differ() -> None:
    hashes = [hash_of(SAMPLE, photo.name) for photo in sorted(SAMPLE.glob("*.jpg"))]
    assert min(apart(first, second) for first, second in combinations(hashes, 2)) >= 12
