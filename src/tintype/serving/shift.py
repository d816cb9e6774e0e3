"""Who paints now: the painter that requests take, and what becomes of the one before.

A request takes the painter for as long as its photo is painted, and keeps it whoever comes on meanwhile: so an answer,
its headers and the batch that it was in are of one version. A painter that was relieved is closed when its last
request has given it back, which frees its memory.
"""

from __future__ import annotations

import gc
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from tintype.serving.painter import Painter
from tintype.serving.responses import busy

_FAREWELL_SECONDS = 1.0  # whoever gave the painter back still has it in hand for a moment


class Shift:
    """The painter on duty. Used from the event loop and from the thread that loads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._painter: Painter | None = None
        self._taken: Counter[Painter] = Counter()

    @property
    def is_staffed(self) -> bool:
        """Whether there is a painter: False while the first is being loaded."""
        return self._painter is not None

    def check(self) -> None:
        """Whether there is a painter, as an answer.

        Raises
        ------
        Refusal
            503 if there is none yet.
        """
        if self._painter is None:
            raise busy("not_ready", "Expected a loaded model. It is being loaded. Try again soon.")

    def relieve(self, painter: Painter) -> None:
        """Let another painter take over, between two requests.

        Parameters
        ----------
        painter : Painter
            Loaded and warm.
        """
        with self._lock:
            before, self._painter = self._painter, painter
            is_free = before is not None and not self._taken[before]
        if before is not None and is_free:
            _close([before])

    @contextmanager
    def take(self) -> Iterator[Painter]:
        """The painter on duty, kept for a block.

        Raises
        ------
        Refusal
            503 if there is none yet.
        """
        self.check()
        with self._lock:
            painter = self._painter
            if painter is None:
                raise RuntimeError("Expected a painter, as checked. Received: none.")
            self._taken[painter] += 1
        try:
            yield painter
        finally:
            with self._lock:
                self._taken[painter] -= 1
                is_last = not self._taken[painter]
                if is_last:
                    del self._taken[painter]
                is_over = is_last and painter is not self._painter
            if is_over:
                _close([painter])

    def close(self) -> None:
        """Finish what is under way."""
        if self._painter is not None:
            self._painter.close()


def _close(leaving: list[Painter]) -> None:
    """Close a painter in a thread of its own: a photo whose client hung up may still be worked on."""

    def run() -> None:
        leaving.pop().close()
        time.sleep(_FAREWELL_SECONDS)
        gc.collect()  # a network refers to itself, and would stay until there are many young objects

    threading.Thread(target=run, name="leaving", daemon=True).start()
