"""Shards on disk: a plain `.npy` file and, beside it, an index that says what it holds.

The index carries a checksum, because a flipped byte goes unnoticed by tools that trust modification times, and
a fingerprint of the parameters, so that rows made with others are never reused. The `.npy` file is renamed
into place first and its index after it: killed in between, the old index no longer fits the file and the
shard is made again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from tintype.data.tensors.plan import ShardPlan
from tintype.errors import TintypeError
from tintype.files.atomic import new_file, write_json
from tintype.files.digest import sha256_of

NPY_HEADER_BYTES = 128  # what NumPy writes for arrays of up to about six axes; checked when a shard is opened


class ShardError(TintypeError):
    """A shard is missing, broken or not the one that is needed."""


class ShardIndex(BaseModel):
    """What a shard's `.npy` file holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fingerprint: str  # of the parameters that made the rows
    crops: int  # rows of each photo
    photos: list[str]  # content hashes, in order
    shape: list[int]
    dtype: str
    sha256: str  # of the .npy file


def fingerprint_of(parameters: Mapping[str, Any]) -> str:
    """A short hash of all that a row depends on besides its photo."""
    return hashlib.sha256(json.dumps(parameters, sort_keys=True).encode()).hexdigest()[:16]


def npy_path(folder: Path, name: str) -> Path:
    """Path of a shard's tensor file."""
    return folder / f"{name}.npy"


def index_path(folder: Path, name: str) -> Path:
    """Path of a shard's index."""
    return folder / f"{name}.json"


def read_index(folder: Path, name: str) -> ShardIndex | None:
    """The index of a shard whose tensor file is there and intact, else None.

    None means that the shard has to be made; a shard that has to exist is opened by `open_shard`.
    """
    try:
        index = ShardIndex.model_validate_json(index_path(folder, name).read_bytes())
        intact = sha256_of(npy_path(folder, name)) == index.sha256
    except (FileNotFoundError, ValidationError):
        return None
    return index if intact else None


def open_shard(folder: Path, name: str) -> tuple[NDArray[Any], ShardIndex]:
    """A shard's rows, memory-mapped, after its checksum has been verified.

    Raises
    ------
    ShardError
        If the shard is missing or its bytes are not those that were written.
    """
    index = read_index(folder, name)
    if index is None:
        raise ShardError(
            f"Expected the shard {npy_path(folder, name)} with the checksum that its index gives, but it is missing or "
            f"its bytes have changed. Delete {folder} and run `dvc repro` to make it again."
        )
    rows = np.load(npy_path(folder, name), mmap_mode="r")
    if rows.offset != NPY_HEADER_BYTES:
        raise ShardError(
            f"Expected a header of {NPY_HEADER_BYTES} bytes in {npy_path(folder, name)}. Received: {rows.offset}."
        )
    return rows, index


def kept_rows(folder: Path, plan: ShardPlan, fingerprint: str) -> dict[str, NDArray[Any]]:
    """Rows that an earlier run made and that are still right.

    Returns
    -------
    dict
        Content hash of a photo to its rows, memory-mapped, of shape (crops, ...).
    """
    index = read_index(folder, plan.name)
    if index is None or index.fingerprint != fingerprint or index.crops != plan.crops:
        return {}
    rows = np.load(npy_path(folder, plan.name), mmap_mode="r")
    by_photo = rows.reshape(len(index.photos), index.crops, *rows.shape[1:])
    return dict(zip(index.photos, by_photo, strict=True))


def is_complete(kept: Mapping[str, Any], plan: ShardPlan) -> bool:
    """Whether the rows kept are exactly those planned, so that there is nothing to write."""
    return list(kept) == [photo.content_hash for photo in plan.photos]


def write_shard(
    folder: Path,
    plan: ShardPlan,
    fingerprint: str,
    rows_of_photos: Iterable[NDArray[Any]],
    *,
    row_shape: tuple[int, ...],
    dtype: Any,
) -> None:
    """Write a shard, photo by photo, so that memory does not grow with its size.

    Parameters
    ----------
    folder : Path
        Folder of all shards of this kind.
    plan : ShardPlan
        What the shard holds.
    fingerprint : str
        As given by `fingerprint_of`.
    rows_of_photos : iterable of ndarray of shape (crops, *row_shape)
        One for each photo of the plan, in its order.
    row_shape : tuple of int
        Shape of one row.
    dtype : dtype-like
        Of the rows.
    """
    shape = (plan.rows, *row_shape)
    with new_file(npy_path(folder, plan.name)) as part:
        tensor = np.lib.format.open_memmap(part, mode="w+", dtype=dtype, shape=shape)
        for position, rows in enumerate(rows_of_photos):
            tensor[position * plan.crops : (position + 1) * plan.crops] = rows
        tensor.flush()
        del tensor
        checksum = sha256_of(part)
    index = ShardIndex(
        fingerprint=fingerprint,
        crops=plan.crops,
        photos=[photo.content_hash for photo in plan.photos],
        shape=list(shape),
        dtype=np.dtype(dtype).name,
        sha256=checksum,
    )
    write_json(index_path(folder, plan.name), index.model_dump())


def remove_others(folder: Path, plans: Iterable[ShardPlan]) -> None:
    """Delete what no plan names: shards of photos that left, and parts that a killed run left behind."""
    wanted = {make(folder, plan.name) for plan in plans for make in (npy_path, index_path)}
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_file() and path not in wanted:
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()
