from __future__ import annotations

import numpy as np
import pytest

from tintype.imaging.grid import LONGEST_SIDE, draw_grid

RED, GREEN, BLUE = (200, 0, 0), (0, 200, 0), (0, 0, 200)


def flat(height: int, width: int, colour: tuple[int, int, int]) -> np.ndarray:
    return np.full((height, width, 3), colour, np.uint8)


def box_of(grid: np.ndarray, colour: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """Top, left, height and width of what has a colour."""
    rows, columns = np.nonzero((grid == colour).all(axis=2))
    return rows.min(), columns.min(), np.ptp(rows) + 1, np.ptp(columns) + 1


def test_pictures_keep_proportions_and_stand_in_their_columns() -> None:
    row = [flat(30, 60, RED), flat(300, 150, GREEN), flat(7, 7, BLUE)]
    grid = draw_grid([row], headings=["a", "b", "c"], captions=["one"], cell=100)
    red, green, blue = (box_of(grid, colour) for colour in (RED, GREEN, BLUE))
    assert red[2:] == (50, 100)
    assert green[2:] == (100, 50)
    assert blue[2:] == (100, 100)
    assert red[1] + red[3] <= green[1] < blue[1]
    assert red[0] - green[0] == 25  # centred on its row


def test_rows_go_to_banks_and_every_photo_is_there() -> None:
    colours = [(10 * index, 100, 200) for index in range(20)]
    grid = draw_grid(
        [[flat(30, 40, colour), flat(30, 40, colour)] for colour in colours],
        headings=["gray", "ours"],
        captions=[str(index) for index in range(20)],
        cell=64,
    )
    height, width = grid.shape[:2]
    assert 1 < width / height < 2
    for colour in colours:
        assert (grid == colour).all(axis=2).sum() == 2 * 64 * 48


def test_many_photos_stay_within_the_longest_side() -> None:
    photo = flat(40, 30, RED)
    grid = draw_grid([[photo] * 3] * 100, headings=list("abc"), captions=["x"] * 100, cell=192)
    assert max(grid.shape) <= LONGEST_SIDE


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1)])
def test_extreme_shapes_are_drawn(shape: tuple[int, int]) -> None:
    grid = draw_grid([[flat(*shape, RED)]], headings=["a"], captions=["b"], cell=64)
    assert (grid == RED).all(axis=2).any()


def test_text_is_drawn_and_a_long_one_stays_within_its_bank() -> None:
    photo = flat(64, 64, RED)
    blank = draw_grid([[photo]], headings=[""], captions=[""], cell=64)
    short = draw_grid([[photo]], headings=["ours"], captions=["a"], cell=64)
    long = draw_grid([[photo]], headings=["ours"], captions=["very long name " * 20], cell=64)
    assert blank.shape == short.shape == long.shape
    assert (short != blank).any()
    caption = long[-14:]
    assert (caption < 200).any()
    assert (caption[:, :4] == 255).all()
    assert (caption[:, -4:] == 255).all()


def test_letters_outside_the_font_do_not_break_it() -> None:
    grid = draw_grid([[flat(9, 9, RED)]], headings=["a\nb"], captions=["\u5199\u771f \U0001f4f7"], cell=64)
    assert grid.dtype == np.uint8


@pytest.mark.parametrize(
    ("cells", "headings", "captions", "message"),
    [
        ([], ["a"], [], "a row"),
        ([[flat(2, 2, RED)]], ["a"], [], "caption for each of 1"),
        ([[flat(2, 2, RED)]], ["a", "b"], ["x"], "2 pictures in each row"),
        ([[np.zeros((2, 2, 3))]], ["a"], ["x"], "uint8 RGB.*float64"),
        ([[np.zeros((2, 2), np.uint8)]], ["a"], ["x"], r"Received: uint8 \(2, 2\)"),
    ],
)
def test_what_does_not_fit_is_refused(cells: list, headings: list, captions: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        draw_grid(cells, headings=headings, captions=captions)
