"""Shards: a plain `.npy` file and, beside it, an index that says what it holds; on disk or in an object store.

The index carries a checksum, because a flipped byte goes unnoticed by tools that trust modification times, and
the parameters that made the rows, so that rows made with others are never reused, and never learned from. The `.npy`
file is renamed into place first and its index after it: killed in between, the old index no longer fits the file and
the shard is made again.

In an object store the old index is deleted first and the new one put last, so that an index that is there tells the
truth, and a shard need not be read to be kept. Training fetches it and verifies the checksum.
"""

from __future__ import annotations

import math
import os
import re
import socket
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from tintype.data.tensors.plan import ShardPlan, crops_in
from tintype.errors import TintypeError
from tintype.files.atomic import new_file, write_json
from tintype.files.digest import sha256_of
from tintype.files.disk import check_free, reserve
from tintype.files.objects import Folder, ObjectFolder
from tintype.params import CropsParams

_SHARD = re.compile(r"(train|validation|test)/[0-9a-f]+\.(npy|json)")

NPY_HEADER_BYTES = 128  # what NumPy writes for arrays of up to about six axes; checked when a shard is opened


Parameters = Mapping[str, int | float | str]
_MADE_AGAIN = "Run `dvc repro`, or the stage that makes it: this shard is made again and no other."


class ShardError(TintypeError):
    """A shard is missing, broken or not the one that is needed."""


class ShardIndex(BaseModel):
    """What a shard's `.npy` file holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # Everything that a row depends on besides its photo and its crop.
    parameters: dict[str, int | float | str]
    crops: int  # rows of each photo
    photos: list[str]  # content hashes, in order
    shape: list[int]
    dtype: str
    sha256: str  # of the .npy file


def npy_path(folder: Path, name: str) -> Path:
    """Path of a shard's tensor file."""
    return folder / f"{name}.npy"


def index_path(folder: Path, name: str) -> Path:
    """Path of a shard's index."""
    return folder / f"{name}.json"


def read_index(folder: Folder, name: str) -> ShardIndex | None:
    """The index of a shard whose tensor file is there and intact, else None.

    None means that the shard has to be made; a shard that has to exist is opened by `open_shard`.
    """
    if isinstance(folder, ObjectFolder):
        return _index_in_store(folder, name)
    try:
        index = ShardIndex.model_validate_json(index_path(folder, name).read_bytes())
        intact = sha256_of(npy_path(folder, name)) == index.sha256
    except (FileNotFoundError, ValidationError):
        return None
    return index if intact else None


def _index_in_store(folder: ObjectFolder, name: str) -> ShardIndex | None:
    content = folder.read_bytes(f"{name}.json")
    if content is None:
        return None
    try:
        index = ShardIndex.model_validate_json(content)
    except ValidationError:
        return None
    size = NPY_HEADER_BYTES + math.prod(index.shape) * np.dtype(index.dtype).itemsize
    return index if folder.size_of(f"{name}.npy") == size else None


def open_shard(folder: Path, name: str) -> tuple[NDArray[Any], ShardIndex]:
    """A shard's rows, memory-mapped, after its checksum has been verified.

    Raises
    ------
    ShardError
        If the shard is missing or its bytes are not those that were written.
    """
    path = npy_path(folder, name)
    if not path.exists():
        raise ShardError(f"The shard {path} is missing. {_MADE_AGAIN}")
    index = described(path)
    if sha256_of(path) != index.sha256:
        raise ShardError(
            f"Expected the shard {path} with the checksum that its index gives, but its bytes have changed. Delete it. "
            f"{_MADE_AGAIN}"
        )
    rows = np.load(path, mmap_mode="r")
    if rows.offset != NPY_HEADER_BYTES:
        raise ShardError(f"Expected a header of {NPY_HEADER_BYTES} bytes in {path}. Received: {rows.offset}.")
    return rows, index


def described(shard: Path) -> ShardIndex:
    """What the index beside a `.npy` file says of it; the file's bytes are not looked at.

    Raises
    ------
    ShardError
        If the index is missing, or is none of this version of the program.
    """
    path = shard.with_suffix(".json")
    try:
        return ShardIndex.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise ShardError(
            f"The shard {shard} is there, but its index {path} is missing. {_MADE_AGAIN}"
        ) from None
    except ValidationError:
        raise ShardError(
            f"{path} is not an index of this version of Tintype. Delete it. {_MADE_AGAIN}"
        ) from None


def refuse_other_parameters(
    stage: str, shards: Iterable[Path], crops: CropsParams, **expected: int | float | str
) -> None:
    """Refuse shards that were made with other parameters than those that hold now.

    Parameters
    ----------
    stage : str
        That makes the shards.
    shards : iterable of Path
        `.npy` files, in folders named after their splits, each with its index.
    crops : CropsParams
        The crops.
    **expected
        What else is known of `ShardIndex.parameters`.

    Raises
    ------
    ShardError
        With the parameter, and both values.
    """
    for shard in shards:
        index = described(shard)
        made = {"crops": index.crops, **index.parameters}
        wanted = {
            "crops": crops_in(shard.parent.name, crops),
            "min_side_share": crops.min_side_share,
            **expected,
        }
        for name, value in wanted.items():
            if made.get(name) != value:
                raise ShardError(
                    f"Expected the shard {shard} to be made with {name} {value}, as params.yaml has it. Received: "
                    f"{name} {made.get(name)}. params.yaml changed while it was made. Run `dvc repro --force "
                    f"--single-item {stage}`, then `dvc repro`."
                )


def kept_rows(folder: Folder, plan: ShardPlan, parameters: Parameters) -> dict[str, NDArray[Any]]:
    """Rows that an earlier run made and that are still right.

    Returns
    -------
    dict
        Content hash of a photo to its rows, memory-mapped, of shape (crops, ...).
    """
    index = read_index(folder, plan.name)
    if index is None or index.parameters != parameters or index.crops != plan.crops:
        return {}
    if isinstance(folder, ObjectFolder):
        return _RowsInStore(folder, plan.name, index)
    return _by_photo(npy_path(folder, plan.name), index)


def _by_photo(path: Path, index: ShardIndex) -> dict[str, NDArray[Any]]:
    rows = np.load(path, mmap_mode="r")
    by_photo = rows.reshape(len(index.photos), index.crops, *rows.shape[1:])
    return dict(zip(index.photos, by_photo, strict=True))


class _RowsInStore(dict[str, NDArray[Any]]):
    """Rows that are fetched when the first of them is wanted; the rows of a complete shard never are."""

    def __init__(self, folder: ObjectFolder, name: str, index: ShardIndex) -> None:
        super().__init__(dict.fromkeys(index.photos, _NOT_FETCHED))
        self._folder, self._name, self._index = folder, name, index

    def __getitem__(self, photo: str) -> NDArray[Any]:
        if super().__getitem__(photo) is _NOT_FETCHED:
            with tempfile.TemporaryDirectory(prefix="tintype-") as scratch:
                copy = fetch_shard(self._folder, self._name, Path(scratch))
                for other, rows in _by_photo(copy, self._index).items():  # a mapped file outlives its name
                    if super().__getitem__(other) is _NOT_FETCHED:
                        self[other] = rows
        return super().__getitem__(photo)


_NOT_FETCHED = np.empty(0, np.uint8)


def fetch_shard(folder: ObjectFolder, name: str, destination: Path) -> Path:
    """Copy a shard out of an object store.

    Parameters
    ----------
    folder : ObjectFolder
        Folder of all shards of this kind.
    name : str
        Of the shard.
    destination : Path
        Folder to copy it into, tensor file and index.

    Returns
    -------
    Path
        The tensor file, its checksum verified.

    Raises
    ------
    ShardError
        If the shard is missing or its bytes are not those that were written.
    """
    for make in (npy_path, index_path):
        path = make(destination, name)
        if folder.size_of(path.relative_to(destination).as_posix()) is None:
            raise ShardError(
                f"Expected the shard {name} in {folder}, but it is not there. Run the stage that makes it."
            )
        with new_file(path) as part:
            folder.fetch(path.relative_to(destination).as_posix(), part)
    if read_index(destination, name) is None:
        raise ShardError(
            f"Expected the shard {name} in {folder} with the checksum that its index gives, but its bytes have "
            f"changed. Delete {name}.npy there and run the stage that makes it."
        )
    return npy_path(destination, name)


def is_complete(kept: Mapping[str, Any], plan: ShardPlan) -> bool:
    """Whether the rows kept are exactly those planned, so that there is nothing to write."""
    return list(kept) == [photo.content_hash for photo in plan.photos]


def write_shard(
    folder: Folder,
    plan: ShardPlan,
    parameters: Parameters,
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
    parameters : mapping
        As in `ShardIndex`.
    rows_of_photos : iterable of ndarray of shape (crops, *row_shape)
        One for each photo of the plan, in its order.
    row_shape : tuple of int
        Shape of one row.
    dtype : dtype-like
        Of the rows.
    """
    if isinstance(folder, ObjectFolder):
        with tempfile.TemporaryDirectory(prefix="tintype-") as scratch:
            write_shard(Path(scratch), plan, parameters, rows_of_photos, row_shape=row_shape, dtype=dtype)
            _put_shard(folder, plan.name, Path(scratch))
        return
    shape, dtype = (plan.rows, *row_shape), np.dtype(dtype)
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    with new_file(npy_path(folder, plan.name), mark=_mark(), durable=True) as part:
        # Room for all of it before the first photo is computed. Nothing is mapped: a mapped file on a full disk ends
        # the process with SIGBUS, without a word.
        reserve(part, shard_bytes(plan, row_shape, dtype))
        with part.open("r+b") as file:
            np.lib.format.write_array_header_1_0(file, header)
            for _, rows in zip(plan.photos, rows_of_photos, strict=True):
                file.write(np.ascontiguousarray(np.broadcast_to(rows, (plan.crops, *row_shape)), dtype).data)
        checksum = sha256_of(part)
    index = ShardIndex(
        parameters=dict(parameters),
        crops=plan.crops,
        photos=[photo.content_hash for photo in plan.photos],
        shape=list(shape),
        dtype=dtype.name,
        sha256=checksum,
    )
    write_json(index_path(folder, plan.name), index.model_dump(), durable=True)


def shard_bytes(plan: ShardPlan, row_shape: tuple[int, ...], dtype: Any) -> int:
    """How large a shard's tensor file is."""
    return NPY_HEADER_BYTES + plan.rows * math.prod(row_shape) * np.dtype(dtype).itemsize


def check_room(
    what: str, folder: Folder, plans: Sequence[ShardPlan], row_shape: tuple[int, ...], dtype: Any
) -> None:
    """Refuse to begin with shards that will not fit, beside those of them that are there already.

    Raises
    ------
    DiskError
        If less is free than they need.
    """
    if isinstance(folder, ObjectFolder):
        return
    needed = sum(shard_bytes(plan, row_shape, dtype) for plan in plans)
    there = sum(path.stat().st_size for plan in plans if (path := npy_path(folder, plan.name)).is_file())
    check_free(folder, needed - there, f"The stage `{what}`")


def _mark() -> str:
    """Tells apart the temporary files of machines that share a folder."""
    return f"{socket.gethostname()}-{os.getpid()}"


def _put_shard(folder: ObjectFolder, name: str, source: Path) -> None:
    folder.delete(f"{name}.json")
    folder.put(f"{name}.npy", npy_path(source, name))
    folder.put(f"{name}.json", index_path(source, name))


def remove_others(folder: Folder, plans: Iterable[ShardPlan]) -> None:
    """Delete what no plan names: shards of photos that were removed, and parts that a killed run left behind.

    A prefix in an object store may hold other things too, so only objects with a shard's name are deleted there.
    """
    if isinstance(folder, ObjectFolder):
        names = {f"{plan.name}.{suffix}" for plan in plans for suffix in ("npy", "json")}
        for name in folder.names():
            if name not in names and _SHARD.fullmatch(name):
                folder.delete(name)
        return
    wanted = {make(folder, plan.name) for plan in plans for make in (npy_path, index_path)}
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_file() and path not in wanted:
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()
