"""The index finds the same pairs as comparing each with each, whatever the hashes."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tintype.data.validation import perceptual_hash
from tintype.data.validation.perceptual_hash import REACH, near_pairs


def crowd(kind: str) -> NDArray[np.uint64]:
    """Hashes of a few pictures with up to five bits turned, of one picture, or of no two alike."""
    random = np.random.default_rng(3)
    count, different = {"few": (2000, 150), "one": (600, 1), "all": (2000, 2000)}[kind]
    pictures = random.integers(2**64, size=different, dtype=np.uint64)
    hashes = pictures[np.arange(count) % different]
    for _ in range(0 if kind == "all" else 5):
        hashes ^= np.uint64(1) << random.integers(64, size=count, dtype=np.uint64)
    return hashes


def pairs(hashes: NDArray[np.uint64], min_distance: int) -> NDArray[np.intp]:
    """All pairs, (m, 2); made a list, millions of them would take half a minute."""
    blocks = [np.stack(pair, axis=1) for pair in near_pairs(hashes, min_distance)]
    return np.concatenate([np.empty((0, 2), np.intp), *blocks])


@pytest.mark.parametrize("kind", ["few", "one", "all"])
@pytest.mark.parametrize("min_distance", [1, 5, 8, 9, 12, REACH])
def test_bands_miss_nothing(kind: str, min_distance: int, monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = crowd(kind)
    each_with_each = pairs(hashes, min_distance)
    places = each_with_each[:, 0] * len(hashes) + each_with_each[:, 1]
    assert (np.diff(places) > 0).all(), "each pair once, in rising order"
    assert len(each_with_each) or min_distance < REACH or kind == "all"
    monkeypatch.setattr(perceptual_hash, "FEW", 0)
    monkeypatch.setattr(perceptual_hash, "PAIRS_AT_ONCE", 5000)  # many blocks
    np.testing.assert_array_equal(pairs(hashes, min_distance), each_with_each)


def test_far_ones_are_compared_each_with_each_and_it_is_reported(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Beyond the reach of the bands the answer is still whole."""
    monkeypatch.setattr(perceptual_hash, "FEW", 0)
    hashes = np.array([0, 2**12 - 1, 2**64 - 1], dtype=np.uint64)
    with caplog.at_level("WARNING"):
        assert pairs(hashes, REACH + 1).tolist() == [[1, 0]]
    assert "A distance of 17 bits compares each of 3 photos with each" in caplog.text
    assert pairs(hashes, 65).tolist() == [[1, 0], [2, 0], [2, 1]]
    assert len(pairs(hashes, 0)) == len(pairs(hashes[:0], 8)) == 0
