"""Splits follow from content, stay put as the data grows, and are never empty."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tintype.data.validation.manifest import SPLITS
from tintype.data.validation.splits import assign_splits, chance_interval


def hashes(count: int, salt: str = "") -> list[str]:
    return [hashlib.sha256(f"{salt}{number}".encode()).hexdigest() for number in range(count)]


def test_shares_are_those_asked_for() -> None:
    splits = list(assign_splits(hashes(20_000), 0.15, 0.2, seed=0).values())
    assert splits.count("validation") / 20_000 == pytest.approx(0.15, abs=0.01)
    assert splits.count("test") / 20_000 == pytest.approx(0.2, abs=0.01)


def test_known_photo_keeps_its_split_forever() -> None:
    """A change of the formula would deal out every existing data set anew."""
    splits = assign_splits(hashes(200), 0.15, 0.2, seed=0)
    fingerprint = hashlib.sha256("".join(splits[one] for one in hashes(200)).encode()).hexdigest()
    assert fingerprint[:16] == "4c69676b484bf346"


def test_growth_moves_no_photo() -> None:
    few, many = assign_splits(hashes(60), 0.15, 0.2, 0), assign_splits(hashes(600), 0.15, 0.2, 0)
    assert few.items() <= many.items()


def test_another_seed_deals_anew() -> None:
    assert assign_splits(hashes(100), 0.15, 0.2, 0) != assign_splits(hashes(100), 0.15, 0.2, 1)


@settings(deadline=None)
@given(
    count=st.sampled_from([3, 4, 20]),
    salt=st.text(max_size=5),
    validation=st.floats(0.001, 0.4),
    test=st.floats(0.001, 0.4),
)
def test_no_split_is_empty(count: int, salt: str, validation: float, test: float) -> None:
    photos = hashes(count, salt)
    splits = assign_splits(photos, validation, test, 0)
    assert set(splits.values()) == set(SPLITS)
    assert splits == assign_splits(photos[::-1], validation, test, 0)


def test_a_loan_is_given_back() -> None:
    """With more photos every split has its own, and the photo that was lent is where its hash puts it."""
    home = assign_splits(hashes(1000), 0.15, 0.2, 0)
    lent = [one for one, split in assign_splits(hashes(5), 0.15, 0.2, 0).items() if split != home[one]]
    assert len(lent) <= 2
    assert all(assign_splits(hashes(200), 0.15, 0.2, 0)[one] == home[one] for one in lent)


@pytest.mark.parametrize(("count", "share"), [(3, 0.2), (20, 0.15), (803, 0.65), (10_000, 0.2)])
def test_chance_interval_covers_chance_and_no_more(count: int, share: float) -> None:
    from scipy.stats import binom

    low, high = chance_interval(count, share, risk=1e-3)
    outside = binom.cdf(low * count - 1e-6, count, share)
    outside += binom.sf(high * count + 1e-6, count, share)
    assert 0 <= low < share < high <= 1
    assert outside < 1e-3


def test_chance_interval_narrows() -> None:
    low, high = chance_interval(100_000, 0.2, 1e-3)
    assert high - low < 0.02
