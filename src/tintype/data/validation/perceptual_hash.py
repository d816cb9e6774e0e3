"""A 64-bit hash that stays nearly the same when a photo is rescaled or recompressed.

Each bit says whether one of the 64 lowest frequencies of the lightness (the mean left out) is above
their median. Two versions of one photo differ in a few bits; two unrelated photos in about 32.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tintype.imaging.geometry import resize

SIDE = 32
BITS = 64


def _lowest_frequencies() -> NDArray[np.intp]:
    """Positions of the 64 lowest frequencies in a flattened SIDE x SIDE spectrum, without the mean."""
    down, right = np.mgrid[:SIDE, :SIDE]
    return np.argsort((down**2 + right**2).ravel(), kind="stable")[1 : BITS + 1]


_LOWEST = _lowest_frequencies()


def perceptual_hash(lightness: NDArray[np.float32]) -> str:
    """Hash of what a photo shows.

    Parameters
    ----------
    lightness : ndarray of shape (H, W), float32
        L* in [0, 100].

    Returns
    -------
    str
        16 hex digits.
    """
    spectrum: Any = cv2.dct(resize(lightness, SIDE, SIDE))
    lowest = spectrum.ravel()[_LOWEST]
    bits = lowest > np.median(lowest)
    return np.packbits(bits).tobytes().hex()


def hashes_as_numbers(hashes: list[str]) -> NDArray[np.uint64]:
    """Hashes of 16 hex digits as unsigned numbers, for `distances`."""
    return np.array([int(digits, 16) for digits in hashes], dtype=np.uint64)


def distances(ours: NDArray[np.uint64], theirs: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Differing bits of every hash in `ours` to every hash in `theirs`.

    Parameters
    ----------
    ours, theirs : ndarray of shape (n,) and (m,), uint64
        As made by `hashes_as_numbers`.

    Returns
    -------
    ndarray of shape (n, m), uint8, in [0, 64]
    """
    differing: NDArray[np.uint8] = np.bitwise_count(ours[:, np.newaxis] ^ theirs[np.newaxis, :])
    return differing
