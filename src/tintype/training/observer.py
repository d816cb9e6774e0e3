"""How a training is watched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TextIO


@dataclass(frozen=True)
class Bar:
    """How a training shows its progress.

    Attributes
    ----------
    shown : bool
        At all.
    file : file, optional
        Where; the standard error if not given.
    live : bool, optional
        As a bar that moves, or a line an epoch; by default what suits `file`.
    """

    shown: bool = True
    file: TextIO | None = None
    live: bool | None = None


HERE = Bar()


class Observer(Protocol):
    """Told of every epoch; the registry's tracked run is one."""

    def epoch(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """An epoch, counted from 1, is over."""

    def picture(self, name: str, epoch: int, path: Path) -> None:
        """A picture of what the network does after an epoch lies at `path`."""
