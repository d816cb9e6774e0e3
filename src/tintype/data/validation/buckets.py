"""How many buckets suit a number of photos."""

from __future__ import annotations

MOST = 2000  # photos in a bucket; at 256 pixels a shard of 0.4 GB, which is what a crash can cost
DIGITS = (1, 2, 3, 4)


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
