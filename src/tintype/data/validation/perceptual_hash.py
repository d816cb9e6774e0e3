"""A 64-bit hash that stays nearly the same when a photo is rescaled or recompressed.

Each bit says whether one of the 64 lowest frequencies of the lightness (the mean left out) is above
their median. Two versions of one photo differ in a few bits; two unrelated photos in about 32.

All pairs that are nearly the same are found without comparing each with each. Of two hashes that differ in fewer than
`4 * (r + 1)` bits, one of four bands of 16 bits differs in at most r bits, since otherwise each band would have r + 1
of them. So only hashes are compared that agree in a band but for r bits. For fewer than eight bits, each of n random
hashes is compared with 4 x 17 x n / 65,536 others instead of n. This is the multi-index hashing of Norouzi, Punjani and
Fleet 2012, "Fast search in Hamming space with multi-index hashing", and it is exact.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tintype.imaging.geometry import resize

logger = logging.getLogger(__name__)

SIDE = 32
BITS = 64

PAIRS_AT_ONCE = 2**21  # comparisons held in memory, some 30 bytes each
FEW = 2**12  # hashes that are compared each with each: faster up to here
BANDS, BAND_BITS = 4, 16
REACH = 16  # bits; further apart, bands may differ in four bits, which 2,517 of 65,536 values do: hardly fewer than all

Pairs = tuple[NDArray[np.intp], NDArray[np.intp]]


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
    """Hashes of 16 hex digits as unsigned numbers, for `near_pairs`."""
    return np.array([int(digits, 16) for digits in hashes], dtype=np.uint64)


def near_pairs(hashes: NDArray[np.uint64], min_distance: int) -> Iterator[Pairs]:
    """Pairs of hashes that differ in fewer than `min_distance` bits.

    Parameters
    ----------
    hashes : ndarray of shape (n,), uint64
    min_distance : int
        Bits in [0, 65].

    Yields
    ------
    later, earlier : ndarray of shape (m,), intp
        Positions in `hashes`, `earlier` the smaller one, each pair once, in rising order of `later`, then of
        `earlier`. Blocks follow each other in that order too, so that a pair of the next block comes later.
    """
    if min_distance <= 0:
        return
    if len(hashes) > FEW and min_distance > REACH:
        logger.warning(
            "A distance of %d bits compares each of %d photos with each; up to %d bits few pairs are compared.",
            min_distance, len(hashes), REACH,
        )  # fmt: skip
    if len(hashes) <= FEW or min_distance > REACH:
        yield from _each_with_each(hashes, min_distance)
    else:
        yield from _by_bands(hashes, min_distance)


def _each_with_each(hashes: NDArray[np.uint64], min_distance: int) -> Iterator[Pairs]:
    rows = max(1, PAIRS_AT_ONCE // max(1, len(hashes)))
    for start in range(0, len(hashes), rows):
        block = hashes[start : start + rows]
        close = np.bitwise_count(block[:, np.newaxis] ^ hashes[: start + len(block)]) < min_distance
        later, earlier = np.nonzero(close)
        before = earlier < later + start
        yield later[before] + start, earlier[before]


@dataclass(frozen=True)
class _Band:
    """Hashes in the order of 16 of their bits."""

    keys: NDArray[np.uint16]  # (n,), the bits of each hash
    starts: NDArray[np.intp]  # (65,537,), where in the order each value begins
    order: NDArray[np.unsignedinteger]  # (n,), positions of the hashes
    hashes: NDArray[np.uint64]  # (n,), in that order

    @classmethod
    def sorted_by(cls, hashes: NDArray[np.uint64], number: int) -> _Band:
        keys = ((hashes >> np.uint64(BAND_BITS * number)) & np.uint64(2**BAND_BITS - 1)).astype(np.uint16)
        order = np.argsort(keys, kind="stable").astype(np.min_scalar_type(len(keys)))
        counts = np.bincount(keys, minlength=2**BAND_BITS)
        return cls(keys, np.concatenate([[0], np.cumsum(counts)]), order, hashes[order])


def _by_bands(hashes: NDArray[np.uint64], min_distance: int) -> Iterator[Pairs]:
    bands = [_Band.sorted_by(hashes, number) for number in range(BANDS)]
    turned = _turned((min_distance - 1) // BANDS)
    start, rows = 0, 1
    while start < len(hashes):
        block = np.arange(start, min(start + rows, len(hashes)))
        found, compared = [], 0
        for band in bands:
            later, position = _candidates(band, block, turned)
            compared += len(later)
            close = np.bitwise_count(band.hashes[position] ^ hashes[later]) < min_distance
            found.append((later[close], band.order[position[close]].astype(np.intp)))
        later, earlier = (np.concatenate(parts) for parts in zip(*found, strict=True))
        # Hashes that agree in two bands are found twice.
        pairs = np.unique((later * len(hashes) + earlier)[earlier < later])
        yield pairs // len(hashes), pairs % len(hashes)
        start += len(block)
        # Photos that look alike crowd into a few values: the next block is as long as this one's crowd allows.
        rows = int(np.clip(len(block) * PAIRS_AT_ONCE // max(compared, 1), 1, 2 * len(block)))


def _turned(most: int) -> NDArray[np.intp]:
    """All patterns of up to `most` turned bits in a band."""
    bits = [1 << bit for bit in range(BAND_BITS)]
    return np.array(
        [sum(some) for count in range(most + 1) for some in combinations(bits, count)], dtype=np.intp
    )


def _candidates(band: _Band, block: NDArray[np.intp], turned: NDArray[np.intp]) -> Pairs:
    """For each hash of a block: where in the band's order those lie whose band differs by a pattern in `turned`."""
    keys = band.keys[block].astype(np.intp)[:, np.newaxis] ^ turned  # (rows, patterns)
    low, high = band.starts[keys].ravel(), band.starts[keys + 1].ravel()
    counts = high - low
    ends = np.cumsum(counts)
    position = np.arange(ends[-1]) + np.repeat(low - ends + counts, counts)
    return np.repeat(np.repeat(block, len(turned)), counts), position
