"""What counts as a photo before anyone has looked inside."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from tintype.imaging.finding import ALL_SUFFIXES

_NOT_CONTENT = frozenset({"__MACOSX"})  # copies of metadata that a Mac adds to ZIP files


def photos_among(paths: Iterable[str]) -> list[str]:
    """The relative POSIX paths that look like photos, sorted; nothing hidden, no archive litter."""
    return sorted(path for path in paths if _is_photo(PurePosixPath(path)))


def _is_photo(path: PurePosixPath) -> bool:
    visible = not any(part.startswith(".") or part in _NOT_CONTENT for part in path.parts)
    return visible and path.suffix.lower() in ALL_SUFFIXES
