from __future__ import annotations

import numpy as np
import pytest

from tintype.imaging.geometry import Crop, photo_crops, resize


def test_shrinking_averages_and_so_keeps_the_mean() -> None:
    planes = np.random.default_rng(0).random((64, 96, 3), np.float32)
    small = resize(planes, 16, 32)
    expected = planes.reshape(16, 4, 32, 3, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(small, expected, atol=1e-5)


def test_a_checkerboard_turns_gray_instead_of_aliasing() -> None:
    board = (np.indices((90, 90)).sum(axis=0) % 2).astype(np.float32)
    np.testing.assert_allclose(resize(board, 32, 32), 0.5, atol=0.1)


@pytest.mark.parametrize("shape", [(1, 300), (300, 1), (1, 1), (7, 5)])
def test_a_constant_stays_constant_at_any_size(shape: tuple[int, int]) -> None:
    planes = np.full((*shape, 2), 42.0, np.float32)
    resized = resize(planes, 64, 48)
    assert resized.shape == (64, 48, 2)
    np.testing.assert_allclose(resized, 42, atol=1e-4)


def test_a_single_plane_keeps_its_axes() -> None:
    assert resize(np.zeros((5, 6, 1), np.float32), 8, 8).shape == (8, 8, 1)
    assert resize(np.zeros((5, 6), np.float32), 8, 8).shape == (8, 8)


def test_an_axis_that_shrinks_is_averaged_even_if_the_other_grows() -> None:
    stripes = np.tile(np.array([0.0, 1.0], np.float32), 64)[np.newaxis]  # (1, 128)
    np.testing.assert_allclose(resize(stripes, 16, 32), 0.5, atol=1e-5)


def test_the_first_crop_is_the_whole_photo() -> None:
    assert photo_crops(30, 40, 3, 0.5, "key")[0] == Crop(0, 0, 30, 40)


def test_crops_depend_on_the_key_alone_and_a_longer_list_starts_with_the_shorter() -> None:
    assert photo_crops(300, 400, 3, 0.5, "key") == photo_crops(300, 400, 8, 0.5, "key")[:3]
    assert photo_crops(300, 400, 3, 0.5, "key")[1:] != photo_crops(300, 400, 3, 0.5, "other")[1:]


@pytest.mark.parametrize("shape", [(300, 400), (1, 17), (2, 2)])
def test_crops_lie_inside_the_photo_and_have_its_shape(shape: tuple[int, int]) -> None:
    for crop in photo_crops(*shape, 50, 0.5, "key"):
        assert crop.height >= 1
        assert crop.width >= 1
        assert crop.top >= 0
        assert crop.left >= 0
        assert crop.top + crop.height <= shape[0]
        assert crop.left + crop.width <= shape[1]
        assert crop.cut(np.zeros(shape)).shape == (crop.height, crop.width)
        assert crop.height >= round(0.5 * shape[0])


def test_a_crop_is_written_read_scaled_and_has_its_surroundings() -> None:
    crop = Crop(2, 3, 10, 20)
    assert Crop.parse(str(crop)) == crop
    assert str(crop) == "20x10+3+2"
    assert crop.scaled((20, 40), (40, 120)) == Crop(4, 9, 20, 60)
    assert crop.fits(12, 23)
    assert not crop.fits(11, 23)
    assert not Crop(-1, 0, 2, 2).fits(9, 9)
    seen = np.zeros((20, 40), int)
    for part in (crop, *crop.around(20, 40)):
        part.cut(seen)[...] += 1
    assert (seen == 1).all()
    with pytest.raises(ValueError, match="literal"):
        Crop.parse("all of it")
