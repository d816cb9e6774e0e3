"""The model that answers now, and what becomes of the one before when another takes over.

A request uses one model for as long as its photo is worked on, whatever takes over meanwhile: so an answer, its headers
and the batch that it was in are of one version. A model that was replaced is closed, which frees its memory, when the
last request has stopped using it.
"""

from __future__ import annotations

import gc
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from tintype.serving.http.errors import busy
from tintype.serving.photo_pipeline import PhotoPipeline

_REFERENCE_SECONDS = 1.0  # a request that has just stopped using a model refers to it for a moment


class CurrentModel:
    """The loaded model that answers. Used from the event loop and from the thread that loads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pipeline: PhotoPipeline | None = None
        self._users: Counter[PhotoPipeline] = Counter()

    @property
    def is_loaded(self) -> bool:
        """Whether there is a model: False while the first is being loaded."""
        return self._pipeline is not None

    def check(self) -> None:
        """Whether there is a model, as an answer.

        Raises
        ------
        Refusal
            503 if there is none yet.
        """
        if self._pipeline is None:
            raise busy("not_ready", "Expected a loaded model. It is being loaded. Try again soon.")

    def swap(self, pipeline: PhotoPipeline) -> None:
        """Let another model take over, between two requests.

        Parameters
        ----------
        pipeline : PhotoPipeline
            With the model, loaded and warm.
        """
        with self._lock:
            before, self._pipeline = self._pipeline, pipeline
            is_free = before is not None and not self._users[before]
        if before is not None and is_free:
            _close([before])

    @contextmanager
    def use(self) -> Iterator[PhotoPipeline]:
        """The model that answers, kept for a block.

        Raises
        ------
        Refusal
            503 if there is none yet.
        """
        self.check()
        with self._lock:
            pipeline = self._pipeline
            if pipeline is None:
                raise RuntimeError("Expected a model, as checked. Received: none.")
            self._users[pipeline] += 1
        try:
            yield pipeline
        finally:
            with self._lock:
                self._users[pipeline] -= 1
                is_last = not self._users[pipeline]
                if is_last:
                    del self._users[pipeline]
                is_over = is_last and pipeline is not self._pipeline
            if is_over:
                _close([pipeline])

    def close(self) -> None:
        """Finish what is under way."""
        if self._pipeline is not None:
            self._pipeline.close()


def _close(leaving: list[PhotoPipeline]) -> None:
    """Close a pipeline in a thread of its own: ending its threads takes a moment."""

    def run() -> None:
        leaving.pop().close()
        time.sleep(_REFERENCE_SECONDS)
        gc.collect()  # a network refers to itself, and would stay until there are many young objects

    threading.Thread(target=run, name="closing", daemon=True).start()
