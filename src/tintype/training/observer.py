"""Who watches a training."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol


class Observer(Protocol):
    """Told of every epoch; the registry's tracked run is one."""

    def epoch(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """An epoch, counted from 1, is over."""

    def picture(self, name: str, epoch: int, path: Path) -> None:
        """A picture of what the network does after an epoch lies at `path`."""
