"""The verified shards of a split, and figures of their rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tintype.data.tensors.plan import ShardPlan
from tintype.data.tensors.shards import ShardError, npy_path, open_shard
from tintype.models.bins import ab_bins, nearest_bin

SAMPLED = 50_000  # rows, about, at most: millions more take hours and change no digit that is shown
STRIDE = 4  # every fourth pixel of a row and a column: neighbours are alike


@dataclass(frozen=True)
class ShardSet:
    """The verified shards of one split.

    Attributes
    ----------
    lab, embeddings : list of Path
        Tensor files, pairwise with the same rows.
    rows : int
        Over all shards.
    size : int
        Side of a Lab row in pixels.
    embedding_size : int
        Length of an embedding.
    """

    lab: list[Path]
    embeddings: list[Path]
    rows: int
    size: int
    embedding_size: int


def open_split(plans: list[ShardPlan], split: str, lab: Path, embeddings: Path) -> ShardSet:
    """Open the shards of one split and verify their checksums.

    Raises
    ------
    ShardError
        If a shard is missing or damaged, or the two folders do not hold the same rows.
    """
    lab_files, embedding_files, rows = [], [], 0
    lab_shape: tuple[int, ...] = ()
    embedding_shape: tuple[int, ...] = ()
    for plan in (plan for plan in plans if plan.split == split):
        lab_rows, lab_index = open_shard(lab, plan.name)
        embedding_rows, embedding_index = open_shard(embeddings, plan.name)
        wanted = ([photo.content_hash for photo in plan.photos], plan.crops)
        if any((index.photos, index.crops) != wanted for index in (lab_index, embedding_index)):
            raise ShardError(
                f"Expected the photos of the manifest in the shards {plan.name} of {lab} and {embeddings}, "
                "but they hold others. Run `dvc repro`."
            )
        lab_files.append(npy_path(lab, plan.name))
        embedding_files.append(npy_path(embeddings, plan.name))
        rows += len(lab_rows)
        lab_shape, embedding_shape = lab_rows.shape, embedding_rows.shape
    return ShardSet(lab_files, embedding_files, rows, lab_shape[1], embedding_shape[1])


def first_rows(shards: ShardSet, count: int) -> tuple[NDArray[np.uint8], NDArray[np.float16]]:
    """The first rows of a split.

    Returns
    -------
    lab8 : ndarray of shape (n, size, size, 3), uint8
    embeddings : ndarray of shape (n, E), float16
    """
    lab8: list[NDArray[np.uint8]] = []
    embeddings: list[NDArray[np.float16]] = []
    for lab_file, embedding_file in zip(shards.lab, shards.embeddings, strict=True):
        lab8.append(np.load(lab_file, mmap_mode="r")[:count])
        embeddings.append(np.load(embedding_file, mmap_mode="r")[:count])
        if sum(len(rows) for rows in lab8) >= count:
            break
    return np.concatenate(lab8)[:count], np.concatenate(embeddings)[:count]


def mean_ab(shards: ShardSet) -> tuple[float, float]:
    """Mean a* and b* of a split's rows, in Lab units: the best single colour to guess.

    Of some 50,000 rows if there are more.
    """
    total, count = np.zeros(2), 0
    for row in sample_rows(shards.lab):
        total += row[..., 1:].mean(axis=(0, 1), dtype=np.float64) - 128
        count += 1
    a, b = total / count
    return float(a), float(b)


def sample_rows(shards: Sequence[Path], most: int = SAMPLED) -> Iterator[NDArray[Any]]:
    """Rows of `.npy` files in order, evenly spaced where there are more than `most`.

    Parameters
    ----------
    shards : sequence of Path
        Tensor files, such as a split's `ShardSet.lab`.
    most : int
        Up to so many rows, every one is given; of more, every second, third and so on of each shard.

    Yields
    ------
    ndarray
        One row, memory-mapped: a shard need not fit into memory.
    """
    rows = sum(len(np.load(path, mmap_mode="r")) for path in shards)
    step = max(1, -(-rows // most))
    for path in shards:
        yield from np.load(path, mmap_mode="r")[::step]


def class_prior(shards: list[Path]) -> NDArray[np.float64]:
    """Share of each bin among the pixels of Lab shards, of some 50,000 rows if there are more.

    Parameters
    ----------
    shards : list of Path
        Lab tensor files, such as a split's `ShardSet.lab`.

    Returns
    -------
    ndarray of shape (Q,), float64
        For the bins of `tintype.models.bins.ab_bins`; sums to 1.
    """
    bins = ab_bins()
    counts = np.zeros(len(bins), np.int64)
    for row in sample_rows(shards):
        ab = row[::STRIDE, ::STRIDE, 1:].astype(np.float32) - 128
        counts += np.bincount(nearest_bin(ab, bins).ravel(), minlength=len(bins))
    return counts / counts.sum()
