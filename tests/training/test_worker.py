"""Pieces of batches: which worker gets which rows, and that nothing else changes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tintype.training.batches import Worker, batches


def all_of(stream: Any) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    return [(given["l"], given["embedding"], truth) for given, truth in stream.as_numpy_iterator()]


@pytest.mark.parametrize("workers", [2, 3])
def test_the_workers_pieces_are_the_batches_of_one(workers: int, tensors: Any) -> None:
    train = tensors.split("train")
    told: dict[str, Any] = {"shuffle_seed": 1, "flip": True, "scans": 1.0}
    whole = batches(train, 6, **told)
    pieces = [batches(train, 6, **told, worker=Worker(rank, workers)) for rank in range(workers)]
    for _ in range(2):  # epochs, each in an order of its own
        each = [all_of(piece) for piece in pieces]
        for step, batch in enumerate(all_of(whole)):
            for part, expected in enumerate(batch):
                joined = np.concatenate([steps[step][part] for steps in each])
                np.testing.assert_array_equal(joined, expected)
        assert {len(steps) for steps in each} == {3}


def test_what_does_not_go_into_equal_pieces_is_left_out(tensors: Any) -> None:
    train = tensors.split("train")  # 18 rows
    sizes = [len(truth) for _, _, truth in all_of(batches(train, 10, worker=Worker(1, 5)))]
    assert sizes == [2, 1]  # of 10 and of 8, of which 3 are left out
    sizes = [len(truth) for _, _, truth in all_of(batches(train, 8, worker=Worker(0, 4)))]
    assert sizes == [2, 2]  # the last 2 rows are fewer than there are workers


@pytest.mark.parametrize(
    ("rows", "batch", "workers"), [(18, 6, 1), (18, 5, 1), (18, 8, 4), (18, 10, 5), (4, 6, 2)]
)
def test_steps_are_as_many_as_come(rows: int, batch: int, workers: int) -> None:
    worker = Worker(0, workers)
    left = [min(batch, rows - start) for start in range(0, rows, batch)]
    assert worker.steps(rows, batch) == sum(worker.piece(size).stop > 0 for size in left)
