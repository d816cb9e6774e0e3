"""The same photo twice: the same file, the same pixels, or nearly the same picture.

Of equal photos the one with the most pixels stays (then the most bytes, then the smallest content hash and
path), so the choice does not depend on the order of files. The photos that stay are at least
`min_distance` bits apart from each other, every pair of them.

Photos that stay can still show the same: a mirrored or cropped copy, the next shot of a burst. They are near
duplicates, in one group, whose photos are all in one split: that of the group's best file, by the same order. What is
made of a photo by cropping, scaling or saving it again has fewer pixels or bytes, so a photo keeps its split when such
copies are added, whatever their hashes are. A better file of the same picture can move its group, where the smallest
hash of all would move it at every second copy; other groups never do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tintype.data.validation.frequency_signs import BACK, SHAPE, near_pairs_of_signs
from tintype.data.validation.inspection import Facts, Reason, Rejection
from tintype.data.validation.perceptual_hash import BITS, Pairs, hashes_as_numbers, near_pairs


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
    ranked = sorted(photos, key=rank)
    distinct, same = _drop_exact(ranked)
    kept, similar = _drop_similar(distinct, min_distance)
    return kept, same + similar


def rank(facts: Facts) -> tuple[int, int, str, str]:
    """What to sort photos by for the best file to be the first."""
    return -facts.width * facts.height, -facts.bytes, facts.content_hash, facts.path


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
    kept = np.ones(len(ranked), dtype=np.bool_)
    rejected = []
    for index, near in _one_by_one(near_pairs(hashes, min_distance)):
        originals = near[kept[near]]
        if originals.size:
            kept[index] = False
            rejected.append(_similar(ranked[index], ranked[originals[0]], min_distance))
    return [facts for facts, stays in zip(ranked, kept, strict=True) if stays], rejected


def _one_by_one(blocks: Iterable[Pairs]) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """Each photo that is near to earlier ones, with those."""
    for later, earlier in blocks:
        ends = np.flatnonzero(np.diff(later)) + 1
        for index, near in zip(np.split(later, ends), np.split(earlier, ends), strict=True):
            if index.size:
                yield int(index[0]), near


def _similar(facts: Facts, original: Facts, min_distance: int) -> Rejection:
    bits = (int(facts.perceptual_hash, 16) ^ int(original.perceptual_hash, 16)).bit_count()
    differ = f"{bits} of {BITS} bits differ, expected at least {min_distance}"
    detail = f"Nearly the same picture as {original.path}: {differ}."
    return Rejection(facts.path, Reason.PERCEPTUAL_DUPLICATE, detail)


@dataclass(frozen=True, slots=True)
class NearDuplicate:
    """A photo that is not alone.

    Attributes
    ----------
    path, content_hash : str
        Of the photo.
    group : str
        Content hash of the best file of its group, which decides on the split of all.
    nearest : str
        Path of the photo that it is most like.
    likeness : str
        How it is changed to be like that one: see `near_pairs_of_signs`.
    """

    path: str
    content_hash: str
    group: str
    nearest: str
    likeness: str


def group_near_duplicates(photos: Iterable[Facts]) -> list[NearDuplicate]:
    """Find near duplicates; those of near duplicates are in the same group.

    Parameters
    ----------
    photos : iterable of Facts
        No two with the same content hash, in any order.

    Returns
    -------
    list of NearDuplicate
        Sorted by group, its best file first. Photos that are alone are not among them.
    """
    ranked = sorted(photos, key=rank)
    best = list(range(len(ranked)))  # of the group, or another photo of it that is better than this one
    nearest: dict[int, tuple[int, int, str]] = {}

    def best_of(one: int) -> int:
        while best[one] != one:
            best[one] = one = best[best[one]]
        return one

    signs = np.frombuffer(b"".join(facts.frequency_signs for facts in ranked), np.uint8)
    for how, pairs, differing in near_pairs_of_signs(signs.reshape(-1, *SHAPE)):
        back = BACK.get(how, how)
        for one, other, bits in zip(*pairs, differing, strict=True):
            for photo, found in ((one, (bits, other, how)), (other, (bits, one, back))):
                nearest[photo] = min(nearest.get(photo, found), found)
            first, second = sorted((best_of(one), best_of(other)))
            best[second] = first
    return [
        NearDuplicate(
            ranked[one].path,
            ranked[one].content_hash,
            ranked[best_of(one)].content_hash,
            ranked[nearest[one][1]].path,
            nearest[one][2],
        )
        for one in sorted(nearest, key=lambda one: (best_of(one), one))
    ]


def groups_of(near_duplicates: Iterable[NearDuplicate]) -> dict[str, str]:
    """Content hash of a photo that has near duplicates -> name of their group."""
    return {one.content_hash: one.group for one in near_duplicates}


def distance_to_other_groups(
    hashes: list[str], groups: list[str], limit: int = BITS + 1
) -> NDArray[np.int64]:
    """How near the nearest photo of another group is, in bits.

    Parameters
    ----------
    hashes : list of str
        Perceptual hashes of n photos.
    groups : list of str
        The group, such as the split, that each of them is in.
    limit : int
        Distances that matter are smaller. Up to `tintype.data.validation.perceptual_hash.REACH` they are found without
        comparing each with each.

    Returns
    -------
    ndarray of shape (n,), int64
        In [0, limit]; `limit` where no photo of another group is nearer.
    """
    numbers = hashes_as_numbers(hashes)
    names = np.unique(np.array(groups, dtype=np.str_), return_inverse=True)[1]
    result = np.full(len(hashes), limit)
    for pair in near_pairs(numbers, limit):
        later, earlier = (part[names[pair[0]] != names[pair[1]]] for part in pair)
        bits = np.bitwise_count(numbers[later] ^ numbers[earlier])
        np.minimum.at(result, later, bits)
        np.minimum.at(result, earlier, bits)
    return result
