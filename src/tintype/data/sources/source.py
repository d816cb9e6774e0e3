"""What all sources share: their answer, their errors, and what counts as a photo before it is decoded.

What does not count is named with a reason in `data/raw/left_out.csv`, from where `validate` takes it over, so that
every file that was there is found again.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from tintype.errors import TintypeError
from tintype.imaging.finding import ALL_SUFFIXES

_NOT_CONTENT = frozenset({"__MACOSX"})  # copies of metadata that a Mac adds to ZIP files


LEFT_OUT_FILE = "left_out.csv"
UNUSABLE_NAME, HIDDEN, LINK, NO_PHOTO = "unusable_name", "hidden", "link", "no_photo"


class SourceError(TintypeError):
    """The photos of a source cannot be had."""


class LeftOut(NamedTuple):
    """A file that is not taken along: its path, why, and the particulars in words."""

    path: str
    reason: str
    detail: str


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
    left_out : list of LeftOut
        All other files.
    """

    name: str
    version: int | None
    paths: list[str]
    put: Callable[[list[str], Path], Iterator[str]]
    extras: dict[str, Path]
    left_out: list[LeftOut]


def photos_among(paths: Iterable[str]) -> tuple[list[str], list[LeftOut]]:
    """The relative POSIX paths that look like photos, sorted, and all others with a reason."""
    photos, left_out = [], []
    for path in sorted(paths):
        reason = _why_not(PurePosixPath(path))
        if reason is None:
            photos.append(path)
        else:
            left_out.append(leave_out(path, *reason))
    return photos, left_out


def leave_out(path: str, reason: str, detail: str) -> LeftOut:
    """A file that is not taken along, by a name that can be shown whatever its bytes are."""
    return LeftOut(os.fsencode(path).decode("utf-8", "backslashreplace"), reason, detail)


def _why_not(path: PurePosixPath) -> tuple[str, str] | None:
    if any(part.startswith(".") or part in _NOT_CONTENT for part in path.parts):
        return HIDDEN, "Its name or its folder's begins with a dot, or is one that an archiver adds."
    if path.suffix.lower() not in ALL_SUFFIXES:
        return NO_PHOTO, f"A photo's name ends in one of {', '.join(sorted(ALL_SUFFIXES))}."
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return UNUSABLE_NAME, "Expected a file name in UTF-8. Rename the file."
    return None


def write_left_out(folder: Path, left_out: list[LeftOut]) -> None:
    """Write `LEFT_OUT_FILE` into a folder, if anything was left out."""
    if not left_out:
        return
    with (folder / LEFT_OUT_FILE).open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerows([LeftOut._fields, *sorted(left_out)])


def read_left_out(folder: Path) -> list[LeftOut]:
    """What `write_left_out` wrote."""
    try:
        with (folder / LEFT_OUT_FILE).open(encoding="utf-8", newline="") as file:
            return [LeftOut(**row) for row in csv.DictReader(file)]
    except FileNotFoundError:
        return []
