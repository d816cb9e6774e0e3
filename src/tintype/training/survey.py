"""Rows of shards for figures that need not see all of them, such as a mean colour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SURVEYED = 50_000  # rows, about, at most: millions more take hours and change no digit that is shown


def survey(shards: Sequence[Path], most: int = SURVEYED) -> Iterator[NDArray[Any]]:
    """Rows of `.npy` files one after the other, evenly spaced where there are more than `most`.

    Parameters
    ----------
    shards : sequence of Path
        Tensor files, such as a split's `ShardSet.lab`.
    most : int
        Up to so many rows, every one is given; of more, every second, third and so on of each shard.

    Yields
    ------
    ndarray
        One row, memory-mapped: a shard need not fit into memory.
    """
    rows = sum(len(np.load(path, mmap_mode="r")) for path in shards)
    step = max(1, -(-rows // most))
    for path in shards:
        yield from np.load(path, mmap_mode="r")[::step]
