"""One of each photo stays, the best one, whatever the order of files."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest

from tintype.data.validation import perceptual_hash
from tintype.data.validation.duplicates import distance_to_other_groups, drop_duplicates
from tintype.data.validation.inspection import Facts, Reason
from tintype.data.validation.perceptual_hash import hashes_as_numbers


def flipped(digits: str, bits: int) -> str:
    """The hash with its last `bits` bits turned."""
    return f"{int(digits, 16) ^ (2**bits - 1):016x}"


def test_same_file_and_same_pixels(make_facts: Callable[..., Facts]) -> None:
    first = make_facts("a.jpg")
    same_file = make_facts("b.jpg", content_hash=first.content_hash, pixel_hash=first.pixel_hash)
    same_pixels = make_facts("c.jpg", pixel_hash=first.pixel_hash, bytes=first.bytes - 1)
    kept, rejected = drop_duplicates([same_pixels, same_file, first], 0)
    assert kept == [first]
    assert {(one.path, one.reason, one.detail) for one in rejected} == {
        ("b.jpg", Reason.EXACT_DUPLICATE, "The same file as a.jpg."),
        ("c.jpg", Reason.EXACT_DUPLICATE, "The same pixels as a.jpg."),
    }


def test_distance_of_just_the_limit_is_far_enough(make_facts: Callable[..., Facts]) -> None:
    first = make_facts("a.jpg", width=2000)
    at_limit = make_facts("b.jpg", perceptual_hash=flipped(first.perceptual_hash, 8))
    below = make_facts("c.jpg", perceptual_hash=flipped(first.perceptual_hash, 7))
    assert drop_duplicates([first, at_limit], 8) == ([first, at_limit], [])
    kept, (rejected,) = drop_duplicates([first, below], 8)
    assert kept == [first]
    assert rejected.reason is Reason.PERCEPTUAL_DUPLICATE
    assert rejected.detail.startswith("Nearly the same picture as a.jpg: 7 of 64 bits differ")


def test_larger_photo_stays_in_any_order(make_facts: Callable[..., Facts]) -> None:
    large = make_facts("large.jpg", width=1600, height=1200)
    crowd = [make_facts(f"{n}.jpg", perceptual_hash=flipped(large.perceptual_hash, n)) for n in range(4)]
    for seed in range(3):
        photos = [large, *crowd]
        random.Random(seed).shuffle(photos)
        assert drop_duplicates(photos, 8)[0] == [large]


def test_no_two_photos_that_stay_are_close(
    make_facts: Callable[..., Facts], monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = np.random.default_rng(1)
    originals = [make_facts(f"{n}.jpg").perceptual_hash for n in range(40)]
    photos = [
        make_facts(f"{n}.jpg", perceptual_hash=flipped(originals[n % 40], int(noise.integers(0, 12))))
        for n in range(400)
    ]
    kept, rejected = drop_duplicates(photos, 8)
    assert len(kept) + len(rejected) == 400
    hashes = hashes_as_numbers([facts.perceptual_hash for facts in kept])
    assert (
        np.bitwise_count(hashes[:, np.newaxis] ^ hashes) + 64 * np.eye(len(kept), dtype=np.uint8)
    ).min() >= 8
    monkeypatch.setattr(perceptual_hash, "PAIRS_AT_ONCE", 1000)  # many blocks
    assert drop_duplicates(photos, 8) == (kept, rejected)


def test_distance_to_other_groups() -> None:
    hashes = ["0000000000000000", "0000000000000001", "0000000000000003", "ffffffffffffffff"]
    np.testing.assert_array_equal(distance_to_other_groups(hashes, ["a", "a", "b", "b"]), [2, 1, 1, 63])
    np.testing.assert_array_equal(distance_to_other_groups(hashes, ["a"] * 4), [65] * 4)
    assert distance_to_other_groups([], []).size == 0


def test_distances_that_do_not_matter_are_the_limit() -> None:
    hashes = ["0000000000000000", "0000000000000001", "0000000000000003", "ffffffffffffffff"]
    np.testing.assert_array_equal(distance_to_other_groups(hashes, ["a", "a", "b", "b"], 2), [2, 1, 1, 2])
