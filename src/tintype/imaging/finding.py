"""Photos by their names: which suffixes they have, and where they lie below a folder."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

# Which formats suffixes ask for when a photo is written.
WRITABLE = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WEBP",
    ".avif": "AVIF",
}
# Files that can be read, as far as a name tells.
PHOTO_SUFFIXES = frozenset(
    {*WRITABLE, ".apng", ".bmp", ".dib", ".gif", ".heic", ".heif", ".jfif", ".jpe", ".mpo"}
)
# Also those of photos that cannot be decoded here: a refusal with a reason is better than a photo left out in silence.
ALL_SUFFIXES = PHOTO_SUFFIXES | {".j2k", ".jp2", ".jpx", ".jxl", ".pbm", ".pgm", ".pnm", ".ppm", ".tga"}


@dataclass
class Found:
    """What a folder holds.

    Attributes
    ----------
    photos : list of Path
        Files with a photo's suffix, sorted by path. A link to nothing is among them: it was meant to be one.
    strangers : int
        Files that are no photos by their names, or no files.
    hidden : int
        Files and folders whose names begin with a dot.
    links : list of Path
        Links to folders, which are not followed: they may lead out of the folder, or round in circles.
    unreadable : list of Path
        Folders that may not be looked into.
    """

    photos: list[Path] = field(default_factory=list)
    strangers: int = 0
    hidden: int = 0
    links: list[Path] = field(default_factory=list)
    unreadable: list[Path] = field(default_factory=list)

    def add(self, other: Found) -> None:
        """Add what another folder holds."""
        self.photos += other.photos
        self.strangers += other.strangers
        self.hidden += other.hidden
        self.links += other.links
        self.unreadable += other.unreadable


def find_photos(folder: Path) -> list[Path]:
    """Files with a photo's suffix below `folder`, sorted by path; hidden files and folders are left out."""
    return [path for path in look_below(folder).photos if path.is_file()]


def look_below(folder: Path, results: Path | None = None) -> Found:
    """Look through a folder and all below it.

    Parameters
    ----------
    folder : Path
        Where to begin.
    results : Path, optional
        A folder that is left out, with all below it: an earlier run's results are not photos to colour.
    """
    found, left_out = Found(), results.resolve() if results else None

    def note_unreadable(error: OSError) -> None:
        found.unreadable.append(Path(os.fsdecode(error.filename)))

    for parent, folders, files in os.walk(folder, onerror=note_unreadable):
        here = Path(parent)
        folders[:] = [name for name in sorted(folders) if _enters(here / name, left_out, found)]
        for name in files:
            _classify(here / name, found)
    found.photos.sort()
    return found


def _enters(folder: Path, left_out: Path | None, found: Found) -> bool:
    if folder.name.startswith("."):
        found.hidden += 1
        return False
    if folder.is_symlink():
        found.links.append(folder)
        return False
    return left_out is None or folder.resolve() != left_out


def _classify(path: Path, found: Found) -> None:
    if path.name.startswith("."):
        found.hidden += 1
    elif path.suffix.lower() in PHOTO_SUFFIXES and (path.is_file() or not path.exists()):
        found.photos.append(path)
    else:
        found.strangers += 1
