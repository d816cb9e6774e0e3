"""The index finds the same pairs as comparing each with each, whatever the hashes."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tintype.data.validation import near
from tintype.data.validation.near import REACH, near_pairs


def crowd(kind: str) -> NDArray[np.uint64]:
    """2,000 hashes: of a few pictures with up to five bits turned, of one picture, or of no two alike."""
    random = np.random.default_rng(3)
    pictures = random.integers(2**64, size={"few": 150, "one": 1, "all": 2000}[kind], dtype=np.uint64)
    hashes = pictures[np.arange(2000) % len(pictures)]
    for _ in range(0 if kind == "all" else 5):
        hashes ^= np.uint64(1) << random.integers(64, size=2000, dtype=np.uint64)
    return hashes


def pairs(hashes: NDArray[np.uint64], min_distance: int) -> list[tuple[int, int]]:
    return [
        (int(one), int(other))
        for later, earlier in near_pairs(hashes, min_distance)
        for one, other in zip(later, earlier, strict=True)
    ]


@pytest.mark.parametrize("kind", ["few", "one", "all"])
@pytest.mark.parametrize("min_distance", [1, 5, REACH])
def test_bands_miss_nothing(kind: str, min_distance: int, monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = crowd(kind)
    each_with_each = pairs(hashes, min_distance)
    assert each_with_each == sorted(set(each_with_each))
    assert each_with_each or min_distance < REACH or kind == "all"
    monkeypatch.setattr(near, "FEW", 0)
    monkeypatch.setattr(near, "PAIRS_AT_ONCE", 5000)  # many blocks
    assert pairs(hashes, min_distance) == each_with_each


def test_far_ones_are_compared_each_with_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the reach of the bands the answer is still whole."""
    monkeypatch.setattr(near, "FEW", 0)
    hashes = np.array([0, 2**12 - 1, 2**64 - 1], dtype=np.uint64)
    assert pairs(hashes, 13) == [(1, 0)]
    assert pairs(hashes, 65) == [(1, 0), (2, 0), (2, 1)]
    assert pairs(hashes, 0) == pairs(hashes[:0], 8) == []
