from __future__ import annotations

import numpy as np
import pytest

from tintype.imaging import geometry
from tintype.imaging.geometry import STRIP_PIXELS, Crop, resize
from tintype.imaging.lab import lab_to_rgb, lightness, rgb_to_lab
from tintype.imaging.merge import merge

WARM = np.full((4, 4, 2), 12, np.float32)


@pytest.fixture(scope="module")
def patches() -> np.ndarray:
    """Smooth colours at a network's size, (32, 32, 2), some of them wild."""
    return resize(np.random.default_rng(1).normal(0, 30, (6, 6, 2)).astype(np.float32), 32, 32)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_keeps_size_depth_and_lightness(cat: np.ndarray, patches: np.ndarray, dtype: type) -> None:
    photo = cat.astype(dtype) * (257 if dtype is np.uint16 else 1)
    coloured, receipt = merge(photo, patches)
    assert coloured.shape == photo.shape
    assert coloured.dtype == dtype
    moved = np.abs(lightness(coloured) - lightness(photo))
    assert receipt.mean_dl == pytest.approx(moved.mean(), abs=1e-4)
    assert receipt.max_dl == pytest.approx(moved.max(), abs=1e-4)
    assert receipt.mean_dl < 0.1
    assert receipt.max_dl < 0.5


def test_colours_at_the_photos_size_are_those_of_lab(cat: np.ndarray, patches: np.ndarray) -> None:
    large = np.tile(cat, (4, 3, 1))
    assert large[..., 0].size > 5 * STRIP_PIXELS
    wide = resize(patches, *large.shape[:2])
    whole = lab_to_rgb(np.dstack([lightness(large), wide]))
    for coloured in (merge(large, patches, edges=False)[0], merge(large, wide)[0]):
        difference = np.abs(coloured.astype(int) - whole)
        assert difference.max() <= 1
        assert difference.mean() < 0.001


def test_strips_make_no_difference(
    cat: np.ndarray, patches: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = np.tile(cat, (4, 3, 1))
    coloured, receipt = merge(large, patches)
    monkeypatch.setattr(geometry, "STRIP_PIXELS", large[..., 0].size)
    whole, same = merge(large, patches)
    # What is outside of the gamut is worked on alone or with its strip, by how much of it there is: last bits differ.
    assert np.abs(coloured.astype(int) - whole).max() <= 1
    assert (coloured != whole).mean() < 0.001
    assert receipt.mean_chroma == pytest.approx(same.mean_chroma, rel=1e-6)


def test_colours_change_where_the_photo_does() -> None:
    house = np.full((60, 80, 3), 200, np.uint8)
    house[:, 37:] = 60
    ab = np.zeros((6, 8, 2), np.float32)
    ab[:, 4:] = (30, 20)
    ab[:, 3] = (9, 6)
    chroma = {
        edges: np.linalg.norm(rgb_to_lab(merge(house, ab, edges=edges)[0])[30, :, 1:], axis=-1)
        for edges in (True, False)
    }
    assert np.abs(np.diff(chroma[True])).argmax() == 36
    assert np.abs(np.diff(chroma[True])).max() > 15
    assert np.abs(np.diff(chroma[False])).max() < 6


@pytest.mark.parametrize("edges", [True, False])
def test_no_colour_is_gray_to_the_last_bit(cat: np.ndarray, edges: bool) -> None:
    gray, receipt = merge(cat, np.zeros((32, 32, 2), np.float32), edges=edges)
    assert np.ptp(gray, axis=-1).max() == 0
    assert receipt.mean_chroma == 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (3, 7), (600, 2)])
def test_photos_smaller_than_the_network_in_any_direction(
    shape: tuple[int, int], patches: np.ndarray
) -> None:
    gray = np.full((*shape, 3), 120, np.uint8)
    coloured, receipt = merge(gray, patches)
    assert coloured.shape == gray.shape
    assert receipt.max_dl < 0.5


def test_saturation_is_a_factor(cat: np.ndarray) -> None:
    gray = merge(cat, WARM, saturation=0)[0]
    assert np.ptp(gray.astype(int), axis=-1).max() == 0
    middle = np.full((8, 8, 3), 120, np.uint8)
    once, twice = (rgb_to_lab(merge(middle, WARM, factor)[0])[..., 1:].mean((0, 1)) for factor in (1, 2))
    np.testing.assert_allclose(once, [12, 12], atol=0.5)
    np.testing.assert_allclose(twice, [24, 24], atol=0.5)


def test_says_how_much_colour_it_gave(cat: np.ndarray) -> None:
    assert merge(cat, WARM)[1].mean_chroma == pytest.approx(12 * 2**0.5, rel=1e-4)
    assert merge(cat, WARM, saturation=0)[1].mean_chroma == 0


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("inside", [Crop(30, 40, 200, 300), Crop(0, 0, 300, 100), Crop(50, 0, 200, 451)])
def test_what_is_inside_of_a_border_is_coloured_as_if_it_were_alone(
    cat: np.ndarray, patches: np.ndarray, dtype: type, inside: Crop
) -> None:
    photo = cat.astype(dtype) * (257 if dtype is np.uint16 else 1)
    coloured, receipt = merge(photo, patches, 1.2, inside=inside)
    alone, _ = merge(inside.cut(photo), patches, 1.2)
    np.testing.assert_array_equal(inside.cut(coloured), alone)
    assert np.ptp(coloured, axis=2)[~shape_of(inside, photo)].max() == 0
    assert receipt.inside == inside
    assert receipt.mean_dl == pytest.approx(np.abs(lightness(coloured) - lightness(photo)).mean(), abs=1e-4)
    assert receipt.max_dl < 0.5


def shape_of(inside: Crop, photo: np.ndarray) -> np.ndarray:
    mask = np.zeros(photo.shape[:2], bool)
    inside.cut(mask)[...] = True
    return mask
