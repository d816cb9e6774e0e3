"""Colour from the network, lightness from the photo: joined at the photo's own size.

The photo is worked on in strips, so that the memory it takes beside the photo itself does not grow with the photo.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from tintype.imaging.geometry import Crop, by_strips, resize, rows_between
from tintype.imaging.guided import GuidedColours
from tintype.imaging.lab import gray_to_rgb, lab_to_rgb, lightness


@dataclass(frozen=True)
class Receipt:
    """How far a coloured photo's lightness is from the photo's own, in L* (0..100), and how much colour it got.

    Attributes
    ----------
    mean_dl, max_dl : float
        Mean and largest absolute difference of L* over all pixels, measured on the pixels that are written.
    mean_chroma : float
        Mean C* of the colours, in Lab units, before any of them was reduced to the gamut.
    own_colours : str
        What became of colours that the photo had itself (`tintype.imaging.own_colours`); empty if it had none.
    inside : Crop or None
        What was coloured, where a border around it was left neutral.
    """

    mean_dl: float
    max_dl: float
    mean_chroma: float
    own_colours: Literal["", "replaced", "kept"] = ""
    inside: Crop | None = None


def merge(
    pixels: NDArray[Any],
    ab: NDArray[np.float32],
    saturation: float = 1.0,
    *,
    edges: bool = True,
    inside: Crop | None = None,
) -> tuple[NDArray[Any], Receipt]:
    """The photo with its own lightness and new colours.

    Parameters
    ----------
    pixels : ndarray of shape (H, W, 3), uint8 or uint16
        sRGB; only its lightness is used.
    ab : ndarray of shape (h, w, 2), float32
        a* and b* in Lab units, at any size.
    saturation : float
        Factor on a* and b*; 0 gives a gray photo.
    edges : bool
        Whether colours that are fewer than the pixels change where the photo's lightness does, as
        `tintype.imaging.guided` says, or are interpolated over its edges.
    inside : Crop, optional
        The part of the photo that the colours are of; around it the photo becomes gray. All of it if not given.

    Returns
    -------
    pixels : ndarray of the same shape and dtype
        sRGB.
    receipt : Receipt
    """
    coloured = np.empty_like(pixels)
    picture = inside or Crop(0, 0, *pixels.shape[:2])
    own = picture.cut(pixels)
    tallies = _fill(picture.cut(coloured), own, _colours(own, ab * np.float32(saturation), edges=edges))
    for band in picture.around(*pixels.shape[:2]):
        tallies += _fill(band.cut(coloured), band.cut(pixels), None)
    return coloured, replace(_receipt(tallies), inside=inside)


def _fill(
    coloured: NDArray[Any], pixels: NDArray[Any], colours: GuidedColours | _PlainColours | None
) -> list[_Tally]:
    """Join pixels of shape (h, w, 3) with their colours, strip by strip; without colours they become gray."""

    def join(rows: slice) -> _Tally:
        before = lightness(pixels[rows])
        a, b = colours.strip(rows, before) if colours else (np.zeros_like(before),) * 2
        coloured[rows] = _joined(before, a, b, pixels.dtype)
        return _tally(before, lightness(coloured[rows]), cv2.magnitude(a, b))

    return by_strips(len(pixels), pixels.shape[1], join)


def _colours(pixels: NDArray[Any], ab: NDArray[np.float32], *, edges: bool) -> GuidedColours | _PlainColours:
    """The colours at the photo's size."""
    height, width = pixels.shape[:2]
    few = resize(ab, min(len(ab), height), min(ab.shape[1], width))
    size = few.shape[1::-1]
    if not edges or size == (width, height):
        return _PlainColours(ab, height, width)
    # The mean of pixels instead of that of their L*: a quarter of the cost, and as good a guide.
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).reshape(*few.shape[:2], 3)
    return GuidedColours(few, lightness(small), height, width)


class _PlainColours:
    """Colours interpolated without regard to the photo's edges."""

    def __init__(self, ab: NDArray[np.float32], height: int, width: int) -> None:
        # At the photo's width, and at its height too where that is the smaller one.
        self._wide, self._height = resize(ab, min(len(ab), height), width), height

    def strip(
        self, rows: slice, lightness: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Planes a and b, of shape (n, W), of some rows; their L* plays no part here."""
        colours = rows_between(self._wide, self._height, rows)
        return np.ascontiguousarray(colours[..., 0]), np.ascontiguousarray(colours[..., 1])


def _joined(
    plane: NDArray[np.float32], a: NDArray[np.float32], b: NDArray[np.float32], dtype: np.dtype[Any]
) -> NDArray[Any]:
    """Pixels from planes of shape (n, W)."""
    if not (a.any() or b.any()):
        return gray_to_rgb(plane, dtype)  # R, G and B equal to the last bit
    return lab_to_rgb(cv2.merge([plane, a, b]), dtype)


class _Tally(NamedTuple):
    """Sums over a strip."""

    pixels: int
    dl: float
    max_dl: float
    chroma: float


def _tally(before: NDArray[np.float32], after: NDArray[np.float32], chroma: Any) -> _Tally:
    """A strip's L* before and after, and the chroma that it was given, all of shape (n, W), counted."""
    difference = cv2.absdiff(before, after)
    return _Tally(
        before.size,
        float(difference.sum(dtype=np.float64)),
        float(difference.max()),
        float(chroma.sum(dtype=np.float64)),
    )


def _receipt(tallies: list[_Tally]) -> Receipt:
    """The means over all strips."""
    pixels = sum(tally.pixels for tally in tallies)
    return Receipt(
        sum(tally.dl for tally in tallies) / pixels,
        max(tally.max_dl for tally in tallies),
        sum(tally.chroma for tally in tallies) / pixels,
    )
