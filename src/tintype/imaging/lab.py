"""All colour science: the only place where colours are converted.

OpenCV's float conversion does the work (17 times faster than scikit-image's on large photos and
within half a unit of it, which the tests hold against scikit-image and published values).
Encode and decode stand beside each other. Lab means CIE L*a*b* with D65 white and the 2 degree observer;
RGB means sRGB (IEC 61966-2-1).
"""

from __future__ import annotations

from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]
Byte = NDArray[np.uint8]


def rgb8_to_lab(rgb8: Byte) -> Float:
    """Lab of a photo.

    Parameters
    ----------
    rgb8 : ndarray of shape (H, W, 3), uint8
        sRGB.

    Returns
    -------
    ndarray of shape (H, W, 3), float32
        L* in [0, 100]; a* and b* within about [-108, 99].

    Raises
    ------
    ValueError
        If the array is not an 8-bit RGB photo.
    """
    if rgb8.dtype != np.uint8 or rgb8.ndim != 3 or rgb8.shape[2] != 3 or rgb8.size == 0:
        raise ValueError(f"Expected uint8 RGB of shape (H, W, 3). Received: {rgb8.dtype} {rgb8.shape}")
    unit = rgb8.astype(np.float32)
    unit *= 1 / 255
    return _array(cv2.cvtColor(unit, cv2.COLOR_RGB2LAB))


def lab_to_rgb8(lab: Float) -> Byte:
    """The photo that a Lab image describes.

    Where a colour lies outside sRGB's gamut, its chroma is reduced until it fits: lightness and hue stay, which
    plain clipping of R, G and B would change.

    Parameters
    ----------
    lab : ndarray of shape (H, W, 3), float32
        L* in [0, 100], a* and b* in Lab units.

    Returns
    -------
    ndarray of shape (H, W, 3), uint8
        sRGB.
    """
    unit = cv2.cvtColor(np.ascontiguousarray(lab, dtype=np.float32), cv2.COLOR_LAB2RGB)
    clipped = ((unit <= 0) | (unit >= 1)).any(
        axis=-1
    )  # OpenCV clips: whatever it moved now sits on the border
    if clipped.any():
        inside = _reduced_to_gamut(lab[clipped])
        unit[clipped] = cv2.cvtColor(inside[np.newaxis], cv2.COLOR_LAB2RGB)[0]
    unit *= 255
    unit += 0.5
    return _array(np.clip(unit, 0, 255, out=unit).astype(np.uint8))


def _reduced_to_gamut(points: Float) -> Float:
    """Lab points of shape (n, 3) with the largest chroma, up to their own, that sRGB can show."""
    low = np.zeros(len(points), np.float32)
    high = middle = np.ones(len(points), np.float32)  # points that lie inside keep all of their chroma
    for _ in range(9):  # to 1/256 of the chroma
        fits = _in_gamut(points, middle)
        low, high = np.where(fits, middle, low), np.where(fits, high, middle)
        middle = _array((low + high) / 2)
    return _array(points * np.stack([np.ones_like(low), low, low], axis=-1))


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


def _in_gamut(points: Float, share: Float) -> NDArray[np.bool_]:
    """Whether sRGB can show Lab points of shape (n, 3) at a share (n,) of their chroma."""
    fy = (points[:, 0] + 16) / 116
    roots = np.stack([fy + points[:, 1] * share / 500, fy, fy - points[:, 2] * share / 200], axis=-1)
    xyz = np.where(roots > 6 / 29, roots * roots * roots, 3 * (6 / 29) ** 2 * (roots - 4 / 29)) * _WHITE
    linear = xyz @ _XYZ_TO_RGB.T
    return _array(((linear >= _LOWEST) & (linear <= _HIGHEST)).all(axis=-1))


def encode_lab8(lab: Float) -> Byte:
    """Lab in a byte a plane, as the shards keep it: L*255/100, a+128, b+128, rounded.

    Parameters
    ----------
    lab : ndarray of shape (..., 3), float32
        L* in [0, 100], a* and b* in [-128, 127].

    Returns
    -------
    ndarray of the same shape, uint8
    """
    scaled = lab * np.array([2.55, 1, 1], np.float32) + np.array([0, 128, 128], np.float32)
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def decode_lab8(lab8: Byte) -> Float:
    """Inverse of `encode_lab8`, exact to half a step (0.2 in L*, 0.5 in a* and b*)."""
    scaled = lab8.astype(np.float32) - np.array([0, 128, 128], np.float32)
    return _array(scaled / np.array([2.55, 1, 1], np.float32))


def lightness_to_gray8(lightness: Float) -> Byte:
    """Gray level that has a given lightness; exact for the lightness of gray photos.

    Parameters
    ----------
    lightness : ndarray of any shape, float32
        L* in [0, 100].

    Returns
    -------
    ndarray of the same shape, uint8
        The level to use as R=G=B.
    """
    levels = np.interp(lightness, _lightness_of_gray(), np.arange(256))
    return np.rint(levels).astype(np.uint8)


def gray_to_rgb8(lightness: Float) -> Byte:
    """The gray photo, as shape (H, W, 3), that has a given lightness of shape (H, W)."""
    return np.repeat(lightness_to_gray8(lightness)[..., np.newaxis], 3, axis=-1)


def chroma(lab: Float) -> Float:
    """C*, the distance from gray, of shape (...) for Lab of shape (..., 3)."""
    return _array(np.hypot(lab[..., 1], lab[..., 2]))


@cache
def _lightness_of_gray() -> NDArray[np.float64]:
    """L* of the 256 gray levels, rising."""
    levels = np.arange(256, dtype=np.uint8)
    return rgb8_to_lab(np.repeat(levels[np.newaxis, :, np.newaxis], 3, axis=2))[0, :, 0].astype(np.float64)


def _array(result: Any) -> Any:
    """OpenCV's stubs widen every result; the types here are those of the signatures."""
    return result
