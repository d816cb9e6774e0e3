"""As few buckets as keep shards small, and advice only where there are too few."""

from __future__ import annotations

import pytest

from tintype.data.validation.splits import bucket_advice, digits_for


@pytest.mark.parametrize(
    ("photos", "digits"),
    [(0, 1), (32_000, 1), (32_001, 2), (38_000, 2), (1_281_167, 3), (10**8, 4), (10**9, 4)],
)
def test_digits(photos: int, digits: int) -> None:
    assert digits_for(photos) == digits
    assert bucket_advice(photos, digits) is None


def test_advice() -> None:
    advice = bucket_advice(1_281_167, 1)
    assert advice is not None
    assert "1,281,167 photos in 16 buckets: a shard holds 80,072" in advice
    assert advice.endswith("Set validate.bucket_digits to 3.")
    assert bucket_advice(10**9, 4) is None
