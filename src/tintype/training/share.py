"""Which part of every batch a worker computes, where several compute one training together."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from tintype.training.observer import HERE, Bar


@dataclass(frozen=True)
class Share:
    """One of several workers.

    A batch is what it is for one worker, cut into pieces of equal size in the order of the workers: together they
    compute the same step. What does not go into equal pieces, at most `workers` - 1 rows at an epoch's end, is left
    out; where rows are shuffled, others in every epoch.

    Attributes
    ----------
    rank : int
        From 0.
    workers : int
        At least 1.
    bar : Bar
        How this worker shows progress.
    alone : callable
        Gives a context in which it computes by itself what the others do not: to write, to draw.
    """

    rank: int = 0
    workers: int = 1
    bar: Bar = HERE
    alone: Callable[[], Any] = nullcontext

    def piece(self, rows: int) -> slice:
        """The worker's rows of a batch of `rows`."""
        each = rows // self.workers
        return slice(self.rank * each, (self.rank + 1) * each)

    def steps(self, rows: int, batch_size: int) -> int:
        """Steps of an epoch of `rows`, in batches of `batch_size` for all workers together."""
        full, rest = divmod(rows, batch_size)
        return full + (rest >= self.workers)


ALONE = Share()
