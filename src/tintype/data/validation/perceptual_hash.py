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
        turned = (min_distance - 1) // BANDS
        yield from pairs_in_bands(hashes, hashes, min_distance, turned=turned, earlier=True)


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

    starts: NDArray[np.intp]  # (65,537,), where in the order each value begins
    order: NDArray[np.unsignedinteger]  # (n,), positions of the hashes
    hashes: NDArray[np.uint64]  # (n,), in that order

    @classmethod
    def sorted_by(cls, hashes: NDArray[np.uint64], number: int) -> _Band:
        keys = _keys(hashes, number)
        order = np.argsort(keys, kind="stable").astype(np.min_scalar_type(len(keys)))
        counts = np.bincount(keys, minlength=2**BAND_BITS)
        return cls(np.concatenate([[0], np.cumsum(counts)]), order, hashes[order])


def _keys(hashes: NDArray[np.uint64], number: int) -> NDArray[np.uint16]:
    return ((hashes >> np.uint64(BAND_BITS * number)) & np.uint64(2**BAND_BITS - 1)).astype(np.uint16)


def pairs_in_bands(
    hashes: NDArray[np.uint64], wanted: NDArray[np.uint64], min_distance: int, *, turned: int, earlier: bool
) -> Iterator[Pairs]:
    """Pairs that agree in one of four bands but for a few bits, and differ in few bits altogether.

    Parameters
    ----------
    hashes : ndarray of shape (n,), uint64
        To look in.
    wanted : ndarray of shape (m,), uint64
        To look for.
    min_distance : int
        Pairs that differ in fewer bits are found.
    turned : int
        Bits of a band in which they may differ.
    earlier : bool
        Whether only pairs are wanted whose position in `hashes` is before that in `wanted`.

    Yields
    ------
    ndarrays of shape (k,), intp
        Positions in `wanted` and in `hashes`, each pair once, in rising order.
    """
    bands = [_Band.sorted_by(hashes, number) for number in range(BANDS)]
    patterns = _turned(turned)
    start, rows = 0, 1
    while start < len(wanted):
        block = np.arange(start, min(start + rows, len(wanted)))
        found, compared = [], 0
        for number, band in enumerate(bands):
            asking, position = _candidates(band, _keys(wanted[block], number), patterns)
            compared += len(asking)
            close = np.bitwise_count(band.hashes[position] ^ wanted[block[asking]]) < min_distance
            found.append((block[asking[close]], band.order[position[close]].astype(np.intp)))
        asked, answers = (np.concatenate(parts) for parts in zip(*found, strict=True))
        pairs = asked * len(hashes) + answers
        # Hashes that agree in two bands are found twice.
        pairs = np.unique(pairs[answers < asked] if earlier else pairs)
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


def _candidates(band: _Band, wanted: NDArray[np.uint16], turned: NDArray[np.intp]) -> Pairs:
    """For each key of a block: where in the band's order those lie that differ from it by a pattern in `turned`."""
    keys = wanted.astype(np.intp)[:, np.newaxis] ^ turned  # (rows, patterns)
    low, high = band.starts[keys].ravel(), band.starts[keys + 1].ravel()
    counts = high - low
    ends = np.cumsum(counts)
    position = np.arange(ends[-1]) + np.repeat(low - ends + counts, counts)
    return np.repeat(np.repeat(np.arange(len(wanted)), len(turned)), counts), position
