"""ICC profiles made of curves and a matrix, applied with more than 8 bits a channel (ICC.1:2022).

LittleCMS as Pillow has it works on 8 bits. A 16-bit scan keeps its precision here, if its profile is one of the usual
kind: three curves and three colorants (8.3.3), or one curve for gray (8.5.2). Profiles made of tables are not.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEVELS = 65536
_STRIP = 1 << 20  # pixels converted at once: what lies between them as floats stays small
# sRGB's own colorants, adapted to the D50 of the profile connection space, and the way back from there.
_SRGB_COLORANTS = np.array(
    [[0.436041, 0.385113, 0.143046], [0.222485, 0.716905, 0.060610], [0.013920, 0.097067, 0.713913]]
)
_TO_SRGB = np.linalg.inv(_SRGB_COLORANTS)
# Parametric curves, 10.18: how many parameters each function has, of g a b c d e f.
_PARAMETERS = {0: 1, 1: 3, 2: 4, 3: 5, 4: 7}
# Of the whole range: half a level of 8 bits, within which sRGB profiles differ among themselves.
_SAME = 0.0025


class ProfileError(ValueError):
    """A profile is broken, or not one of curves and a matrix."""


@dataclass(frozen=True)
class Profile:
    """How a file's levels become colours.

    Attributes
    ----------
    curves : ndarray of shape (channels, LEVELS), float32, in [0, 1]
        Linear light for each level; one channel for gray, three for RGB.
    matrix : ndarray of shape (3, 3), float64, or None
        From linear channels to linear sRGB; None for gray.
    """

    curves: NDArray[np.float32]
    matrix: NDArray[np.float64] | None


def parse_profile(content: bytes) -> Profile:
    """Read a profile of curves and a matrix.

    Raises
    ------
    ProfileError
        If it is broken or of another kind.
    """
    try:
        space, tags = content[16:20], _tags(content)
        if space == b"GRAY":
            return Profile(_curve(tags[b"kTRC"])[np.newaxis], None)
        if space != b"RGB " or any(tag in tags for tag in (b"A2B0", b"A2B1", b"D2B0")):
            raise ProfileError("it is a table")
        curves = np.stack([_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC")])
        colorants = np.stack([_xyz(tags[name]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")], axis=-1)
    except (struct.error, KeyError, ValueError) as error:
        raise ProfileError(f"no curves and matrix can be read from it: {error}") from None
    return Profile(curves, _TO_SRGB @ colorants)


def _tags(content: bytes) -> dict[bytes, bytes]:
    """The tags' data, from the table behind the header (7.3)."""
    (count,) = struct.unpack_from(">I", content, 128)
    entries = struct.iter_unpack(">4sII", content[132 : 132 + 12 * min(count, 200)])
    return {name: content[start : start + size] for name, start, size in entries}


def _xyz(data: bytes) -> NDArray[np.float64]:
    return np.array(struct.unpack_from(">3i", data, 8)) / 65536


def _curve(data: bytes) -> NDArray[np.float32]:
    """A tone curve at each level, in [0, 1]."""
    x = np.linspace(0, 1, LEVELS)
    if data[:4] == b"curv":
        return _sampled(data, x)
    if data[:4] == b"para":
        return _parametric(data, x)
    raise ProfileError("its curve is of an unknown kind")


def _sampled(data: bytes, x: NDArray[np.float64]) -> NDArray[np.float32]:
    """10.6: nothing is the identity, one number a gamma, more are samples."""
    (count,) = struct.unpack_from(">I", data, 8)
    if count == 0:
        return x.astype(np.float32)
    if count == 1:
        return np.power(x, struct.unpack_from(">H", data, 12)[0] / 256).astype(np.float32)
    samples = np.frombuffer(data, ">u2", count, 12) / 65535
    return np.interp(x, np.linspace(0, 1, count), samples).astype(np.float32)


def _parametric(data: bytes, x: NDArray[np.float64]) -> NDArray[np.float32]:
    """10.18: a power with a straight piece below it."""
    (function,) = struct.unpack_from(">H", data, 8)
    if function not in _PARAMETERS:
        raise ProfileError("its parametric curve is of an unknown kind")
    values = [value / 65536 for value in struct.unpack_from(f">{_PARAMETERS[function]}i", data, 12)]
    g, a, b, c, d, e, f = _completed(function, values)
    power = np.power(np.maximum(a * x + b, 0), g) + e
    return np.clip(np.where(x >= d, power, c * x + f), 0, 1).astype(np.float32)


def _completed(function: int, values: list[float]) -> tuple[float, ...]:
    """The seven parameters of function 4; the other functions are special cases of it."""
    if function == 0:
        return (values[0], 1, 0, 0, 0, 0, 0)
    if function in (1, 2):
        g, a, b = values[:3]
        c = values[3] if function == 2 else 0
        return (g, a, b, 0, -b / a if a else 0, c, c)
    return (*values, 0, 0)[:7]


def to_srgb16(pixels: NDArray[np.uint16], profile: Profile) -> NDArray[np.uint16]:
    """Pixels of a profile's colour space in sRGB, colours outside of its gamut cut off.

    Parameters
    ----------
    pixels : ndarray of shape (H, W, 3), uint16
        Changed in place. Gray as three equal channels.
    profile : Profile
        Of gray, or of RGB.

    Returns
    -------
    ndarray of shape (H, W, 3), uint16
        The same array.
    """
    if is_srgb(profile):
        return pixels
    rows = max(1, _STRIP // pixels.shape[1])
    for start in range(0, len(pixels), rows):
        strip = pixels[start : start + rows]
        strip[:] = np.rint(_converted(strip, profile) * (LEVELS - 1)).astype(np.uint16)
    return pixels


def is_srgb(profile: Profile) -> bool:
    """Whether a profile says, within its own precision, what sRGB says."""
    ramp = np.linspace(0, LEVELS - 1, 17).astype(np.uint16)
    probe = np.stack(np.meshgrid(ramp, ramp, ramp), axis=-1).reshape(-1, 1, 3)
    if profile.matrix is None:
        probe[:] = probe[..., :1]
    return bool(np.abs(_converted(probe, profile) - probe / (LEVELS - 1)).max() < _SAME)


def _converted(pixels: NDArray[np.uint16], profile: Profile) -> NDArray[Any]:
    """The pixels in sRGB, in [0, 1]."""
    if profile.matrix is None:
        return np.repeat(_encoded(profile.curves[0][pixels[..., :1]]), 3, axis=-1)
    linear = np.stack([curve[pixels[..., channel]] for channel, curve in enumerate(profile.curves)], axis=-1)
    return _encoded(linear @ profile.matrix.T.astype(np.float32))


def _encoded(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    """IEC 61966-2-1: linear light as sRGB."""
    linear = np.clip(linear, 0, 1)
    power = np.float32(1.055) * np.power(linear, np.float32(1 / 2.4)) - np.float32(0.055)
    return np.where(linear <= 0.0031308, np.float32(12.92) * linear, power)
