"""Few rows are all looked at; of many, evenly spaced ones of every shard."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tintype.training.shard_set import sample_rows


def test_rows_are_evenly_spaced_once_there_are_too_many(tmp_path: Path) -> None:
    shards = [tmp_path / "0.npy", tmp_path / "1.npy"]
    np.save(shards[0], np.arange(10))
    np.save(shards[1], np.arange(10, 13))
    assert [int(row) for row in sample_rows(shards, most=13)] == list(range(13))
    assert [int(row) for row in sample_rows(shards, most=7)] == [0, 2, 4, 6, 8, 10, 12]
    assert [int(row) for row in sample_rows(shards, most=1)] == [0, 10]
