"""What all sources share: their answer, their errors, and what counts as a photo before it is decoded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tintype.errors import TintypeError
from tintype.imaging.finding import ALL_SUFFIXES

_NOT_CONTENT = frozenset({"__MACOSX"})  # copies of metadata that a Mac adds to ZIP files


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


def photos_among(paths: Iterable[str]) -> list[str]:
    """The relative POSIX paths that look like photos, sorted; nothing hidden, no archive litter."""
    return sorted(path for path in paths if _is_photo(PurePosixPath(path)))


def _is_photo(path: PurePosixPath) -> bool:
    visible = not any(part.startswith(".") or part in _NOT_CONTENT for part in path.parts)
    return visible and path.suffix.lower() in ALL_SUFFIXES
