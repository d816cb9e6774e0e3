"""Before and after, side by side."""

import numpy as np
import pytest

from tintype.cli.collection.write import LONGEST_SIDE, side_by_side


@pytest.mark.parametrize(
    ("height", "width", "beside"),
    [
        (30, 40, True),
        (40, 30, True),
        (20, 60, False),
        (4000, 6000, True),
        (9000, 100, True),
        (1, 5000, False),
    ],
)
def test_both_are_whole_and_the_picture_is_of_bounded_size(height, width, beside):
    before = np.full((height, width, 3), 60, np.uint8)
    after = np.full((height, width, 3), 200, np.uint8)
    picture = side_by_side(before, after)
    assert max(picture.shape) <= LONGEST_SIDE
    first, last = picture[0, 0], picture[-1, -1]
    assert (first.tolist(), last.tolist()) == ([60] * 3, [200] * 3)
    middle = picture[:, picture.shape[1] // 2] if beside else picture[picture.shape[0] // 2]
    assert (middle == 255).all()


def test_a_small_photo_is_shown_at_its_own_size():
    picture = side_by_side(np.zeros((30, 40, 3), np.uint8), np.zeros((30, 40, 3), np.uint8))
    assert picture.shape == (30, 92, 3)


def test_16_bits_become_8():
    before = np.full(
        (30, 40, 3), 60 * 257 - 128, np.uint16
    )  # nearest to 60; without its last 8 bits it is 59
    picture = side_by_side(before, before)
    assert picture.dtype == np.uint8
    assert picture[0, 0].tolist() == [60] * 3
