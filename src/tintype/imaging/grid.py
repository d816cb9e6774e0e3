"""Pictures for people to look at: a labelled grid of pictures, and a file of it.

One row is one photo seen in several ways (gray, ours, truth). Rows are stacked in banks side by side,
so that many photos give a picture with the proportions of a page and not of a scroll.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from tintype.files.atomic import new_file
from tintype.files.disk import disk_errors
from tintype.imaging.finding import WRITABLE
from tintype.imaging.limits import PhotoError, reason
from tintype.imaging.reading.srgb import srgb_profile

LONGEST_SIDE = 2000  # pixels; a grid that needs more gets smaller cells
SMALLEST_CELL = 16  # pixels
_FULL_CHROMA = {"JPEG": 0, "AVIF": "4:4:4"}  # colour is what this is about

# Neutral: a tinted surround shifts how the colours beside it look.
_PAPER = (255, 255, 255)
_INK = (32, 32, 32)
_FAINT = (112, 112, 112)

_Rgb8 = NDArray[np.uint8]
_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def draw_grid(
    cells: Sequence[Sequence[_Rgb8]],
    *,
    headings: Sequence[str],
    captions: Sequence[str],
    cell: int = 192,
) -> _Rgb8:
    """Draw photos in rows with a heading over each column and a caption under each row.

    Parameters
    ----------
    cells : sequence of rows, each a sequence of ndarray of shape (H, W, 3), uint8
        sRGB pictures of any size; each is fitted into its cell with its proportions kept.
    headings : sequence of str
        One for each column.
    captions : sequence of str
        One for each row; one that is too long loses its middle.
    cell : int
        Side of the square that a picture is fitted into, in pixels; made smaller where the grid's
        long side would pass `LONGEST_SIDE`.

    Returns
    -------
    ndarray of shape (H, W, 3), uint8
        The grid on white.

    Raises
    ------
    ValueError
        If there is no row, if rows, headings and captions do not match, or if a picture is not
        8-bit RGB.
    """
    _check(cells, headings, captions)
    layout = _layout([_tallest(row) for row in cells], len(headings), cell)
    sheet = Image.new("RGB", layout.canvas, _PAPER)
    draw = ImageDraw.Draw(sheet)
    for bank in range(len(layout.depths)):
        _draw_headings(draw, headings, layout, bank)
    for index, (row, caption) in enumerate(zip(cells, captions, strict=True)):
        _draw_row(sheet, row, layout, index)
        _draw_caption(draw, caption, layout, index)
    return np.asarray(sheet)


def write_picture(
    destination: Path, rgb8: _Rgb8, *, alpha: NDArray[np.uint8] | None = None, quality: int = 95
) -> None:
    """Write a picture into a file of a report, which appears whole or not at all.

    It says nothing beside its pixels and their sRGB profile: a person's photo with all that belongs to it is written
    by `tintype.formats.photo`.

    Parameters
    ----------
    destination : Path
        Its suffix decides the format: one of `tintype.imaging.finding.WRITABLE`.
    rgb8 : ndarray of shape (H, W, 3), uint8
        sRGB.
    alpha : ndarray of shape (H, W), uint8, optional
        Opacity, which JPEG does not have.
    quality : int
        For JPEG, WebP and AVIF, 1 to 100.

    Raises
    ------
    PhotoError
        If the file cannot be written, or its format cannot hold the picture.
    DiskError
        If the disk is full or may not be written to.
    """
    file_format = WRITABLE[destination.suffix.lower()]
    image = Image.fromarray(rgb8)
    if alpha is not None and file_format != "JPEG":
        image.putalpha(Image.fromarray(alpha))
    options: dict[str, Any] = {"format": file_format, "icc_profile": srgb_profile(), "quality": quality}
    if file_format in _FULL_CHROMA:
        options["subsampling"] = _FULL_CHROMA[file_format]
    try:
        with disk_errors(destination.parent), new_file(destination) as part:
            image.save(part, **options)
    except (OSError, ValueError) as error:
        raise PhotoError(
            f"Expected to write {destination}. Received: {reason(error)}.", "not_writable"
        ) from None


@dataclass(frozen=True)
class _Layout:
    """Where things go. All lengths are in pixels."""

    columns: int  # in one bank
    cell: int
    heights: tuple[int, ...]  # of each row's tallest picture
    places: tuple[tuple[int, int], ...]  # of each row: its bank and its upper edge
    depths: tuple[int, ...]  # of each bank: its lower edge

    @property
    def bank_width(self) -> int:
        return self.columns * (self.cell + _gutter(self.cell)) - _gutter(self.cell)

    @property
    def canvas(self) -> tuple[int, int]:
        """Width and height of the whole picture."""
        banks = len(self.depths)
        return banks * (self.bank_width + _margin(self.cell)) + _margin(self.cell), max(self.depths)

    def left(self, bank: int, column: int) -> int:
        """Left edge of a cell."""
        bank_left = _margin(self.cell) + bank * (self.bank_width + _margin(self.cell))
        return bank_left + column * (self.cell + _gutter(self.cell))


def _gutter(cell: int) -> int:
    return max(2, cell // 32)


def _margin(cell: int) -> int:
    return 4 * _gutter(cell)


def _text(cell: int) -> int:
    """Size of the letters: in proportion to the pictures, but legible."""
    return max(9, cell // 13)


def _line(cell: int) -> int:
    """Height of a line of text with the air around it."""
    return _text(cell) * 7 // 4


def _check(cells: Sequence[Sequence[_Rgb8]], headings: Sequence[str], captions: Sequence[str]) -> None:
    if not cells or not headings:
        raise ValueError(
            f"Expected a row and a heading at least. Received: {len(cells)} and {len(headings)}."
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


def _tallest(row: Sequence[_Rgb8]) -> float:
    """Height of a row's tallest picture once fitted, as a share of the cell."""
    return max(rgb8.shape[0] / max(rgb8.shape[:2]) for rgb8 in row)


def _layout(shares: Sequence[float], columns: int, cell: int) -> _Layout:
    """Find the number of banks that comes nearest to a page of 4:3, and the largest cells that fit."""
    candidates = [_stacked(shares, columns, banks, cell) for banks in range(1, len(shares) + 1)]
    best = min(candidates, key=lambda layout: abs(float(np.log(layout.canvas[0] / layout.canvas[1] * 3 / 4))))
    while max(best.canvas) > LONGEST_SIDE and best.cell > SMALLEST_CELL:
        best = _stacked(shares, columns, len(best.depths), best.cell - 1)
    return best


def _stacked(shares: Sequence[float], columns: int, banks: int, cell: int) -> _Layout:
    """Each row goes under the bank that is the shortest so far."""
    heights = tuple(max(1, round(share * cell)) for share in shares)
    depths = [_margin(cell) // 2 + _line(cell)] * banks
    places = []
    for height in heights:
        bank = depths.index(min(depths))
        places.append((bank, depths[bank]))
        depths[bank] += height + _line(cell)
    return _Layout(columns, cell, heights, tuple(places), tuple(depths))


def _fit(rgb8: _Rgb8, cell: int) -> Image.Image:
    height, width = rgb8.shape[:2]
    scale = cell / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return Image.fromarray(rgb8).resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _draw_row(sheet: Image.Image, row: Sequence[_Rgb8], layout: _Layout, index: int) -> None:
    bank, top = layout.places[index]
    for column, rgb8 in enumerate(row):
        picture = _fit(rgb8, layout.cell)
        left = layout.left(bank, column) + (layout.cell - picture.width) // 2
        sheet.paste(picture, (left, top + (layout.heights[index] - picture.height) // 2))


def _draw_headings(draw: ImageDraw.ImageDraw, headings: Sequence[str], layout: _Layout, bank: int) -> None:
    font = ImageFont.load_default(size=_text(layout.cell))
    for column, heading in enumerate(headings):
        middle = layout.left(bank, column) + layout.cell // 2
        height = _margin(layout.cell) // 2 + _line(layout.cell) * 2 // 5
        draw.text((middle, height), _shorten(heading, font, layout.cell), fill=_INK, font=font, anchor="mm")


def _draw_caption(draw: ImageDraw.ImageDraw, caption: str, layout: _Layout, index: int) -> None:
    bank, top = layout.places[index]
    font = ImageFont.load_default(size=max(9, _text(layout.cell) * 5 // 6))
    text = _shorten(caption, font, layout.bank_width)
    middle = layout.left(bank, 0) + layout.bank_width // 2
    height = top + layout.heights[index] + _line(layout.cell) * 2 // 5
    draw.text((middle, height), text, fill=_FAINT, font=font, anchor="mm")


def _shorten(text: str, font: _Font, width: int) -> str:
    """`text` on one line, its middle left out where it is too wide: both ends of a file name tell most."""
    text = " ".join(text.split())
    shown = text
    for kept in range(len(text) - 1, 1, -1):
        if font.getlength(shown) <= width:
            break
        shown = f"{text[: (kept + 1) // 2]}\N{HORIZONTAL ELLIPSIS}{text[len(text) - kept // 2 :]}"
    return shown
