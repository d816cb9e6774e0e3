"""The border of a scanned print: paper, mount or scanner bed around the picture.

A border is uniform and ends on straight lines, inside of which the picture differs from it, on all sides or on two
opposite ones. A sky or a studio's backdrop may be as uniform, but does not end on a line along a whole side. Where in
doubt there is no border: it would stay gray.

Found in .5 % of 11,033 photos that nobody scanned, nearly all of which have one; three were things before black or
white. Of borders that were made around photos, 97 to 100 % of each kind, and 7 in 10 where a side or two have none.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from tintype.imaging.geometry import Crop
from tintype.imaging.lab import lightness

Plane = NDArray[np.float32]

_VIEW = 384  # pixels of the long side of the view that a border is looked for on
_SMALLEST = 48  # pixels of the short side of a view, below which nothing can be told
_NESTED = 3  # a scanner's bed around a print's white border, itself around the picture
_EQUAL = 6.0  # L* from a border's level that still belong to it
_UNIFORM = 2.5  # L*, standard deviation of what belongs to it
_LEVELS = 12.0  # L* between the levels of all sides: light falls off towards a mount's edge
_OF_TWO_SIDES = 0.4  # of both where only two sides have one: sky above and street below come near
_MARKED = 0.12  # share of a border that may be something else: captions, stamps, dirt
_DIFFERENT = 0.6  # share of the picture's outermost row that differs from the border
_SLANT = 0.015  # of a side: how far the picture's edge may be from straight
_RAGGED = 0.02  # of a side: how deep the edge of a paper may be deckled
_NARROWEST, _WIDEST = 0.008, 0.4  # of a side
_LEAST_INSIDE = 0.3  # of a side


def find_border(pixels: NDArray[Any], view: Plane) -> Crop | None:
    """The picture inside of a border.

    Parameters
    ----------
    pixels : ndarray of shape (H, W, 3), uint8 or uint16
        sRGB.
    view : ndarray of shape (h, w), float32
        Its `small_lightness`.

    Returns
    -------
    Crop or None
        None if there is no border.
    """
    found = whole = Crop(0, 0, *view.shape)
    for nested in range(_NESTED):
        inside = _inside(found.cut(view), _RAGGED if nested else _NARROWEST)
        if inside is None:
            break
        found = Crop(found.top + inside.top, found.left + inside.left, inside.height, inside.width)
    return None if found == whole else _at_full_size(found, view, pixels)


def small_lightness(pixels: NDArray[Any]) -> Plane:
    """L* of shape (h, w) at a small size. Not all of a large photo's pixels are read: 12 megapixels take about 6 ms."""
    step = max(1, max(pixels.shape[:2]) // (2 * _VIEW))
    few = np.ascontiguousarray(pixels[::step, ::step])
    scale = min(1.0, _VIEW / max(few.shape[:2]))
    height, width = (max(1, round(side * scale)) for side in few.shape[:2])
    small = cv2.resize(few, (width, height), interpolation=cv2.INTER_AREA)
    return lightness(np.asarray(small).reshape(height, width, 3))


def _inside(view: Plane, ragged: float) -> Crop | None:
    """The picture inside of a view's outermost border, of which a share of the side is not looked at."""
    height, width = view.shape
    if min(height, width) < _SMALLEST:
        return None
    sides = (view, view[::-1], view.T, view.T[::-1])  # each with its border on top
    skipped = [max(1, round(ragged * len(side))) for side in sides]
    depths = [_depth(*pair) for pair in zip(sides, skipped, strict=True)]
    seen = [depth for depth in depths if depth]
    if len(seen) == 3:  # along the fourth side the picture may be as light or as dark as the border
        depths = [min(seen) if depth is None else depth for depth in depths]
    top, bottom, left, right = (depth or 0 for depth in depths)
    inside = Crop(top, left, height - top - bottom, width - left - right)
    if (
        None in depths
        or not ((top and bottom) or (left and right))
        or inside.height < _LEAST_INSIDE * height
        or inside.width < _LEAST_INSIDE * width
    ):
        return None
    bands = [
        _Band.of(side[min(s, d - 1) : d]) for side, s, d in zip(sides, skipped, depths, strict=True) if d
    ]
    strictness = _OF_TWO_SIDES if len(bands) == 2 else 1
    levels = [band.level for band in bands]
    if max(levels) - min(levels) > strictness * _LEVELS:
        return None
    plain = all(band.marked <= _MARKED and band.spread <= strictness * _UNIFORM for band in bands)
    return inside if plain else None


class _Band(NamedTuple):
    """One side's border: its level, how much of it is something else, and how the rest spreads in L*."""

    level: float
    marked: float
    spread: float

    @classmethod
    def of(cls, rows: Plane) -> _Band:
        level = float(np.median(rows))
        near = np.abs(rows - level) <= _EQUAL
        return cls(level, 1 - float(near.mean()), float(rows[near].std()))


def _depth(side: Plane, skipped: int) -> int | None:
    """Rows of border on top of a view: 0 if the picture begins at once, None if it cannot be told where."""
    height, width = side.shape
    differing = _differing(side[:, width // 4 : width - width // 4], skipped)
    if differing[skipped] > _MARKED:
        return 0
    depth = _first_row(differing[: int(_WIDEST * height)], skipped)
    if depth is None:
        return None
    slanted = differing[depth : depth + 2 + round(_SLANT * height)]
    return depth if slanted.max() > _DIFFERENT else None


def _differing(rows: Plane, skipped: int) -> NDArray[np.float64]:
    """Share of each row that is not of the outermost rows' level."""
    level = np.median(rows[skipped // 2 : skipped + 1])
    return np.mean(np.abs(rows - level) > _EQUAL, axis=1)


def _first_row(differing: NDArray[np.float64], skipped: int) -> int | None:
    """Where the picture begins: behind the last row of border before one that is all picture."""
    begun = np.flatnonzero(differing[skipped:] > _DIFFERENT)
    if not begun.size:
        return None
    before = np.flatnonzero(differing[: skipped + begun[0]] <= _MARKED)
    return int(before[-1]) + 1 if before.size else None


def _at_full_size(found: Crop, view: Plane, pixels: NDArray[Any]) -> Crop:
    """A rectangle of the view to a pixel of the photo."""
    near = found.scaled(view.shape, pixels.shape[:2])
    down, across = (full / small for full, small in zip(pixels.shape, view.shape, strict=False))
    rows, columns = (near.top, near.top + near.height), (near.left, near.left + near.width)
    # Few of the lines that cross an edge say where it is.
    upright = pixels[:, columns[0] : columns[1] : max(1, round(across))]
    lying = pixels[rows[0] : rows[1] : max(1, round(down))].transpose(1, 0, 2)
    top = _exactly(upright, rows[0], down)
    bottom = len(upright) - _exactly(upright[::-1], len(upright) - rows[1], down)
    left = _exactly(lying, columns[0], across)
    right = len(lying) - _exactly(lying[::-1], len(lying) - columns[1], across)
    return Crop(top, left, bottom - top, right - left)


def _exactly(lines: NDArray[Any], near: int, scale: float) -> int:
    """The picture's first row, which is near one, for pixels of shape (H, n, 3) with their border on top."""
    reach = 2 * math.ceil(scale)
    if near == 0 or scale == 1:
        return near
    start = max(0, near - reach)
    around = lightness(np.ascontiguousarray(lines[start : near + reach]))
    row = _first_row(_differing(around, reach // 2), reach // 4)
    return near if row is None else start + row
