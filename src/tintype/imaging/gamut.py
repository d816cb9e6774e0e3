"""Colours that sRGB cannot show, brought to its border: lightness and hue stay, chroma is reduced.

The border is a table of the largest chroma for each lightness and hue of CIELAB.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]

_TINY = 1e-6  # OpenCV clips to 0 and 1 themselves
_FEW = 0.05  # share of pixels up to which picking them out costs less than working on all
_MOVED = 0.3  # Lab units; below a step of 8 bits
_MOST_REMAPPED = 32_766  # pixels along a side, in OpenCV
_HUES, _LIGHTNESSES = 360, 200  # steps of the table of the gamut's border


def reduce_chroma(lab: Float, clipped: Float) -> Float:
    """Linear light of colours as far as sRGB shows them.

    Parameters
    ----------
    lab : ndarray of shape (H, W, 3), float32
        As wanted.
    clipped : ndarray of shape (H, W, 3), float32
        Linear light in [0, 1] as OpenCV's clipping leaves it; changed in place.

    Returns
    -------
    ndarray of shape (H, W, 3), float32
        At the lightness and hue of `lab`, with as much of its chroma as there is.
    """
    # OpenCV clips: all that it moved now lies on the border, together with what belongs there.
    inside = cv2.inRange(clipped, (_TINY,) * 3, (1 - _TINY,) * 3)
    border = np.flatnonzero(inside.reshape(-1) == 0)
    if len(border) > _FEW * inside.size:
        return _within_gamut(lab, clipped)
    if len(border):
        # By number, as a mask over rows of three takes six times as long.
        pixels = clipped.reshape(-1, 1, 3)
        pixels[border] = _within_gamut(lab.reshape(-1, 1, 3).take(border, 0), pixels.take(border, 0))
    return clipped


def _within_gamut(lab: Float, clipped: Float) -> Float:
    """`reduce_chroma` for pixels of which any may lie outside."""
    moved = cv2.absdiff(cv2.cvtColor(clipped, cv2.COLOR_LRGB2LAB), lab)
    reached = cv2.inRange(moved, (0.0,) * 3, (_MOVED,) * 3) != 0
    level, a, b = cv2.split(lab)
    radius, hue = cv2.cartToPolar(a, b, angleInDegrees=True)
    largest = _interpolated(_gamut_border(), level * (_LIGHTNESSES / 100), hue * (_HUES / 360))
    share = np.where(reached, np.float32(1), np.minimum(1, largest / np.maximum(radius, _TINY)))
    return _array(cv2.cvtColor(cv2.merge([level, a * share, b * share]), cv2.COLOR_LAB2LRGB))


def _interpolated(table: Float, column: Float, row: Float) -> Float:
    """The table between its entries, at positions of any shape."""
    result = np.empty(column.shape, np.float32)
    columns, rows, results = column.reshape(1, -1), row.reshape(1, -1), result.reshape(1, -1)
    for start in range(0, column.size, _MOST_REMAPPED):
        part = np.s_[:, start : start + _MOST_REMAPPED]
        results[part] = cv2.remap(table, columns[part], rows[part], cv2.INTER_LINEAR)
    return result


@cache
def _gamut_border() -> Float:
    """The largest chroma that sRGB shows, of shape (hues + 1, lightnesses + 1)."""
    hue = np.deg2rad(np.linspace(0, 360, _HUES + 1))[:, np.newaxis]
    level = np.linspace(0, 100, _LIGHTNESSES + 1)[np.newaxis, :]
    shape = (_HUES + 1, _LIGHTNESSES + 1)
    # Points at a chroma of 140, more than any colour of sRGB has.
    points = np.stack(
        [np.broadcast_to(level, shape), 140 * np.cos(hue) + 0 * level, 140 * np.sin(hue) + 0 * level], axis=-1
    ).reshape(-1, 3)
    low, high = np.zeros(len(points)), np.ones(len(points))
    for _ in range(12):  # to 0.03 units of chroma
        middle = (low + high) / 2
        fits = _in_gamut(points, middle)
        low, high = np.where(fits, middle, low), np.where(fits, high, middle)
    return (140 * low).reshape(shape).astype(np.float32)


# D65 white and the inverse of sRGB's primaries (IEC 61966-2-1).
_WHITE = np.array([0.95047, 1.0, 1.08883], np.float32)
_XYZ_TO_RGB = np.array(
    [
        [3.2404542, -1.5371385, -0.4985314],
        [-0.969266, 1.8760108, 0.041556],
        [0.0556434, -0.2040259, 1.0572252],
    ],
    np.float32,
)
# In linear light. The step from black to the first gray level is 0.0003, between the lightest two 0.009.
_LOWEST, _HIGHEST = -0.0003, 1.004


def _in_gamut(points: NDArray[np.float64], share: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether sRGB can show Lab points of shape (n, 3) at a share (n,) of their chroma."""
    fy = (points[:, 0] + 16) / 116
    roots = np.stack([fy + points[:, 1] * share / 500, fy, fy - points[:, 2] * share / 200], axis=-1)
    xyz = np.where(roots > 6 / 29, roots * roots * roots, 3 * (6 / 29) ** 2 * (roots - 4 / 29)) * _WHITE
    linear = xyz @ _XYZ_TO_RGB.T
    return _array(((linear >= _LOWEST) & (linear <= _HIGHEST)).all(axis=-1))


def _array(result: Any) -> Any:
    """OpenCV's stubs widen every result; the types here are those of the signatures."""
    return result
