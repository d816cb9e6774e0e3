"""Photos that are ready for the network, in batches, in one thread.

A lone photo never waits for company that is not on its way: in the service it goes at once, and while the network works
on it, others gather and go together next. Where photos are announced while they are still being decoded, as the command
line does, a photo waits for them, but not longer than `patience`.

Batches have the sizes that the network is compiled for, and are full: of seven that wait, four go, and the other three
go with those that have come meanwhile. Padding a batch would waste the network's time.

BentoML's own batching needs a second service and a client between the two, which replaces its connections after
100 requests and loses those in flight.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Result = TypeVar("Result")
Predict = Callable[[NDArray[np.uint8], NDArray[np.uint8]], Iterable[Result]]
# Photos in the batch, seconds in the network, seconds that each photo waited
Observe = Callable[[int, float, list[float]], None]


@dataclass
class _Item(Generic[Result]):
    l8: NDArray[np.uint8]
    gray8: NDArray[np.uint8]
    future: Future[Result] = field(default_factory=Future)
    since: float = field(default_factory=time.perf_counter)


class Batcher(Generic[Result]):
    """A queue before the network. It is not bounded itself: each caller holds a lease of a `MemoryBudget`.

    Parameters
    ----------
    predict : callable
        Gives a result for each photo of a batch, in their order. Called from one thread only.
    sizes : sequence of int
        Of batches, ascending, the first 1.
    patience : float
        Seconds that a photo waits at most for those that were announced.
    observe : callable, optional
        Told of each batch.
    """

    def __init__(
        self,
        predict: Predict[Result],
        sizes: Sequence[int],
        *,
        patience: float = 0.0,
        observe: Observe = lambda *_: None,
    ) -> None:
        self._predict = predict
        self._sizes = sizes
        self._patience = patience
        self._observe = observe
        self._waiting: deque[_Item[Result]] = deque()
        self._announced = 0
        self._is_closing = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="network", daemon=True)
        self._thread.start()

    def announce(self) -> None:
        """Say that a photo is on its way; `submit` or `withdraw` follows."""
        with self._changed:
            self._announced += 1

    def withdraw(self) -> None:
        """Say that a photo which was announced will not come."""
        with self._changed:
            self._announced -= 1
            self._changed.notify()

    def submit(
        self, l8: NDArray[np.uint8], gray8: NDArray[np.uint8], *, announced: bool = False
    ) -> Future[Result]:
        """Queue one photo's inputs.

        Parameters
        ----------
        l8 : ndarray of shape (size, size, 1), uint8
        gray8 : ndarray of shape (S, S, 1), uint8
        announced : bool
            Whether `announce` was called for it.

        Returns
        -------
        Future
            The photo's result, or the network's exception. Cancelled if the batcher has been closed.
        """
        item: _Item[Result] = _Item(l8, gray8)
        with self._changed:
            self._announced -= announced
            if self._is_closing:
                item.future.cancel()
            else:
                self._waiting.append(item)
                self._changed.notify()
        return item.future

    def close(self, *, cancel_waiting: bool = False) -> None:
        """End the thread.

        Parameters
        ----------
        cancel_waiting : bool
            Whether only the batch in the network is finished, and those that wait are cancelled.
        """
        with self._changed:
            self._is_closing = True
            cancelled = [*self._waiting] if cancel_waiting else []
            if cancel_waiting:
                self._waiting.clear()
            self._changed.notify()
        for item in cancelled:
            item.future.cancel()
        self._thread.join()  # or Python may end while the network computes, and its framework aborts

    def _work(self) -> None:
        while batch := self._next_batch():
            # A photo whose caller has given up is left out.
            wanted = [item for item in batch if item.future.set_running_or_notify_cancel()]
            if wanted:
                self._run(wanted)

    def _next_batch(self) -> list[_Item[Result]]:
        """Wait for the next batch; empty once closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_closing or self._waiting)
            while self._waiting and not self._is_due():
                self._changed.wait(self._patience_left())
            if not self._waiting:
                return []
            count = max(size for size in self._sizes if size <= len(self._waiting))
            return [self._waiting.popleft() for _ in range(count)]

    def _is_due(self) -> bool:
        return (
            self._is_closing
            or not self._announced
            or len(self._waiting) >= self._sizes[-1]
            or self._patience_left() <= 0
        )

    def _patience_left(self) -> float:
        return self._patience - (time.perf_counter() - self._waiting[0].since)

    def _run(self, batch: list[_Item[Result]]) -> None:
        start = time.perf_counter()
        try:
            results = self._predict(
                np.stack([item.l8 for item in batch]), np.stack([item.gray8 for item in batch])
            )
        except Exception as error:  # of any kind: those who wait must get it, and the thread must live
            if len(batch) == 1:
                batch[0].future.set_exception(error)
                return
            for item in batch:  # alone, so that one photo does not take others with it
                self._run([item])
            return
        self._observe(len(batch), time.perf_counter() - start, [start - item.since for item in batch])
        for item, result in zip(batch, results, strict=True):
            item.future.set_result(result)
