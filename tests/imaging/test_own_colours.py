"""Colour photos against gray and toned ones, made from the sample's photos."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tintype.imaging.lab import lab_to_rgb, rgb_to_lab
from tintype.imaging.own_colours import colour_beside_tone, has_own_colours
from tintype.imaging.picture import read_picture

Planes = NDArray[np.float32]
# Its true colours are one blue: what no measure of this kind can tell from a toned print.
ONE_HUE = "bird-lamp.jpg"


@pytest.fixture(scope="module")
def photos(sample: Path) -> dict[str, NDArray[np.uint8]]:
    return {path.name: read_picture(path).rgb8 for path in sorted(sample.glob("*.jpg"))}


def _sepia(lightness: Planes) -> list[Planes]:
    tone = np.sin(np.pi * lightness / 100)
    return [8 * tone, 24 * tone]


def _cyanotype(lightness: Planes) -> list[Planes]:
    tone = np.sin(np.pi * lightness / 100)
    return [-3 * tone, -30 * tone]


def _selenium(lightness: Planes) -> list[Planes]:
    return [0.1 * (100 - lightness), -0.06 * (100 - lightness)]


def _split(lightness: Planes) -> list[Planes]:
    light = 1 / (1 + np.exp((50 - lightness) / 10))
    return [4 * light - 3, 28 * light - 14]


def _uneven(lightness: Planes) -> list[Planes]:
    """Yellowed, more so towards a corner."""
    height, width = lightness.shape
    place = np.add.outer(np.linspace(0, 0.5, height), np.linspace(0, 0.5, width))
    return [2 + 2 * place, 6 + 9 * place]


def _with_stamp(lightness: Planes) -> list[Planes]:
    a, b = _sepia(lightness)
    stamp = np.s_[: len(a) // 12, : a.shape[1] // 12]
    a[stamp], b[stamp] = 60, 40
    return [a, b]


def _noisy(lightness: Planes) -> list[Planes]:
    """A scanner's chroma noise."""
    noise = np.random.default_rng(7).normal(0, 6, (2, *lightness.shape))
    return [noise[0], 8 + noise[1]]


TONES = [_sepia, _cyanotype, _selenium, _split, _uneven, _with_stamp, _noisy]


def toned(pixels: NDArray[np.uint8], tone: Callable[[Planes], list[Planes]]) -> NDArray[np.uint8]:
    lightness = rgb_to_lab(pixels)[..., 0]
    rgb = lab_to_rgb(np.dstack([lightness, *tone(lightness)]).astype(np.float32))
    _, jpeg = cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, 60])
    return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8)


def test_photos_of_the_sample_have_colours_of_their_own(photos: dict[str, NDArray[np.uint8]]) -> None:
    assert {name for name, pixels in photos.items() if not has_own_colours(pixels)} == {ONE_HUE}


@pytest.mark.parametrize("tone", TONES)
def test_toned_ones_have_none(
    photos: dict[str, NDArray[np.uint8]], tone: Callable[[Planes], list[Planes]]
) -> None:
    assert [name for name, pixels in photos.items() if has_own_colours(toned(pixels, tone))] == []


def test_old_prints_have_none(sample: Path) -> None:
    prints = [read_picture(path).pixels for path in sorted(sample.with_name("legacy").glob("*.jpg"))]
    assert len(prints) == 9
    assert max(map(colour_beside_tone, prints)) < 4


def test_size_depth_and_shape_make_little_difference(photos: dict[str, NDArray[np.uint8]]) -> None:
    cat = photos["cat.jpg"]
    plain = colour_beside_tone(cat)
    large = cv2.resize(cat, None, fx=6, fy=6, interpolation=cv2.INTER_CUBIC)
    assert colour_beside_tone(np.asarray(large)) == pytest.approx(plain, rel=0.05)
    assert colour_beside_tone(cat.astype(np.uint16) * 257) == pytest.approx(plain, rel=0.01)
    assert colour_beside_tone(cat[:1, :1]) == 0
    assert min(colour_beside_tone(cat[:1]), colour_beside_tone(cat[:, :1])) > 0
    assert colour_beside_tone(np.repeat(cat[..., 1:2], 3, axis=2)) < 0.01
