"""Pages of several pictures, and photos that are none."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tintype.imaging.album import pictures_on_page
from tintype.imaging.border import small_lightness
from tintype.imaging.picture import read_picture

PLACES = ((60, 60), (60, 460), (400, 60), (400, 460))


def shown_on(pixels: NDArray[np.integer]) -> int:
    return pictures_on_page(small_lightness(pixels))


def page(pictures: list[NDArray[np.uint8]], level: int) -> NDArray[np.uint8]:
    sheet = np.full((760, 860, 3), level, np.uint8)
    for (top, left), picture in zip(PLACES, pictures, strict=False):
        sheet[top : top + 300, left : left + 340] = picture[:300, :340] * 0.7 + 30
    return sheet


@pytest.fixture(scope="module")
def pictures(sample: Path) -> list[NDArray[np.uint8]]:
    names = ("cat", "coffee", "bridge", "temple")
    return [read_picture(sample / f"{name}.jpg").rgb8 for name in names]


@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize("level", [250, 8], ids=["white", "black"])
def test_pictures_are_counted(pictures: list[NDArray[np.uint8]], count: int, level: int) -> None:
    sheet = page(pictures[:count], level)
    assert shown_on(sheet) == shown_on(sheet.astype(np.uint16) * 257) == count


def test_a_single_picture_makes_no_page(pictures: list[NDArray[np.uint8]], sample: Path) -> None:
    assert shown_on(page(pictures[:1], 250)) == 0
    paths = [*sample.glob("*.jpg"), *sample.with_name("legacy").glob("*.jpg")]
    # Muybridge's plate has rows of frames.
    found = [path.name for path in paths if shown_on(read_picture(path).pixels)]
    assert found == ["locomotion-house-cat.jpg"]
    assert shown_on(np.full((1, 1, 3), 9, np.uint8)) == 0
