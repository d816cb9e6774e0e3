"""All that a service measures of a photo and its colours, in a few milliseconds.

Everything is measured on copies of at most `SIDE` pixels a side, at any size of the photo. References and services use
the same functions, so their figures can be compared with each other; with those of an evaluation, which sees more
pixels, only roughly.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tintype.imaging.geometry import resize
from tintype.imaging.lab import encode_l8, rgb_to_lab
from tintype.imaging.limits import MEGA
from tintype.measures.bleeding import bleed_score
from tintype.measures.colourfulness import colourfulness
from tintype.measures.gamut import out_of_gamut_share
from tintype.measures.patches import patch_gradient

SIDE = 192  # pixels; patches and edges are larger than what a larger copy adds, and 256 take twice the time
_GAMUT_SIDE = 64  # a share of pixels needs few of them
_BLACK, _WHITE = 5.0, 95.0  # L*
_TINTED = 4.0  # mean C*; scans of gray photos in colour have less
_COLOURS = 8.0  # Lab units, root mean square from the mean colour; sepia has less

Values = Mapping[str, float]


@dataclass(frozen=True)
class PhotoStatistics:
    """What was measured, and the copies on which it was.

    Attributes
    ----------
    kind : str
        One of `tintype.measures.statistics.KINDS`.
    values : mapping of str to float
        Name of each of `tintype.measures.statistics.STATISTICS` -> value; NaN where it is not defined.
    photo, coloured : ndarray of shape (h, w, 3), uint8
        The copies: the photo as it came, and its answer.
    """

    kind: str
    values: Values
    photo: NDArray[np.uint8]
    coloured: NDArray[np.uint8]


def photo_statistics(
    pixels: NDArray[Any], coloured: NDArray[Any], ab: NDArray[np.float32], confidence: float | None
) -> PhotoStatistics:
    """Measure a photo and its colours.

    Parameters
    ----------
    pixels, coloured : ndarray of shape (H, W, 3), uint8 or uint16
        sRGB: the photo as it came, and its answer.
    ab : ndarray of shape (h, w, 2), float32
        The colours that were asked for, in Lab units, at any size.
    confidence : float or None
        Mean of what the model says of them; None if it says nothing.
    """
    before, after = small_copy(pixels), small_copy(coloured)
    lab = rgb_to_lab(before)
    kind, came = _of_input(lab, pixels.shape[:2])
    values = {
        **came,
        **_of_output(after, np.ascontiguousarray(lab[..., 0]), ab),
        "confidence": math.nan if confidence is None else confidence,
    }
    return PhotoStatistics(kind, values, before, after)


def small_copy(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """A photo with its long side reduced to `SIDE` pixels; a smaller one as it is.

    Of a large photo four pixels are averaged for each of the copy's: reading all of 50 megapixels would take longer
    than everything else here.

    Parameters
    ----------
    pixels : ndarray of shape (H, W, 3), uint8 or uint16

    Returns
    -------
    ndarray of shape (h, w, 3), uint8
    """
    height, width = pixels.shape[:2]
    scale = min(1.0, SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    few: Any = pixels
    if scale < 0.5:
        few = cv2.resize(pixels, (2 * size[0], 2 * size[1]), interpolation=cv2.INTER_NEAREST)
    if few.dtype == np.uint16:
        few = (few >> 8).astype(np.uint8)
    return np.asarray(cv2.resize(few, size, interpolation=cv2.INTER_AREA), np.uint8)


def input_statistics(pixels: NDArray[Any]) -> dict[str, float]:
    """The part of `photo_statistics`'s values that is known of a photo before it is coloured.

    Parameters
    ----------
    pixels : ndarray of shape (H, W, 3), uint8 or uint16
    """
    return _of_input(rgb_to_lab(small_copy(pixels)), pixels.shape[:2])[1]


def _of_input(lab: NDArray[np.float32], size: tuple[int, ...]) -> tuple[str, dict[str, float]]:
    lightness = np.ascontiguousarray(lab[..., 0])
    mean, deviation = _moments(lab)
    _, (detail,) = _moments(cv2.Laplacian(lightness, cv2.CV_32F, borderType=cv2.BORDER_REPLICATE))
    low, high = _percentiles(lightness, 0.05, 0.95)
    tint, spread = _mean_chroma(lab), math.hypot(*deviation[1:])
    kind = "colour" if spread >= _COLOURS else "toned" if tint >= _TINTED else "gray"
    return kind, {
        "lightness": mean[0],
        "lightness_spread": deviation[0],
        "contrast": high - low,
        "sharpness": detail,
        "near_black": float(np.mean(lightness < _BLACK)),
        "near_white": float(np.mean(lightness > _WHITE)),
        "input_chroma": tint,
        "megapixels": math.prod(size) / MEGA,
    }


def _moments(planes: Any) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of each plane; OpenCV takes a thirtieth of NumPy's time for them."""
    mean, deviation = cv2.meanStdDev(planes)
    return mean.ravel().tolist(), deviation.ravel().tolist()


def _mean_chroma(lab: NDArray[np.float32]) -> float:
    _, a, b = cv2.split(lab)
    return float(cv2.mean(cv2.magnitude(a, b))[0])


def _percentiles(lightness: NDArray[np.float32], *shares: float) -> list[float]:
    """Percentiles of L*, to 0.4 units: counting levels costs a tenth of sorting."""
    counts = np.cumsum(np.bincount(encode_l8(lightness).ravel(), minlength=256))
    return [float(np.searchsorted(counts, share * lightness.size)) / 2.55 for share in shares]


def _of_output(
    rgb8: NDArray[np.uint8], lightness: NDArray[np.float32], ab: NDArray[np.float32]
) -> dict[str, float]:
    lab = rgb_to_lab(rgb8)
    height, width = (min(side, _GAMUT_SIDE) for side in lightness.shape)
    (_, mean_a, mean_b), _ = _moments(lab)
    return {
        "colourfulness": colourfulness(rgb8),
        "mean_chroma": _mean_chroma(lab),
        "mean_a": mean_a,
        "mean_b": mean_b,
        "patch_gradient": patch_gradient(lab, lightness),
        "bleed_score": bleed_score(lab, lightness),
        "out_of_gamut": out_of_gamut_share(resize(lightness, height, width), ab),
    }
