"""Photos from a folder: the sample's or the user's own.

Links inside the folder are not followed, because what they point to may change, vanish or lie anywhere. Photos are
copied, not hard-linked: DVC makes the files of its cache read-only, which would reach the user's originals.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from tintype.data.sources.source import LINK, Source, SourceError, leave_out, photos_among
from tintype.imaging.finding import ALL_SUFFIXES

logger = logging.getLogger(__name__)


def folder_source(folder: Path) -> Source:
    """All photos below a folder.

    Parameters
    ----------
    folder : Path
        The top of the tree; it may itself be a link.

    Returns
    -------
    Source
        With the folder's ATTRIBUTION.csv as an extra if it has one.

    Raises
    ------
    SourceError
        If there is no such folder, or it holds no photo.
    """
    if not folder.is_dir():
        found = "a file" if folder.exists() else "nothing of that name"
        raise SourceError(
            f"Expected a folder of photos at {folder}. Found {found}. Set fetch.directory to yours."
        )
    links: list[str] = []
    paths, left_out = photos_among(_files(folder, folder, links))
    if links:
        logger.warning(
            "%d links in %s are not followed (%s ...). Copy what they point to into the folder if it should count.",
            len(links), folder, links[0],
        )  # fmt: skip
    if not paths:
        raise SourceError(
            f"Expected photos in {folder}. Found none by their suffix ({', '.join(sorted(ALL_SUFFIXES))}). "
            "Hidden files, links and names that are not UTF-8 do not count."
        )
    cure = "Links are not followed. Copy what it points to if it should count."
    left_out += [leave_out(path, LINK, cure) for path in links]

    def put(chosen: list[str], destination: Path) -> Iterator[str]:
        for path in chosen:
            (destination / path).parent.mkdir(parents=True, exist_ok=True)
            _copy(folder / path, destination / path)
            yield path

    attribution = folder / "ATTRIBUTION.csv"
    extras = {attribution.name: attribution} if attribution.is_file() else {}
    left_out = [one for one in left_out if one.path not in extras]
    return Source(
        name=folder.as_posix(), version=None, paths=paths, put=put, extras=extras, left_out=left_out
    )


def _files(folder: Path, top: Path, links: list[str]) -> Iterator[str]:
    """Files below `folder`, relative to `top`; links are put into `links`."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except PermissionError:
        raise SourceError(
            f"The folder {folder} cannot be read. Change its permissions or move it away."
        ) from None
    for entry in entries:
        path = Path(entry.path)
        if entry.name.startswith("."):
            yield path.relative_to(top).as_posix()  # a hidden folder, too, stands for all that is in it
        elif entry.is_symlink():
            links.append(path.relative_to(top).as_posix())
        elif entry.is_dir():
            yield from _files(path, top, links)
        elif entry.is_file():
            yield path.relative_to(top).as_posix()


def _copy(original: Path, copy: Path) -> None:
    try:
        shutil.copyfile(original, copy)
    except PermissionError as error:
        if error.filename != os.fspath(original):
            raise
        raise SourceError(
            f"The photo {original} cannot be read. Change its permissions or move it away."
        ) from None
    except FileNotFoundError:
        raise SourceError(f"The photo {original} vanished while it was copied. Run again.") from None
