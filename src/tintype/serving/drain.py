"""Stopping without losing a photo.

On SIGTERM the server closes its door, answers who is inside and ends. A client that takes its answer forever must not
hold it up, so after a while the process ends anyway.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType


def on_stop(notice: Callable[[], None], seconds: float) -> None:
    """Be told of SIGTERM and SIGINT before the server is, and set it a deadline.

    Parameters
    ----------
    notice : callable
        Called at once.
    seconds : float
        Until the process ends whatever is under way.
    """
    if threading.current_thread() is not threading.main_thread():
        return  # signals are the main thread's; a server in another thread is stopped by whoever started it
    for number in (signal.SIGTERM, signal.SIGINT):
        _before(number, notice, seconds)


def _before(number: signal.Signals, notice: Callable[[], None], seconds: float) -> None:
    then = signal.getsignal(number)

    def handle(received: int, frame: FrameType | None) -> None:
        notice()
        deadline = threading.Timer(seconds, os._exit, [1])
        deadline.daemon = True
        deadline.start()
        if callable(then):
            then(received, frame)

    signal.signal(number, handle)
