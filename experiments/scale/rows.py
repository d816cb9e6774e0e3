"""Rows of a manifest that never was, in any number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import compute

CHUNK = 100_000  # rows
CLASSES = 1000


def chunks(count: int, seed: int = 0) -> Iterator[pa.Table]:
    """Rows in no order, as photos are inspected."""
    for start in range(0, count, CHUNK):
        yield _chunk(start, min(CHUNK, count - start), np.random.default_rng([seed, start]))


def _chunk(start: int, count: int, random: np.random.Generator) -> pa.Table:
    label = compute.utf8_lpad(pa.array(random.integers(CLASSES, size=count)).cast(pa.string()), 8, "0")
    number = pa.array(np.arange(start, start + count)).cast(pa.string())
    return pa.table(
        {
            "path": compute.binary_join_element_wise(label, number, "/"),
            "content_hash": _hex(random, count, 32),
            "perceptual_hash": _hex(random, count, 8),
            "format": pa.array(["JPEG"]).take(pa.array(np.zeros(count, np.int8))),
            "mode": pa.array(["RGB"]).take(pa.array(np.zeros(count, np.int8))),
            "width": random.integers(200, 800, size=count),
            "height": random.integers(200, 800, size=count),
            "bytes": random.integers(20_000, 200_000, size=count),
            "mean_l": random.uniform(20, 80, size=count),
            "mean_chroma": random.uniform(5, 40, size=count),
            "label": label,
        }
    )


def _hex(random: np.random.Generator, count: int, size: int) -> Any:
    """Strings of hex digits for `size` random bytes each."""
    digits = random.bytes(size * count).hex().encode()
    offsets = np.arange(0, (count + 1) * 2 * size, 2 * size, dtype=np.int32)
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(digits))
