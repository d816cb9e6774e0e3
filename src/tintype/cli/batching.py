"""Company for the network: photos that are ready, handed out in batches."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Waiting(Generic[Item]):
    """Items that wait for company, and a count of those on their way.

    A batch is handed out when it is full, when nothing more is on its way, or when its first item has waited
    `patience` seconds. So a single photo never waits, and a last one does not either.

    Parameters
    ----------
    size : int
        Of a full batch.
    patience : float
        Seconds.
    """

    def __init__(self, size: int, patience: float) -> None:
        self._size, self._patience = size, patience
        self._ready: deque[tuple[float, Item]] = deque()
        self._coming, self._closed = 0, False
        self._changed = threading.Condition()

    def announce(self) -> None:
        """Say that an item is on its way; `put` or `give_up` follows."""
        with self._changed:
            self._coming += 1

    def put(self, item: Item) -> None:
        """An item arrives."""
        with self._changed:
            self._coming -= 1
            self._ready.append((time.monotonic(), item))
            self._changed.notify_all()

    def give_up(self) -> None:
        """An item that was announced will not come."""
        with self._changed:
            self._coming -= 1
            self._changed.notify_all()

    def close(self) -> None:
        """Nothing more is handed out."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def take(self) -> list[Item]:
        """Wait for the next batch; empty once closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._ready)
            while not self._closed and not self._is_due():
                self._changed.wait(self._patience_left())
            if self._closed:
                return []
            return [self._ready.popleft()[1] for _ in range(min(self._size, len(self._ready)))]

    def _is_due(self) -> bool:
        return len(self._ready) >= self._size or not self._coming or self._patience_left() <= 0

    def _patience_left(self) -> float:
        return self._patience - (time.monotonic() - self._ready[0][0])
