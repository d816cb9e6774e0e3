"""A compiled IR, asked from several threads."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray


class OpenVinoGraph:
    """An IR, with that part of a Keras model's interface that embedding uses.

    Parameters
    ----------
    compiled : openvino.CompiledModel
        (1, S, S, 1) uint8 to (1, E) float32.
    """

    def __init__(self, compiled: Any) -> None:
        self._compiled = compiled
        self._own = threading.local()  # a request serves one thread at a time

    def predict_on_batch(self, photos: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embed one photo, as the shape (1, S, S, 1); threads do not wait for each other."""
        if not hasattr(self._own, "request"):
            self._own.request = self._compiled.create_infer_request()
        embedding: NDArray[np.float32] = self._own.request.infer([photos])[0].copy()
        return embedding
