"""The network's work for several photos at once: one thread that takes what waits.

It never waits for company: a lone photo goes at once, and while the network works on it, others gather and go
together next. Batches have the sizes the network is compiled for, and are full: of seven that wait four go, and the
other three with whoever has come meanwhile. Filling up would have the network colour nothing.

BentoML's own batching needs a second service and a client between the two, which replaces its connections after
100 requests and loses those in flight.
"""

from __future__ import annotations

import queue
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
Observe = Callable[
    [int, float, list[float]], None
]  # photos in the batch, network's seconds, each photo's wait


@dataclass
class _Item(Generic[Result]):
    l8: NDArray[np.uint8]
    gray8: NDArray[np.uint8]
    future: Future[Result] = field(default_factory=Future)
    since: float = field(default_factory=time.perf_counter)


class Batcher(Generic[Result]):
    """A queue before the network.

    Parameters
    ----------
    predict : callable
        Gives a result for each photo of a batch, in their order. Called from one thread only.
    sizes : sequence of int
        Of batches, ascending, the first 1.
    observe : callable
        Told of each batch.
    """

    def __init__(self, predict: Predict[Result], sizes: Sequence[int], observe: Observe) -> None:
        self._predict = predict
        self._sizes = sizes
        self._waiting: deque[_Item[Result]] = deque()  # taken off the queue, the thread's own
        self._closing = False
        self._observe = observe
        self._queue: queue.SimpleQueue[_Item[Result] | None] = (
            queue.SimpleQueue()
        )  # bounded by the house (admission)
        self._thread = threading.Thread(target=self._work, name="network", daemon=True)
        self._thread.start()

    def submit(self, l8: NDArray[np.uint8], gray8: NDArray[np.uint8]) -> Future[Result]:
        """Queue one photo's inputs.

        Parameters
        ----------
        l8 : ndarray of shape (size, size, 1), uint8
        gray8 : ndarray of shape (S, S, 1), uint8

        Returns
        -------
        Future
            Its result; or the network's exception.
        """
        item: _Item[Result] = _Item(l8, gray8)
        self._queue.put(item)
        return item.future

    def close(self) -> None:
        """Finish what is queued and end the thread."""
        self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        while self._gather():
            size = max(size for size in self._sizes if size <= len(self._waiting))
            batch = [self._waiting.popleft() for _ in range(size)]
            # A photo whose client has gone is left out.
            batch = [item for item in batch if item.future.set_running_or_notify_cancel()]
            if batch:
                self._run(batch)

    def _gather(self) -> bool:
        """Take what waits by now; sleep only if there is nothing to do. False once there will be no more."""
        while not self._closing and len(self._waiting) < self._sizes[-1]:
            try:
                item = self._queue.get(block=not self._waiting)
            except queue.Empty:
                break
            if item is None:
                self._closing = True
            else:
                self._waiting.append(item)
        return bool(self._waiting)

    def _run(self, batch: list[_Item[Result]]) -> None:
        start = time.perf_counter()
        try:
            results = self._predict(
                np.stack([item.l8 for item in batch]), np.stack([item.gray8 for item in batch])
            )
        except Exception as error:  # whatever it is, those who wait must hear of it, and the thread must live
            for item in batch:
                item.future.set_exception(error)
            return
        self._observe(len(batch), time.perf_counter() - start, [start - item.since for item in batch])
        for item, result in zip(batch, results, strict=True):
            item.future.set_result(result)
