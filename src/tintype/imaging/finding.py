"""Photos by their names: which suffixes are looked for, and which formats they ask for when a photo is written."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

WRITABLE = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WEBP",
    ".avif": "AVIF",
}
PHOTO_SUFFIXES = frozenset({*WRITABLE, ".bmp", ".gif", ".heic", ".heif"})


def find_photos(folder: Path) -> list[Path]:
    """Files with a photo's suffix below `folder`, sorted by path; hidden files and folders are left out."""
    found = (path for path in folder.rglob("*") if path.suffix.lower() in PHOTO_SUFFIXES and path.is_file())
    return sorted(path for path in found if not _hidden(path.relative_to(folder).parts))


def _hidden(parts: Iterable[str]) -> bool:
    return any(part.startswith(".") for part in parts)
