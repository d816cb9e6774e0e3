"""A source's answer, and the errors that all sources share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tintype.errors import TintypeError


class SourceError(TintypeError):
    """The photos of a source cannot be had."""


@dataclass(frozen=True)
class Source:
    """Photos that are ready to be put into a folder.

    Parameters
    ----------
    name : str
        What the photos are called: a folder, or a data set with its owner.
    version : int or None
        The version of the data set, where it has one.
    paths : list of str
        All photos: relative POSIX paths, sorted.
    put : callable
        `put(paths, folder)` writes some of them below `folder`, yielding each path when it is there,
        in the order given.
    extras : dict of str to Path
        Files that ride along, by name: the attribution.
    """

    name: str
    version: int | None
    paths: list[str]
    put: Callable[[list[str], Path], Iterator[str]]
    extras: dict[str, Path]
