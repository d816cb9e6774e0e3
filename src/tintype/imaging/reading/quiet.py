"""Decoders that tell nobody but us of broken files, without a change to the process that stays."""

from __future__ import annotations

import threading
import warnings
from contextlib import ExitStack

import cv2


class _QuietDecoders:
    """A context for any number of threads: the first to enter silences the decoders, the last to leave restores them.

    Pillow warns of broken tags, for which there are notes and errors here, and OpenCV logs broken files on stderr.
    Both settings belong to the whole process, which may be somebody else's.
    """

    def __init__(self) -> None:
        self._lock, self._inside, self._restore = threading.Lock(), 0, ExitStack()

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._restore.enter_context(warnings.catch_warnings())
                warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
                self._restore.callback(cv2.utils.logging.setLogLevel, cv2.utils.logging.getLogLevel())
                cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._restore.close()


quiet_decoders = _QuietDecoders()
