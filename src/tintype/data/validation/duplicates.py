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
        earlier = np.array(kept, dtype=np.intp)
        close = distances(hashes[block], hashes[earlier]) < min_distance
        for index, row in zip(block, close, strict=True):
            originals = (
                earlier[row] if row.any() else _within(hashes, kept[len(earlier) :], index, min_distance)
            )
            if len(originals):
                rejected.append(_similar(ranked[index], ranked[originals[0]], min_distance))
            else:
                kept.append(index)
    return [ranked[index] for index in kept], rejected


def _within(hashes: NDArray[np.uint64], among: list[int], index: int, min_distance: int) -> NDArray[np.intp]:
    """Those of `among` that are too close to `index`, in order."""
    candidates = np.array(among, dtype=np.intp)
    close: NDArray[np.intp] = candidates[distances(hashes[[index]], hashes[candidates])[0] < min_distance]
    return close


def _similar(facts: Facts, original: Facts, min_distance: int) -> Rejection:
    bits = (int(facts.perceptual_hash, 16) ^ int(original.perceptual_hash, 16)).bit_count()
    differ = f"{bits} of {BITS} bits differ, expected at least {min_distance}"
    detail = f"Nearly the same picture as {original.path}: {differ}."
    return Rejection(facts.path, Reason.PERCEPTUAL_DUPLICATE, detail)


def _blocks(count: int) -> Iterable[range]:
    """Ranges of indices that together compare at most PAIRS_AT_ONCE pairs with all the others."""
    rows = max(1, PAIRS_AT_ONCE // max(1, count))
    return (range(start, min(start + rows, count)) for start in range(0, count, rows))


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
            if rows.size and others.size:
                result[rows] = distances(numbers[rows], others).min(axis=1)
    return result
