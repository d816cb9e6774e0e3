"""The photos that a model was made with, as `tintype trace` lists them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tintype.cli.console import counted

if TYPE_CHECKING:
    import pandas as pd

_FIRST = 3  # photos of each split


@dataclass(frozen=True)
class TrainingPhoto:
    """A photo of the manifest.

    Attributes
    ----------
    path : str
        Below the folder of the photos, data/raw/photos.
    sha256 : str
        Of the file's content.
    split : str
        ``train``, ``validation`` or ``test``.
    """

    path: str
    sha256: str
    split: str


def training_photos(table: pd.DataFrame) -> list[TrainingPhoto]:
    """The rows of a manifest, in their order."""
    return [
        TrainingPhoto(str(path), str(sha256), str(split))
        for path, sha256, split in zip(table["path"], table["content_hash"], table["split"], strict=True)
    ]


def counts_by_split(photos: list[TrainingPhoto]) -> dict[str, int]:
    """How many photos each split has, the largest first."""
    return dict(Counter(photo.split for photo in photos).most_common())


def photo_lines(photos: list[TrainingPhoto], *, everything: bool) -> Iterator[str]:
    """How many there are, and the first of each split, or all.

    Parameters
    ----------
    photos : list of TrainingPhoto
        None at all gives no lines.
    everything : bool
        Whether all are listed.

    Yields
    ------
    str
        A line each.
    """
    if not photos:
        return
    splits = counts_by_split(photos)
    shares = ", ".join(f"{number:,} {split}" for split, number in splits.items())
    yield f"  photos      {counted(len(photos), 'photo')}: {shares}; each with its content's SHA-256"
    listed = [photo for split in splits for photo in _first(photos, split, everything=everything)]
    for photo in listed:
        yield f"    {photo.sha256}  {photo.split}  {photo.path}"
    if len(listed) < len(photos):
        yield f"    and {len(photos) - len(listed):,} more: --photos lists all"


def _first(photos: list[TrainingPhoto], split: str, *, everything: bool) -> list[TrainingPhoto]:
    found = [photo for photo in photos if photo.split == split]
    return found if everything else found[:_FIRST]
