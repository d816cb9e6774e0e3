"""Photos of a Kaggle data set.

Kaggle's client says where the archive lies (`kaggle_api`). The bytes then come through `tintype.files.download` and are
unpacked by `tintype.files.archive`, because the client's own download appends any answer to what it has, and unpacks
anything that is in the archive.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tintype.data.sources.kaggle_api import Dataset, locate, newest_version
from tintype.data.sources.source import Source, SourceError, photos_among
from tintype.files.archive import ArchiveError, open_archive
from tintype.files.download import download, retry

TRIES = 5


def resolve(name: str, version: int | None, *, pause: float = 1.0) -> Dataset:
    """A data set with its version; asks Kaggle for the newest if none is given.

    Parameters
    ----------
    name : str
        owner/name.
    version : int or None
        None: the newest.
    pause : float
        Seconds before the second try; doubled before each further one.

    Returns
    -------
    Dataset
        With a version.

    Raises
    ------
    SourceError, DownloadError
        If Kaggle refuses or cannot be reached.
    """
    return Dataset(name, version or retry(lambda: newest_version(name), TRIES, pause))


@contextmanager
def kaggle_source(dataset: Dataset, downloads: Path, *, pause: float = 1.0) -> Iterator[Source]:
    """The photos of a data set, from its archive.

    Parameters
    ----------
    dataset : Dataset
        With a version.
    downloads : Path
        A folder for the archive. It is removed when the block ends well; after a failure, the next call
        continues with what is there.
    pause : float
        Seconds before the second try; doubled before each further one.

    Yields
    ------
    Source
        All photos in the archive.

    Raises
    ------
    SourceError
        If Kaggle refuses, or the archive holds no photo.
    DownloadError
        If the archive does not come.
    ArchiveError
        If it is damaged or not to be trusted. It is removed then.
    """
    archive = downloads / f"{dataset.name.replace('/', '--')}-v{dataset.version}.zip"
    if not archive.exists():  # it is when the disk was full while unpacking, say
        _download(dataset, archive, pause)
    try:
        with open_archive(archive) as content:
            paths, left_out = photos_among(content.members)
            if not paths:
                raise SourceError(f"Expected photos in {dataset} on Kaggle. Found none in its archive.")
            yield Source(
                dataset.name, dataset.version, paths, put=content.extract, extras={}, left_out=left_out
            )
    except (ArchiveError, SourceError):
        archive.unlink()
        raise
    shutil.rmtree(downloads)


def _download(dataset: Dataset, archive: Path, pause: float) -> None:
    first = retry(lambda: locate(dataset), TRIES, pause)
    addresses = iter([first.url])  # it expires, so every further try asks for a new one
    download(
        lambda: next(addresses, None) or locate(dataset).url,
        archive,
        checksum=first.checksum,
        tries=TRIES,
        pause=pause,
    )
