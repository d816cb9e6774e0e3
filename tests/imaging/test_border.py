"""Borders that prints have, and what looks like one."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tintype.imaging.border import find_border, small_lightness
from tintype.imaging.geometry import Crop
from tintype.imaging.picture import read_picture

Gray = NDArray[np.uint8]
CLOSE = 2  # pixels
# The border of this one is its own: a row of frames on a plate with a narrow dark edge.
OF_A_PLATE = {"locomotion-house-cat.jpg"}


@pytest.fixture(scope="module")
def prints(sample: Path) -> dict[str, Gray]:
    """Old prints as they are in the project, without a border, in gray."""
    folder = sample.with_name("legacy")
    photos = {path.name: read_picture(path).rgb8 for path in sorted(folder.glob("*.jpg"))}
    return {name: cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY) for name, pixels in photos.items()}


def border_of(pixels: NDArray[np.integer]) -> Crop | None:
    return find_border(pixels, small_lightness(pixels))


def rgb(gray: NDArray[np.integer]) -> NDArray[np.integer]:
    return np.repeat(gray[..., np.newaxis], 3, axis=2)


def mounted(picture: Gray, level: float, around: tuple[int, int, int, int], noise: float = 2) -> Gray:
    """A picture on paper, its margins above, below, left and right."""
    top, bottom, left, right = around
    sheet = np.full((len(picture) + top + bottom, picture.shape[1] + left + right), level, np.float32)
    sheet[top : top + len(picture), left : left + picture.shape[1]] = picture
    sheet += np.random.default_rng(3).normal(0, noise, sheet.shape)
    return np.clip(sheet, 0, 255).astype(np.uint8)


def holds(found: Crop | None, picture: Crop, spare: int) -> bool:
    """Whether nothing of a picture is cut off, and no more of its border kept than may be."""
    if found is None:
        return False
    behind = (found.top + found.height, found.left + found.width)
    expected = (picture.top + picture.height, picture.left + picture.width)
    kept = [*np.subtract(picture[:2], found[:2]), *np.subtract(behind, expected)]
    return min(kept) >= -CLOSE and max(kept) <= spare + CLOSE


def close(found: Crop | None, expected: Crop, pixels: int = CLOSE) -> bool:
    return found is not None and bool(np.abs(np.subtract(found, expected)).max() <= 2 * pixels)


@pytest.mark.parametrize("level", [250, 225, 100, 12], ids=["white", "cream", "gray", "black"])
@pytest.mark.parametrize("around", [(60, 60, 60, 60), (40, 150, 50, 70), (15, 14, 16, 15)])
def test_a_border_is_found_to_the_pixel(
    prints: dict[str, Gray], level: float, around: tuple[int, int, int, int]
) -> None:
    for name in ("dust-bowl-home.jpg", "black-canyon.jpg"):
        picture = np.clip(prints[name].astype(int) * 0.7 + 35, 0, 255).astype(np.uint8)
        expected = Crop(around[0], around[2], *picture.shape)
        found = border_of(rgb(mounted(picture, level, around)))
        # A gray mount beside a gray sky: as much of it is taken for the border as there is on the other sides.
        spare = max(around) - min(around) if level == 100 else 0
        assert holds(found, expected, spare), name


def test_depth_makes_no_difference_and_small_ones_are_left_alone(prints: dict[str, Gray]) -> None:
    sheet = rgb(mounted(prints["dust-bowl-home.jpg"], 245, (80, 80, 80, 80)))
    assert border_of(sheet.astype(np.uint16) * 257) == border_of(sheet)
    small = cv2.resize(sheet, (40, 30), interpolation=cv2.INTER_AREA)
    assert border_of(np.asarray(small)) is None
    assert border_of(sheet[:1]) is None


def _captioned(picture: Gray) -> tuple[Gray, Crop]:
    sheet = mounted(picture, 240, (50, 180, 50, 50))
    cv2.putText(sheet, "Grandmother, 1911", (90, len(sheet) - 60), cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, 2, 60, 3)
    return sheet, Crop(50, 50, *picture.shape)


def _deckled(picture: Gray) -> tuple[Gray, Crop]:
    """White paper with an uneven edge, on a scanner's dark bed."""
    sheet = mounted(mounted(picture, 240, (60, 60, 60, 60)), 20, (50, 50, 50, 50))
    wave = np.abs(cv2.GaussianBlur(np.random.default_rng(5).normal(0, 25, (1, len(sheet))), (0, 0), 5)[0])
    for row, bite in enumerate(wave.astype(int)):
        sheet[row, 50 : 50 + bite] = 20
    return sheet, Crop(110, 110, *picture.shape)


def _passe_partout(picture: Gray) -> tuple[Gray, Crop]:
    """A bevelled mount: gray board, and a white line where it is cut."""
    return mounted(mounted(picture, 250, (6, 6, 6, 6)), 140, (90, 110, 90, 90)), Crop(96, 96, *picture.shape)


def _letterboxed(picture: Gray) -> tuple[Gray, Crop]:
    return mounted(picture, 2, (70, 70, 0, 0), noise=0), Crop(70, 0, *picture.shape)


@pytest.mark.parametrize("make", [_captioned, _deckled, _passe_partout, _letterboxed])
def test_borders_of_other_kinds(prints: dict[str, Gray], make: Callable[[Gray], tuple[Gray, Crop]]) -> None:
    sheet, expected = make(prints["dust-bowl-home.jpg"])
    assert close(border_of(rgb(sheet)), expected, pixels=8)


def test_a_slanting_print_loses_nothing(prints: dict[str, Gray]) -> None:
    picture = prints["black-canyon.jpg"]
    sheet = mounted(picture, 240, (60, 60, 60, 60))
    turn = cv2.getRotationMatrix2D((sheet.shape[1] / 2, len(sheet) / 2), 0.5, 1)
    turned = cv2.warpAffine(sheet, turn, sheet.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
    found = border_of(rgb(turned))
    assert found is not None
    slant = round(np.tan(np.radians(0.5)) * picture.shape[1] / 2)
    assert 60 - slant - 3 <= found.top <= 60 + 3
    assert found.height >= len(picture) - 3


def test_photos_have_none(sample: Path) -> None:
    folders = (sample, sample.with_name("legacy"))
    found = {
        path.name
        for folder in folders
        for path in folder.glob("*.jpg")
        if border_of(read_picture(path).pixels)
    }
    assert found <= OF_A_PLATE


def _sky_over_a_street(height: int, width: int) -> Gray:
    """Level and as light as each other, with a house between."""
    scene = np.full((height, width), 190, np.uint8)
    for left in range(0, width, 40):
        scene[height // 3 + left % 97 : 2 * height // 3 + left % 61, left : left + 40] = 40 + left % 120
    return scene


def _thing_on_paper(height: int, width: int) -> Gray:
    scene = np.full((height, width), 245, np.uint8)
    cv2.ellipse(scene, (width // 2, height // 2), (width // 3, height // 3), 20, 0, 360, 80, -1)
    return scene


def _snow_under_a_sky(height: int, width: int) -> Gray:
    scene = np.full((height, width), 235, np.uint8)
    scene[: height // 3] = 180
    return scene


def _vignette(height: int, width: int) -> Gray:
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    return (220 * np.exp(-2 * (x**2 + y**2) ** 2) + 10).astype(np.uint8)


@pytest.mark.parametrize("make", [_sky_over_a_street, _thing_on_paper, _snow_under_a_sky, _vignette])
def test_what_only_looks_like_a_border(make: Callable[[int, int], Gray]) -> None:
    assert border_of(rgb(make(600, 900))) is None
    assert border_of(rgb(make(600, 900).T)) is None
