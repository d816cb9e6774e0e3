"""What commands share that run for long: a folder for what they know, and sentences about outages."""

from __future__ import annotations

import os
from pathlib import Path

from tintype.cli.console import print_error, print_note

_LONGEST = 300.0  # seconds between two attempts


def state_folder() -> Path:
    """``$XDG_STATE_HOME/tintype``, or ``~/.local/state/tintype``; it need not be there yet."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "tintype"


class Outage:
    """Reports an outage once, and waits longer and longer between questions until it is over.

    Parameters
    ----------
    every : float
        Seconds between two questions while all is well.
    """

    def __init__(self, every: float) -> None:
        self._every = every
        self._failures = 0
        self._last_sentence = ""

    def failed(self, error: Exception) -> float:
        """Note a failure; its sentence is printed unless it was the last one printed.

        Returns
        -------
        float
            Seconds to wait.
        """
        self._failures += 1
        pause = min(self._every * 2.0**self._failures, max(_LONGEST, self._every))
        if str(error) != self._last_sentence:
            self._last_sentence = str(error)
            print_error(f"error: {error} Asking again, in {pause:.0f} s at first.")
        return pause

    def over(self) -> float:
        """Note an answer.

        Returns
        -------
        float
            Seconds to wait.
        """
        if self._failures:
            print_note("The registry answers again.")
        self._failures, self._last_sentence = 0, ""
        return self._every
