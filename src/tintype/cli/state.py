"""Where commands that run for long keep what they know on this machine."""

from __future__ import annotations

import os
from pathlib import Path


def state_folder() -> Path:
    """``$XDG_STATE_HOME/tintype``, or ``~/.local/state/tintype``; it need not be there yet."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "tintype"
