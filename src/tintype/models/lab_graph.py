"""Colour conversions that gradients can pass: `tintype.imaging.lab` once more, in the operations of networks.

Only what a network has to compute inside itself is here; the tests hold it against `tintype.imaging.lab`.
"""

from __future__ import annotations

from typing import Any

_KAPPA = 24389 / 27  # CIE 15:2004
_WHITE_X, _WHITE_Z = 0.95047, 1.08883  # D65
_TO_RGB = (
    (3.2404542, -1.5371385, -0.4985314),
    (-0.9692660, 1.8760108, 0.0415560),
    (0.0556434, -0.2040259, 1.0572252),
)


def gray_from_l8(l8: Any) -> Any:
    """SRGB gray levels in 0..255 from L* as 0..255: `tintype.imaging.lab.lightness_to_gray8` as a differentiable graph.

    Parameters
    ----------
    l8 : tensor, float32

    Returns
    -------
    tensor of the same shape
        Not rounded.
    """
    from keras import ops

    lightness = l8 * (100 / 255)
    return _srgb(ops.where(lightness > 8, ((lightness + 16) / 116) ** 3, lightness / _KAPPA))


def rgb_from_lab(l8: Any, ab: Any) -> Any:
    """SRGB in 0..255 from L* as 0..255 and ab in Lab units.

    Parameters
    ----------
    l8 : tensor of shape (B, H, W, 1), float32
    ab : tensor of shape (B, H, W, 2), float32

    Returns
    -------
    tensor of shape (B, H, W, 3)
        Clipped to the gamut channel by channel, not rounded.
    """
    from keras import ops

    y = (l8 * (100 / 255) + 16) / 116
    xyz = [_cube(y + ab[..., :1] / 500) * _WHITE_X, _cube(y), _cube(y - ab[..., 1:] / 200) * _WHITE_Z]
    linear = [sum(share * part for share, part in zip(row, xyz, strict=True)) for row in _TO_RGB]
    return _srgb(ops.clip(ops.concatenate(linear, axis=-1), 0, 1))


def _cube(root: Any) -> Any:
    from keras import ops

    return ops.where(root > 6 / 29, root**3, (116 * root - 16) / _KAPPA)


def _srgb(linear: Any) -> Any:
    from keras import ops

    curved = 1.055 * ops.power(ops.maximum(linear, 1e-6), 1 / 2.4) - 0.055
    return 255 * ops.where(linear > 0.0031308, curved, 12.92 * linear)
