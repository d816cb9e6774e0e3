"""Shards of an object store, copied to this disk for stages that read their rows again and again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from tqdm import tqdm

from tintype.data.tensors.shards import fetch_shard, npy_path, read_index
from tintype.files.objects import folder_at

COPIES = Path(".tensors")  # beside the project's data, outside DVC's outputs


def local_shards(place: Path | str, names: Iterable[str], copies: Path = COPIES) -> Path:
    """The folder itself if it is on disk; else a copy of its shards, brought up to date.

    Parameters
    ----------
    place : Path or str
        Folder of all shards of one kind: a path, or such as ``"s3://bucket/prefix"``.
    names : iterable of str
        The shards that are needed.
    copies : Path
        Where the copy goes, into a folder named after the address. Shards there that are still those of the store
        are not fetched again.

    Returns
    -------
    Path
        A folder with the shards, each with the checksum that its index gives.

    Raises
    ------
    ShardError, StoreError
        If a shard is missing or damaged, or the store does not answer.
    """
    folder = folder_at(place)
    if isinstance(folder, Path):
        return Path(place)
    copy = copies / hashlib.sha256(folder.url.encode()).hexdigest()[:16]
    for name in tqdm(list(names), desc=f"fetch {folder}", unit=" shards", disable=None):
        wanted = read_index(folder, name)
        if wanted is None or read_index(copy, name) != wanted:
            fetch_shard(folder, name, copy)
    return copy


def local_files(place: Path | str, copies: Path = COPIES) -> list[Path]:
    """The tensor files of all shards in a folder, on this disk; see `local_shards`."""
    names = shard_names(place)
    folder = local_shards(place, names, copies)
    return [npy_path(folder, name) for name in names]


def shard_names(place: Path | str) -> list[str]:
    """Names of all shards in a folder, on disk or in an object store, such as ``"train/0f"``, sorted."""
    folder = folder_at(place)
    if isinstance(folder, Path):
        found = (path.relative_to(folder).as_posix() for path in folder.glob("*/*.npy"))
    else:
        found = (name for name in folder.names() if name.count("/") == 1 and name.endswith(".npy"))
    return sorted(name.removesuffix(".npy") for name in found)
