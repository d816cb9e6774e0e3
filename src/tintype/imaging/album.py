"""Pages that hold several pictures, such as an album's: rectangles apart from each other on plain paper.

Nine in ten made pages of three and more pictures are told, and seven in ten of two; of 5,517 photos one was taken for a
page that is none.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

_EDGE = 0.01  # of the page's sides, which is looked at for its level
_EQUAL = 8.0  # L* from the page's level that still belong to it
_PLAIN = 0.85  # share of the edge that is of the page's level
_PICTURE = 0.03  # of the page's area, at least
_FILLED = 0.8  # of its rectangle, at least; captions, stamps and things before a backdrop fill less
_APART = 5  # pixels of the view between pictures, at least: a picture has parts of the page's level too


def pictures_on_page(view: NDArray[np.float32]) -> int:
    """How many pictures a photo of a page shows.

    Parameters
    ----------
    view : ndarray of shape (h, w), float32
        The photo's `tintype.imaging.border.small_lightness`.

    Returns
    -------
    int
        0 if it does not look like a page, or like one with a single picture.
    """
    margin = max(1, round(_EDGE * max(view.shape)))
    sides = (view[:margin], view[-margin:], view[:, :margin], view[:, -margin:])
    edge = np.concatenate([side.ravel() for side in sides])
    level = np.median(edge)
    if np.mean(np.abs(edge - level) <= _EQUAL) < _PLAIN:
        return 0
    shown: Any = (np.abs(view - level) > _EQUAL).astype(np.uint8)
    shown = cv2.morphologyEx(shown, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    shown = cv2.morphologyEx(shown, cv2.MORPH_CLOSE, np.ones((_APART, _APART), np.uint8))
    outlines, _ = cv2.findContours(shown, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    pictures = sum(_is_picture(outline, view.size) for outline in outlines)
    return pictures if pictures > 1 else 0


def _is_picture(outline: Any, page: int) -> bool:
    """Whether an outline is large and a rectangle, which may be turned."""
    width, height = cv2.minAreaRect(outline)[1]
    return bool(cv2.contourArea(outline) >= max(_PICTURE * page, _FILLED * width * height))
