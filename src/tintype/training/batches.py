"""Batches from shards, without Python in the loop.

tf.data reads the rows of the `.npy` files as records of fixed length behind NumPy's header, so that decoding,
shuffling and batching run in its own threads: 2,600 photos a second at 256 pixels on two cores,
where a Python generator gave 220.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tintype.data.tensors.plan import ShardPlan
from tintype.data.tensors.shards import NPY_HEADER_BYTES, ShardError, npy_path, open_shard
from tintype.models.network import encode_ab
from tintype.training.scans import ScanParams, as_scans
from tintype.training.share import ALONE, Share
from tintype.training.survey import survey

SHUFFLE_BYTES = 256 * 2**20  # of rows held to shuffle among
READERS = 4  # shards read in turn


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


def batches(
    shards: ShardSet,
    batch_size: int,
    *,
    inputs: Sequence[str] = ("l", "embedding"),
    shuffle_seed: int | None = None,
    flip: bool = False,
    scans: float = 0.0,
    share: Share = ALONE,
) -> Any:
    """The rows of a split as a stream of batches.

    Parameters
    ----------
    shards : ShardSet
        From `open_split`.
    batch_size : int
        Rows in a batch, of all workers together; the last one may be smaller.
    inputs : sequence of str
        Which inputs the network takes.
    shuffle_seed : int, optional
        Shuffle anew in every epoch, from this seed. Without it rows come in the shards' order.
    flip : bool
        Mirror half of the rows, by the same seed.
    scans : float
        Strength of what old photos suffer, done to the lightness that the network sees; see `tintype.training.scans`.
    share : Share
        The piece of every batch that is wanted: same rows, mirrored and aged the same, whoever takes which piece.

    Returns
    -------
    tf.data.Dataset
        Pairs of inputs, of ``{"l": (B, size, size, 1), "embedding": (B, E)}`` those asked for, and target
        (B, size, size, 3), the true L* as 0..255 and ab in [-1, 1), all float32.
    """
    import tensorflow as tf

    old = ScanParams(strength=scans)
    row_bytes = shards.size * shards.size * 3
    steps = share.steps(shards.rows, batch_size)

    def records(lab: Any, embeddings: Any) -> Any:
        return tf.data.Dataset.zip(
            tf.data.FixedLengthRecordDataset(lab, row_bytes, header_bytes=NPY_HEADER_BYTES),
            tf.data.FixedLengthRecordDataset(
                embeddings, shards.embedding_size * 2, header_bytes=NPY_HEADER_BYTES
            ),
        )

    def decode(lab: Any, embeddings: Any) -> Any:
        mine = share.piece(tf.shape(lab)[0])
        lab8 = tf.reshape(tf.io.decode_raw(lab[mine], tf.uint8), (-1, shards.size, shards.size, 3))
        vectors = tf.reshape(tf.io.decode_raw(embeddings[mine], tf.float16), (-1, shards.embedding_size))
        return lab8, lab8[..., :1], tf.cast(vectors, tf.float32)

    def numbers_of(planes: NDArray[np.uint8]) -> range:
        first = share.rank * len(planes)
        return range(first, first + len(planes))

    def age(row: Any, seed: Any) -> Any:
        lab8, _, vectors = row
        aged = tf.numpy_function(
            lambda planes, number: as_scans(planes, old, seed=int(number), rows=numbers_of(planes)),
            (lab8, seed),
            tf.uint8,
        )
        return lab8, tf.ensure_shape(aged, (None, shards.size, shards.size, 1)), vectors

    def mirror(row: Any, seed: Any) -> Any:
        lab8, l8, vectors = row
        rows = tf.shape(lab8)[0] * share.workers
        drawn = tf.random.stateless_uniform((rows, 1, 1, 1), seed=tf.stack([seed, 0]))
        chosen = drawn[share.piece(rows)] < 0.5
        return *(tf.where(chosen, tf.reverse(planes, [2]), planes) for planes in (lab8, l8)), vectors

    def split(lab8: Any, l8: Any, vectors: Any) -> Any:
        planes = tf.cast(lab8, tf.float32)
        truth = tf.concat([planes[..., :1], encode_ab(planes[..., 1:])], axis=-1)
        given = {"l": tf.cast(l8, tf.float32), "embedding": vectors}
        return {name: given[name] for name in inputs}, truth

    paths = [list(map(str, files)) for files in (shards.lab, shards.embeddings)]
    stream = tf.data.Dataset.from_tensor_slices(tuple(paths))
    if shuffle_seed is not None:
        stream = stream.shuffle(len(shards.lab), seed=shuffle_seed)
    stream = stream.interleave(
        records, cycle_length=READERS, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
    )
    if shuffle_seed is not None:
        stream = stream.shuffle(
            min(shards.rows, max(batch_size, SHUFFLE_BYTES // row_bytes)), seed=shuffle_seed
        )
    stream = stream.batch(batch_size).take(steps).map(decode, num_parallel_calls=tf.data.AUTOTUNE)
    for number, change in enumerate(
        [change for change, wanted in ((age, scans > 0), (mirror, flip)) if wanted]
    ):
        seeds = tf.data.Dataset.random(seed=(shuffle_seed or 0) + number, rerandomize_each_iteration=True)
        stream = tf.data.Dataset.zip(stream, seeds).map(change, num_parallel_calls=tf.data.AUTOTUNE)
    stream = stream.map(split, num_parallel_calls=tf.data.AUTOTUNE)
    # Nothing in the stream says how many records the files hold, and Keras warns of data that ends unannounced.
    stream = stream.apply(tf.data.experimental.assert_cardinality(steps))
    return stream.prefetch(tf.data.AUTOTUNE)


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
    for row in survey(shards.lab):
        total += row[..., 1:].mean(axis=(0, 1), dtype=np.float64) - 128
        count += 1
    a, b = total / count
    return float(a), float(b)
