"""Which photos train, validate and test; and how many buckets suit them.

A photo's content hash, salted with a seed, gives it a number in [0, 1) that never changes, and the number's
interval is its split: photos that come or go move no other photo.

Only where a split would stay empty, as can happen with a handful of photos, it borrows the photo whose
number lies nearest to its interval from a split that has more than one. It gives it back
when it gets photos of its own.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from functools import cache

from tintype.data.validation.manifest import SPLITS, TEST, TRAIN, VALIDATION

MOST = 2000  # photos in a bucket; at 256 pixels a shard of 0.4 GB, which is what a crash can cost
DIGITS = (1, 2, 3, 4)

Intervals = Mapping[str, tuple[float, float]]


def split_intervals(validation_share: float, test_share: float) -> Intervals:
    """The part of [0, 1) that belongs to each split, as (low, high), in rising order."""
    held_out = test_share + validation_share
    return {TEST: (0.0, test_share), VALIDATION: (test_share, held_out), TRAIN: (held_out, 1.0)}


def position(content_hash: str, seed: int) -> float:
    """A photo's number in [0, 1), evenly spread over photos."""
    digest = hashlib.sha256(f"{seed}:{content_hash}".encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48  # 48 bits: exact in a float, and never rounded up to 1


def assign_splits(
    content_hashes: Sequence[str], validation_share: float, test_share: float, seed: int
) -> dict[str, str]:
    """Assign each photo to a split.

    Parameters
    ----------
    content_hashes : sequence of str
        Distinct, in any order.
    validation_share, test_share : float
        Expected shares, in (0, 1).
    seed : int
        Another seed gives another assignment.

    Returns
    -------
    dict of str to str
        Content hash to split; no split is empty if there are at least three photos.
    """
    intervals = split_intervals(validation_share, test_share)
    splits = {one: split_of(one, intervals, seed) for one in sorted(content_hashes)}
    empty = [split for split in intervals if split not in splits.values()]
    positions = {one: position(one, seed) for one in splits} if empty else {}
    for split in empty:
        _borrow(split, intervals[split], positions, splits)
    return splits


def split_of(content_hash: str, intervals: Intervals, seed: int) -> str:
    """The split that follows from a photo's hash alone; it is the photo's, unless an empty split borrows it."""
    return _split_at(position(content_hash, seed), intervals)


def _split_at(place: float, intervals: Intervals) -> str:
    return next((split for split, (_, high) in intervals.items() if place < high), TRAIN)


def _borrow(
    split: str, interval: tuple[float, float], positions: Mapping[str, float], splits: dict[str, str]
) -> None:
    """Move the photo nearest to `interval` into `split`, if some split can spare one."""
    sizes = {name: list(splits.values()).count(name) for name in SPLITS}
    spare = [content_hash for content_hash, owner in splits.items() if sizes[owner] > 1]
    if spare:
        splits[min(spare, key=lambda one: (_gap(positions[one], interval), one))] = split


def _gap(place: float, interval: tuple[float, float]) -> float:
    low, high = interval
    return max(low - place, place - high, 0.0)


@cache
def chance_interval(count: int, share: float, risk: float) -> tuple[float, float]:
    """Shares that `count` independent draws with probability `share` can plausibly show.

    Uses the Chernoff bound, which holds for any count however small: outside lies less than `risk`
    of all outcomes.

    Parameters
    ----------
    count : int
        Draws.
    share : float
        Expected share, in [0, 1].
    risk : float
        Probability of an outcome outside, in (0, 1).

    Returns
    -------
    low, high : float
        In [0, 1].
    """
    if share in (0, 1):
        return share, share
    limit = math.log(2 / risk) / max(count, 1)
    return _farthest(share, 0.0, limit), _farthest(share, 1.0, limit)


def _farthest(share: float, end: float, limit: float) -> float:
    """The share between `share` and `end` whose divergence from `share` is just `limit`."""
    if _divergence(end, share) <= limit:
        return end
    inside, outside = share, end
    for _ in range(50):  # halvings: as exact as a float
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if _divergence(middle, share) <= limit else (inside, middle)
    return inside


def _divergence(seen: float, expected: float) -> float:
    """Kullback-Leibler divergence of two coins, in nats."""
    return _term(seen, expected) + _term(1 - seen, 1 - expected)


def _term(seen: float, expected: float) -> float:
    return seen * math.log(seen / expected) if seen > 0 else 0.0


def digits_for(photos: int) -> int:
    """Hex digits of a bucket that give buckets of at most `MOST` photos, as few as do; 4 at most."""
    return next((digits for digits in DIGITS if photos <= MOST * 16**digits), DIGITS[-1])


def bucket_advice(photos: int, digits: int) -> str | None:
    """A sentence for a person whose buckets are too large.

    Parameters
    ----------
    photos : int
        In all buckets.
    digits : int
        As `validate.bucket_digits` has them.

    Returns
    -------
    str or None
        None if the buckets are small enough, or cannot be smaller.
    """
    better = digits_for(photos)
    if better <= digits:
        return None
    return (
        f"{photos:,} photos in {16**digits} buckets: a shard holds {photos // 16**digits:,} of them, and is the least "
        f"that a crash or a new photo costs. Set validate.bucket_digits to {better}."
    )
