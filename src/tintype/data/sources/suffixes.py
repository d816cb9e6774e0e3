"""What counts as a photo before anyone has looked inside."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

# Wider than what can be decoded: a photo that is refused later, with its reason, is better than one
# that silently was never there.
SUFFIXES = frozenset(
    {
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".tif", ".tiff", ".gif"),
        *(".bmp", ".dib", ".tga", ".pbm", ".pgm", ".pnm", ".ppm"),
        *(".avif", ".heic", ".heif", ".j2k", ".jp2", ".jpx", ".jxl"),
    }
)
_NOT_CONTENT = frozenset({"__MACOSX"})  # copies of metadata that a Mac adds to ZIP files


def photos_among(paths: Iterable[str]) -> list[str]:
    """The relative POSIX paths that look like photos, sorted; nothing hidden, no archive litter."""
    return sorted(path for path in paths if _is_photo(PurePosixPath(path)))


def _is_photo(path: PurePosixPath) -> bool:
    visible = not any(part.startswith(".") or part in _NOT_CONTENT for part in path.parts)
    return visible and path.suffix.lower() in SUFFIXES
