"""Embeddings of the gray crops.

Photos are decoded by threads while the backbone works on the batches before. Batches run across shards, so
small shards cost no half-empty batches; a shard is written as soon as its last row is there.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from tintype.data.tensors.crops import lightness_crops, one_thread_a_photo
from tintype.data.tensors.lab import PhotoCounts
from tintype.data.tensors.plan import PhotoRef, ShardPlan
from tintype.data.tensors.shards import (
    Parameters,
    check_room,
    is_complete,
    kept_rows,
    remove_others,
    write_shard,
)
from tintype.files.objects import Folder
from tintype.imaging.inputs import backbone_gray8
from tintype.params import CropsParams

FORMAT = 4  # raise when the same parameters give other bytes than before

Item = TypeVar("Item")
Result = TypeVar("Result")
Embed = Callable[[NDArray[np.uint8]], NDArray[np.float16]]


def make_embeddings(
    plans: Sequence[ShardPlan],
    photos: Path,
    folder: Folder,
    crops: CropsParams,
    *,
    embed: Embed,
    input_size: int,
    embedding_size: int,
    backbone_sha256: str,
    batch_size: int,
    precision: str = "float32",
    at_once: int = 1,
    prune: bool = True,
) -> PhotoCounts:
    """Bring the embedding shards in `folder` up to date with the plans.

    Parameters
    ----------
    plans : sequence of ShardPlan
        All shards, or with `prune` false some of them.
    photos : Path
        Folder that the plans' paths start from.
    folder : Path or ObjectFolder
        The shards' folder. Shards there that are still right are kept, others replaced or removed.
    crops : CropsParams
        The crops.
    embed : callable
        The backbone: uint8 of shape (n, input_size, input_size, 1) to float16 of shape (n, embedding_size).
    input_size, embedding_size : int
        Of the backbone.
    backbone_sha256 : str
        Names the backbone; embeddings of another one are never kept.
    batch_size : int
        Crops in one call of `embed`.
    precision : str
        What `embed` computes in; embeddings of another precision are never kept.
    at_once : int
        Calls of `embed` at a time, each from a thread of its own.
    prune : bool
        Remove shards that are not in the plans.

    Returns
    -------
    PhotoCounts
        Over all shards.
    """
    if prune:
        remove_others(folder, plans)
        check_room("embed", folder, plans, (embedding_size,), np.float16)
    parameters: Parameters = {
        "format": FORMAT,
        "backbone": backbone_sha256,
        "precision": precision,
        "min_side_share": crops.min_side_share,
    }
    total = sum(len(plan.photos) for plan in plans)
    with tqdm(total=total, desc="embed", unit=" photos", disable=None) as progress, one_thread_a_photo():
        shards = _Shards(folder, parameters, embedding_size, progress)
        load = partial(_load, photos, crops.min_side_share, input_size)
        loaded = _ahead(load, shards.missing(plans), threads=os.cpu_count() or 1, depth=batch_size)
        batches = _batches(_single_crops(loaded), batch_size)
        for batch, vectors in _ahead(partial(_embed, embed), batches, threads=at_once, depth=at_once + 1):
            for (shard, photo, _), vector in zip(batch, vectors, strict=True):
                shards.add(shard, photo, vector)
            shards.write_finished()
        shards.write_finished()  # those that lost photos and gained none
    return shards.made


class _Shard:
    """A shard in the making: the rows it has, and vectors of photos whose crops are not all there yet."""

    def __init__(self, plan: ShardPlan, rows: dict[str, NDArray[Any]]) -> None:
        self.plan = plan
        self.rows = rows
        self.pending: dict[str, list[NDArray[np.float16]]] = {}

    @property
    def finished(self) -> bool:
        return all(photo.content_hash in self.rows for photo in self.plan.photos)


_Crop = tuple[_Shard, PhotoRef, NDArray[np.uint8]]  # one or, from a photo just loaded, all of them


class _Shards:
    """All shards: which photos they lack, and the rows that arrive for them, in the order of the plans."""

    def __init__(self, folder: Folder, parameters: Parameters, embedding_size: int, progress: Any) -> None:
        self.made = PhotoCounts(0, 0)
        self._folder, self._parameters = folder, parameters
        self._embedding_size, self._progress = embedding_size, progress
        self._waiting: deque[_Shard] = deque()

    def missing(self, plans: Sequence[ShardPlan]) -> Iterator[tuple[_Shard, PhotoRef]]:
        """The photos of each shard for which no earlier run has left a row."""
        for plan in plans:
            shard = _Shard(plan, kept_rows(self._folder, plan, self._parameters))
            todo = [photo for photo in plan.photos if photo.content_hash not in shard.rows]
            kept = len(plan.photos) - len(todo)
            self.made += PhotoCounts(len(todo), kept)
            self._progress.update(kept)
            if not is_complete(shard.rows, plan):
                self._waiting.append(shard)
            for photo in todo:
                yield shard, photo

    def add(self, shard: _Shard, photo: PhotoRef, vector: NDArray[np.float16]) -> None:
        """Take the embedding of a photo's next crop; with its last one, the photo has its row."""
        vectors = shard.pending.setdefault(photo.content_hash, [])
        vectors.append(vector)
        if len(vectors) == shard.plan.crops:
            shard.rows[photo.content_hash] = np.stack(shard.pending.pop(photo.content_hash))
            self._progress.update()

    def write_finished(self) -> None:
        """Write the shards at the front that have all their rows."""
        while self._waiting and self._waiting[0].finished:
            shard = self._waiting.popleft()
            rows = (shard.rows[photo.content_hash] for photo in shard.plan.photos)
            write_shard(
                self._folder,
                shard.plan,
                self._parameters,
                rows,
                row_shape=(self._embedding_size,),
                dtype=np.float16,
            )


def _load(photos: Path, min_side_share: float, input_size: int, missing: tuple[_Shard, PhotoRef]) -> _Crop:
    shard, photo = missing
    parts = lightness_crops(photos, photo, shard.plan.crops, min_side_share)
    return shard, photo, np.stack([backbone_gray8(part, input_size) for part in parts])


def _embed(embed: Embed, batch: list[_Crop]) -> tuple[list[_Crop], NDArray[np.float16]]:
    return batch, embed(np.stack([gray for _, _, gray in batch]))


def _ahead(
    work: Callable[[Item], Result], items: Iterable[Item], *, threads: int, depth: int
) -> Iterator[Result]:
    """Results of `work` in order, computed by threads up to `depth` items ahead of the one that is asked for."""
    with ThreadPoolExecutor(threads) as pool:
        futures: deque[Future[Result]] = deque()
        try:
            for item in items:
                futures.append(pool.submit(work, item))
                if len(futures) >= depth:
                    yield futures.popleft().result()
            while futures:
                yield futures.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def _single_crops(photos: Iterable[_Crop]) -> Iterator[_Crop]:
    for shard, photo, crops in photos:
        for crop in crops:
            yield shard, photo, crop


def _batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    batch: list[Item] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
