"""Pictures of pictures: a labelled grid, for people to look at.

One row is one photo seen in several ways (gray, ours, truth). Rows are laid out in banks side by side,
so that many photos give a picture with the proportions of a page and not of a scroll.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

LONGEST_SIDE = 2000  # pixels; a grid that needs more gets smaller cells
SMALLEST_CELL = 16

# Neutral: a tinted surround shifts how the colours beside it look.
_PAPER = (255, 255, 255)
_INK = (32, 32, 32)
_FAINT = (112, 112, 112)

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def draw_grid(
    cells: Sequence[Sequence[np.ndarray]],
    *,
    headings: Sequence[str],
    captions: Sequence[str],
    cell: int = 192,
) -> np.ndarray:
    """Draw photos in rows with a heading over each column and a caption under each row.

    Parameters
    ----------
    cells : sequence of rows, each a sequence of ndarray of shape (H, W, 3), uint8
        sRGB pictures of any size; each is fitted into its cell with its proportions kept.
    headings : sequence of str
        One for each column.
    captions : sequence of str
        One for each row; too long ones are cut in the middle.
    cell : int
        Side of the square that holds a picture, in pixels; less where the whole picture's long side
        would pass `LONGEST_SIDE`.

    Returns
    -------
    ndarray of shape (H, W, 3), uint8
        The grid on white.

    Raises
    ------
    ValueError
        If there is no row, or rows, headings and captions do not match.
    """
    _check(cells, headings, captions)
    layout = _layout(len(cells), len(headings), cell)
    rows = [[_fit(rgb8, layout.cell) for rgb8 in row] for row in cells]
    heights = _row_heights(rows, layout)
    sheet = Image.new("RGB", layout.canvas(heights), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for bank in range(layout.banks):
        _draw_headings(draw, headings, layout, bank)
    for index, (row, caption) in enumerate(zip(rows, captions, strict=True)):
        _draw_row(sheet, draw, row, caption, layout, index, heights)
    return np.asarray(sheet)


@dataclass(frozen=True)
class _Layout:
    """Where things go; all lengths in pixels."""

    rows: int  # of pictures, in one bank
    columns: int  # in one bank
    banks: int
    cell: int

    @property
    def gutter(self) -> int:
        return max(2, self.cell // 32)

    @property
    def margin(self) -> int:
        return 3 * self.gutter

    @property
    def text(self) -> int:
        """Size of the letters."""
        return max(9, self.cell // 13)

    @property
    def line(self) -> int:
        """Height of a line of text with the air around it."""
        return self.text * 7 // 4

    @property
    def bank_width(self) -> int:
        return self.columns * (self.cell + self.gutter) - self.gutter

    def left(self, bank: int, column: int) -> int:
        """Left edge of a cell."""
        return self.margin + bank * (self.bank_width + self.margin) + column * (self.cell + self.gutter)

    def top(self, heights: Sequence[int], row: int) -> int:
        """Upper edge of a row of pictures."""
        return self.margin + self.line + sum(heights[:row]) + row * self.line

    def canvas(self, heights: Sequence[int]) -> tuple[int, int]:
        """Width and height of the whole picture."""
        width = self.left(self.banks - 1, self.columns - 1) + self.cell + self.margin
        return width, self.top(heights, len(heights)) + self.gutter


def _check(cells: Sequence[Sequence[np.ndarray]], headings: Sequence[str], captions: Sequence[str]) -> None:
    if not cells or not headings:
        raise ValueError(
            f"Expected at least one row and one column. Received: {len(cells)} rows, {len(headings)} headings."
        )
    if len(captions) != len(cells):
        raise ValueError(f"Expected a caption for each of {len(cells)} rows. Received: {len(captions)}.")
    for row in cells:
        if len(row) != len(headings):
            raise ValueError(f"Expected {len(headings)} pictures in each row. Received: {len(row)}.")
        for rgb8 in row:
            if rgb8.ndim != 3 or rgb8.shape[-1] != 3 or rgb8.dtype != np.uint8 or rgb8.size == 0:
                raise ValueError(
                    f"Expected uint8 RGB of shape (H, W, 3). Received: {rgb8.dtype} {rgb8.shape}."
                )


def _layout(photos: int, columns: int, cell: int) -> _Layout:
    """The number of banks that comes nearest to a page, and the largest cells that fit."""
    candidates = [_Layout(-(-photos // banks), columns, banks, cell) for banks in range(1, photos + 1)]
    best = min(candidates, key=_distance_from_page)
    while best.cell > SMALLEST_CELL and max(best.canvas([best.cell] * best.rows)) > LONGEST_SIDE:
        best = _Layout(best.rows, best.columns, best.banks, best.cell - 1)
    return best


def _distance_from_page(layout: _Layout) -> float:
    """How far the proportions are from 4:3, when pictures are 4:3 themselves."""
    width, height = layout.canvas([layout.cell * 3 // 4] * layout.rows)
    return abs(float(np.log(width / height * 3 / 4)))


def _fit(rgb8: np.ndarray, cell: int) -> Image.Image:
    height, width = rgb8.shape[:2]
    scale = cell / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return Image.fromarray(rgb8).resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _row_heights(rows: Sequence[Sequence[Image.Image]], layout: _Layout) -> list[int]:
    """Tallest picture of each row, the banks taken together so that they stay level."""
    return [
        max(picture.height for row in rows[index :: layout.rows] for picture in row)
        for index in range(layout.rows)
    ]


def _draw_headings(draw: ImageDraw.ImageDraw, headings: Sequence[str], layout: _Layout, bank: int) -> None:
    font = ImageFont.load_default(size=layout.text)
    for column, heading in enumerate(headings):
        text = _shorten(heading, font, layout.cell)
        middle = layout.left(bank, column) + layout.cell // 2
        draw.text((middle, layout.margin + layout.line * 2 // 5), text, fill=_INK, font=font, anchor="mm")


def _draw_row(
    sheet: Image.Image,
    draw: ImageDraw.ImageDraw,
    row: Sequence[Image.Image],
    caption: str,
    layout: _Layout,
    index: int,
    heights: Sequence[int],
) -> None:
    bank, place = divmod(index, layout.rows)
    top = layout.top(heights, place)
    height = max(picture.height for picture in row)
    foot = top + heights[place]
    for column, picture in enumerate(row):
        left = layout.left(bank, column) + (layout.cell - picture.width) // 2
        sheet.paste(picture, (left, foot - height + (height - picture.height) // 2))
    font = ImageFont.load_default(size=max(9, layout.text * 5 // 6))
    text = _shorten(caption, font, layout.bank_width)
    middle = layout.left(bank, 0) + layout.bank_width // 2
    draw.text((middle, foot + layout.line * 2 // 5), text, fill=_FAINT, font=font, anchor="mm")


def _shorten(text: str, font: Font, width: int) -> str:
    """`text` on one line with its middle left out where it is too wide: both ends of a file name tell most."""
    text = " ".join(text.split())
    kept = len(text)
    shown = text
    while kept > 2 and font.getlength(shown) > width:
        kept -= 1
        shown = text[: (kept + 1) // 2] + "\u2026" + text[len(text) - kept // 2 :]
    return shown
