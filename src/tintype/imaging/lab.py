"""All colour science: the only place where colours are converted.

Photos of 8 and of 16 bits go through the same arithmetic: tables between sRGB and linear light, OpenCV's float
conversion between linear light and Lab. (OpenCV's direct conversion from sRGB is half as fast again, but works on 513
levels of lightness and is up to half a unit off; this one is within 0.04 of scikit-image, which the tests hold.)
Encode and decode stand beside each other. Lab means CIE L*a*b* with D65 white and the 2 degree observer;
RGB means sRGB (IEC 61966-2-1).
"""

from __future__ import annotations

from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import DTypeLike, NDArray

from tintype.imaging.gamut import reduce_chroma

Float = NDArray[np.float32]
Byte = NDArray[np.uint8]
Pixels = NDArray[Any]  # uint8 or uint16

_LUMINANCE = np.array([[0.2126729, 0.7151522, 0.0721750]], np.float32)  # the Y row of sRGB's primaries
# CIE 15:2004: where the cube root ends, the slope of the line below.
_EPSILON, _KAPPA = 216 / 24389, 24389 / 27


def rgb_to_lab(pixels: Pixels) -> Float:
    """Lab of a photo.

    Parameters
    ----------
    pixels : ndarray of shape (H, W, 3), uint8 or uint16
        sRGB.

    Returns
    -------
    ndarray of shape (H, W, 3), float32
        L* in [0, 100], the same bits that `lightness` gives; a* and b* within about [-108, 99].

    Raises
    ------
    ValueError
        If the array is not an RGB photo of 8 or 16 bits.
    """
    linear = _to_linear(pixels)
    lab = cv2.cvtColor(linear, cv2.COLOR_LRGB2LAB)
    lab[..., 0] = _lightness(linear)
    return _array(lab)


def lightness(pixels: Pixels) -> Float:
    """L* of a photo, at half the cost of `rgb_to_lab`.

    Parameters
    ----------
    pixels : ndarray of shape (H, W, 3), uint8 or uint16
        sRGB.

    Returns
    -------
    ndarray of shape (H, W), float32
        In [0, 100].

    Raises
    ------
    ValueError
        If the array is not an RGB photo of 8 or 16 bits.
    """
    return _lightness(_to_linear(pixels))


def lab_to_rgb(lab: Float, dtype: DTypeLike = np.uint8) -> Pixels:
    """The photo that a Lab image describes.

    Where a colour lies outside sRGB's gamut, its chroma is reduced until it fits: lightness and hue stay, which
    plain clipping of R, G and B would change.

    Parameters
    ----------
    lab : ndarray of shape (H, W, 3), float32
        L* in [0, 100], a* and b* in Lab units.
    dtype : dtype
        uint8 or uint16.

    Returns
    -------
    ndarray of shape (H, W, 3) and of that dtype
        sRGB.
    """
    lab = np.ascontiguousarray(lab, dtype=np.float32)
    linear = reduce_chroma(lab, _array(cv2.cvtColor(lab, cv2.COLOR_LAB2LRGB)))
    return _from_linear(linear, np.dtype(dtype))


def _to_linear(pixels: Pixels) -> Float:
    """Linear light in [0, 1] from sRGB."""
    if (
        pixels.dtype not in (np.uint8, np.uint16)
        or pixels.ndim != 3
        or pixels.shape[2] != 3
        or pixels.size == 0
    ):
        raise ValueError(
            f"Expected uint8 or uint16 RGB of shape (H, W, 3). Received: {pixels.dtype} {pixels.shape}"
        )
    return _array(cv2.LUT(np.ascontiguousarray(pixels), _linear_light(pixels.dtype)))


def _from_linear(linear: Float, dtype: np.dtype[Any]) -> Pixels:
    """Inverse of `_to_linear`, rounded."""
    if dtype == np.uint8:
        # A 65535th of linear light is a twentieth of the step from black to the first gray.
        return _array(cv2.LUT(cv2.multiply(linear, 65535.0, dtype=cv2.CV_16U), _srgb8()))
    toe = linear * np.float32(12.92 * 65535)
    curve = cv2.pow(linear, 1 / 2.4) * np.float32(1.055 * 65535) - np.float32(0.055 * 65535)
    levels = np.where(linear <= 0.0031308, toe, curve)
    return _array(np.rint(np.clip(levels, 0, 65535)).astype(np.uint16))


def _lightness(linear: Float) -> Float:
    return luminance_to_lightness(cv2.transform(linear, _LUMINANCE))


@cache
def _linear_light(dtype: np.dtype[Any]) -> Float:
    """Linear light of every level of sRGB (IEC 61966-2-1)."""
    levels = np.linspace(0, 1, np.iinfo(dtype).max + 1)
    linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    return linear.astype(np.float32).reshape(1, -1)


@cache
def _srgb8() -> Byte:
    """8-bit sRGB of linear light in 65536 levels."""
    linear = np.linspace(0, 1, 65536)
    levels = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.rint(levels * 255).astype(np.uint8).reshape(1, -1)


def encode_l8(lightness: Float) -> Byte:
    """L* in [0, 100], of any shape, as `encode_lab8` encodes it."""
    return np.clip(np.rint(lightness * np.float32(2.55)), 0, 255).astype(np.uint8)


def decode_l8(l8: Byte) -> Float:
    """Inverse of `encode_l8`: the first plane that `decode_lab8` gives."""
    return _array(l8.astype(np.float32) / np.float32(2.55))


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


AB16_STEP = 1 / 256  # Lab units
AB16_GRAY = 32768


def encode_ab16(ab: Float) -> NDArray[np.uint16]:
    """a* and b*, of any shape, in two bytes each, as colour layers keep them: steps of `AB16_STEP`, gray in the middle.

    What lies outside [-128, 128) is cut off.
    """
    return np.clip(np.rint(ab / np.float32(AB16_STEP)) + np.float32(AB16_GRAY), 0, 65535).astype(np.uint16)


def decode_ab16(codes: NDArray[np.uint16]) -> Float:
    """Inverse of `encode_ab16`, exact to half a step."""
    return _array((codes.astype(np.float32) - np.float32(AB16_GRAY)) * np.float32(AB16_STEP))


def round_ab(ab: Float) -> Float:
    """The colours, of any shape, that a layer holds in place of these: the nearest multiples of `AB16_STEP`."""
    return decode_ab16(encode_ab16(ab))


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
    candidates, starts = _gray_of_lightness()
    steps = np.clip(lightness, 0, 100) * np.float32(_GRAY_STEPS / 100)
    gray8 = candidates[steps.astype(np.int32)]
    gray8 += lightness >= starts[gray8]
    return _array(gray8)


def gray_to_rgb(lightness: Float, dtype: DTypeLike = np.uint8) -> Pixels:
    """The gray photo, of shape (H, W, 3) in 8 or 16 bits, that has a given lightness of shape (H, W)."""
    root = (lightness.astype(np.float32) + 16) / 116
    luminance = np.where(lightness > _EPSILON * _KAPPA, root * root * root, lightness / np.float32(_KAPPA))
    return _from_linear(cv2.merge([luminance.astype(np.float32)] * 3), np.dtype(dtype))


def chroma(lab: Float) -> Float:
    """C*, the distance from gray, of shape (...) for Lab of shape (..., 3)."""
    return _array(np.hypot(lab[..., 1], lab[..., 2]))


# Of lightness. Two gray levels are at least 0.27 apart, so a step has the start of one at most.
_GRAY_STEPS = 1024


@cache
def _gray_of_lightness() -> tuple[Byte, Float]:
    """Tables for the level nearest to a lightness, as interpolating between levels and rounding would give it.

    Returns
    -------
    candidates : ndarray of shape (_GRAY_STEPS + 1,), uint8
        The level at the beginning of each step of lightness.
    starts : ndarray of shape (256,), float32
        By level, the least lightness that has the next one.
    """

    def interpolated(lightness: Float) -> NDArray[np.float64]:
        return np.rint(np.interp(lightness, _lightness_of_gray(), np.arange(256)))

    # Bits of positive floats are in the order of the floats: search among all there are.
    low, high = np.zeros(255, np.int32), np.full(255, np.float32(100).view(np.int32))
    while np.any(high - low > 1):
        middle = low + (high - low) // 2
        reached = interpolated(middle.view(np.float32)) > np.arange(255)
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
    starts = np.append(high.view(np.float32), np.float32(np.inf))
    # Rounding may put a lightness into the step before its own.
    beginnings = (np.arange(_GRAY_STEPS + 1) - 0.01) * np.float32(100 / _GRAY_STEPS)
    return interpolated(np.maximum(beginnings, 0).astype(np.float32)).astype(np.uint8), starts


@cache
def _lightness_of_gray() -> NDArray[np.float64]:
    """L* of the 256 gray levels, rising."""
    levels = np.arange(256, dtype=np.uint8)
    return lightness(np.repeat(levels[np.newaxis, :, np.newaxis], 3, axis=2))[0].astype(np.float64)


def lab_to_linear(lab: Float) -> Float:
    """Linear light of a Lab image, in sRGB's primaries.

    Parameters
    ----------
    lab : ndarray of shape (H, W, 3), float32
        L* in [0, 100], a* and b* in Lab units.

    Returns
    -------
    ndarray of shape (H, W, 3), float32
        In [0, 1]; what lies outside sRGB's gamut is clipped.
    """
    return _array(cv2.cvtColor(np.ascontiguousarray(lab, dtype=np.float32), cv2.COLOR_LAB2LRGB))


def luminance_to_lightness(luminance: Float) -> Float:
    """L* in [0, 100] of linear light, of shape (H, W), where white is 1 (CIE 15:2004); what is lighter is white."""
    root = cv2.pow(luminance, 1 / 3)
    root *= 116
    root -= 16
    dark = luminance <= _EPSILON
    if dark.any():
        root[dark] = luminance[dark] * _KAPPA
    return _array(np.clip(root, 0, 100, out=root))


def _array(result: Any) -> Any:
    """OpenCV's stubs widen every result; the types here are those of the signatures."""
    return result
