"""Which photos make up which shard.

A shard holds one bucket of one split, its photos in the order of their content hashes, each photo's crops in
a row. It depends on nothing else, so shards can be made in any order, anywhere, and stay as
they are when photos are added to other buckets.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tintype.data.validation.manifest import SPLITS, TRAIN
from tintype.params import CropsParams

if TYPE_CHECKING:
    import pandas as pd

PLANNED_BY = ("path", "content_hash", "bucket", "split")  # columns of a manifest


@dataclass(frozen=True, order=True, slots=True)
class PhotoRef:
    """A photo of the manifest: its content hash and its path relative to the photos' folder."""

    content_hash: str
    path: str


@dataclass(frozen=True)
class ShardPlan:
    """What a shard is to hold: `crops` rows for each of `photos`, in order."""

    split: str
    bucket: str
    photos: tuple[PhotoRef, ...]
    crops: int

    @property
    def name(self) -> str:
        """Path of the shard below the tensors' folder, without suffix."""
        return f"{self.split}/{self.bucket}"

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.photos) * self.crops


def crops_in(split: str, crops: CropsParams) -> int:
    """Rows of each photo: training photos are cropped, the others are seen whole, as serving sees them."""
    return crops.per_photo if split == TRAIN else 1


def plan_shards(manifest: pd.DataFrame, crops: CropsParams) -> list[ShardPlan]:
    """The shards of a manifest.

    Parameters
    ----------
    manifest : DataFrame
        With the columns `PLANNED_BY`.
    crops : CropsParams
        See `crops_in`.

    Returns
    -------
    list of ShardPlan
        In the order of split and bucket, none empty.
    """
    photos: dict[tuple[str, str], list[PhotoRef]] = defaultdict(list)
    columns = (manifest[name] for name in ("split", "bucket", "content_hash", "path"))
    for split, bucket, content_hash, path in zip(*columns, strict=True):
        photos[split, bucket].append(PhotoRef(content_hash, path))
    return [
        ShardPlan(split, bucket, tuple(sorted(photos[split, bucket])), crops_in(split, crops))
        for split, bucket in sorted(photos, key=lambda key: (SPLITS.index(key[0]), key[1]))
    ]
