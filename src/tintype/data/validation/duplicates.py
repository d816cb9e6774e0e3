"""The same photo twice: the same file, the same pixels, or nearly the same picture.

Of equal photos the one with the most pixels stays (then the most bytes, then the smallest content hash and
path), so the choice does not depend on the order of files. The photos that stay are at least
`min_distance` bits apart from each other, every pair of them.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from tintype.data.validation.inspection import Facts, Reason, Rejection
from tintype.data.validation.perceptual_hash import BITS, distances, hashes_as_numbers

PAIRS_AT_ONCE = 2**22  # comparisons held in memory, 40 MB


def drop_duplicates(photos: Iterable[Facts], min_distance: int) -> tuple[list[Facts], list[Rejection]]:
    """Keep one of each.

    Parameters
    ----------
    photos : iterable of Facts
        In any order.
    min_distance : int
        Bits in [0, 64]. Photos whose perceptual hashes differ in fewer bits are duplicates; 0 turns that check off.

    Returns
    -------
    kept : list of Facts
        Best first.
    rejected : list of Rejection
        Each names the photo that was kept in its place.
    """
    ranked = sorted(
        photos, key=lambda facts: (-facts.width * facts.height, -facts.bytes, facts.content_hash, facts.path)
    )
    distinct, same = _drop_exact(ranked)
    kept, similar = _drop_similar(distinct, min_distance)
    return kept, same + similar


def _drop_exact(ranked: list[Facts]) -> tuple[list[Facts], list[Rejection]]:
    first_of: dict[str, Facts] = {}  # equal files have equal pixels
    rejected = []
    for facts in ranked:
        first = first_of.setdefault(facts.pixel_hash, facts)
        if first is not facts:
            what = "file" if first.content_hash == facts.content_hash else "pixels"
            rejected.append(
                Rejection(facts.path, Reason.EXACT_DUPLICATE, f"The same {what} as {first.path}.")
            )
    return list(first_of.values()), rejected


def _drop_similar(ranked: list[Facts], min_distance: int) -> tuple[list[Facts], list[Rejection]]:
    hashes = hashes_as_numbers([facts.perceptual_hash for facts in ranked])
    kept: list[int] = []
    rejected = []
    for block in _blocks(len(ranked)):
        # Against those kept from earlier blocks all at once, then within the block one by one.
        nearest, distance = _nearest(hashes[block], hashes[kept])
        fresh: list[int] = []
        for row, index in enumerate(block):
            original = kept[nearest[row]] if distance[row] < min_distance else None
            if original is None:
                original = _first_within(hashes, fresh, index, min_distance)
            if original is None:
                fresh.append(index)
                continue
            bits = int(np.bitwise_count(hashes[index] ^ hashes[original]))
            rejected.append(
                Rejection(
                    ranked[index].path,
                    Reason.PERCEPTUAL_DUPLICATE,
                    f"Nearly the same picture as {ranked[original].path}: {bits} of {BITS} bits differ, "
                    f"expected at least {min_distance}.",
                )
            )
        kept += fresh
    return [ranked[index] for index in kept], rejected


def _first_within(hashes: NDArray[np.uint64], among: list[int], index: int, min_distance: int) -> int | None:
    close = np.flatnonzero(np.bitwise_count(hashes[among] ^ hashes[index]) < min_distance)
    return among[close[0]] if close.size else None


def _blocks(count: int) -> Iterable[range]:
    """Ranges of indices that together compare at most PAIRS_AT_ONCE pairs with all the others."""
    rows = max(1, PAIRS_AT_ONCE // max(1, count))
    return (range(start, min(start + rows, count)) for start in range(0, count, rows))


def _nearest(
    ours: NDArray[np.uint64], theirs: NDArray[np.uint64]
) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Index of the nearest of `theirs` and its distance, for each of `ours`; BITS + 1 if there is none."""
    if not theirs.size:
        return np.zeros(len(ours), np.intp), np.full(len(ours), BITS + 1)
    apart = distances(ours, theirs)
    nearest = apart.argmin(axis=1)
    return nearest, apart[np.arange(len(ours)), nearest].astype(np.int64)


def distance_to_other_groups(hashes: list[str], groups: list[str]) -> NDArray[np.int64]:
    """How near the nearest photo of another group is, in bits.

    Parameters
    ----------
    hashes : list of str
        Perceptual hashes of n photos.
    groups : list of str
        The group, such as the split, that each of them is in.

    Returns
    -------
    ndarray of shape (n,), int64
        In [0, 64]; 65 where there is no other group.
    """
    numbers = hashes_as_numbers(hashes)
    names = np.array(groups)
    result = np.full(len(hashes), BITS + 1)
    for name in sorted(set(groups)):
        members, others = np.flatnonzero(names == name), numbers[names != name]
        for block in _blocks(max(len(members), len(others))):
            rows = members[block.start : block.stop]
            if rows.size:
                result[rows] = _nearest(numbers[rows], others)[1]
    return result
