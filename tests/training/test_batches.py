from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from tintype.data.tensors.shards import ShardError, npy_path
from tintype.training.batches import batches
from tintype.training.shard_set import first_rows, mean_ab


def rows_of(stream: Any) -> list[tuple[bytes, bytes, bytes]]:
    """Each row of a stream as bytes: lightness, embedding, target."""
    return [
        (l8.tobytes(), vector.tobytes(), truth.tobytes())
        for inputs, target in stream.as_numpy_iterator()
        for l8, vector, truth in zip(inputs["l"], inputs["embedding"], target, strict=True)
    ]


def truth_of(row: np.ndarray) -> np.ndarray:
    """The target of a Lab row as floats: L* as it is, ab in units of the network."""
    return np.concatenate([row[..., :1], (row[..., 1:] - 128) / 128], axis=-1)


def test_the_stream_is_the_shards_rows_each_with_its_own_embedding(tensors: Any) -> None:
    train = tensors.split("train")
    expected = []
    for lab_file, embedding_file in zip(train.lab, train.embeddings, strict=True):
        lab8, vectors = np.load(lab_file).astype(np.float32), np.load(embedding_file).astype(np.float32)
        expected += [
            (row[..., :1].tobytes(), vector.tobytes(), truth_of(row).tobytes())
            for row, vector in zip(lab8, vectors, strict=True)
        ]
    assert train.rows == 18
    assert Counter(rows_of(batches(train, 4))) == Counter(expected)
    assert Counter(rows_of(batches(train, 4, shuffle_seed=1))) == Counter(expected)


def test_shuffles_anew_in_every_epoch_and_the_same_for_one_seed(tensors: Any) -> None:
    train = tensors.split("train")
    stream = batches(train, 4, shuffle_seed=1)
    first, second = rows_of(stream), rows_of(stream)
    assert first != second
    assert rows_of(batches(train, 4, shuffle_seed=1)) == first
    assert rows_of(batches(train, 4, shuffle_seed=2)) != first


def test_flips_about_half_of_the_rows_and_their_targets_with_them(tensors: Any) -> None:
    train = tensors.split("train")
    plain = {l8: target for l8, _, target in rows_of(batches(train, 4))}
    flipped = 0
    for l8, _, target in rows_of(batches(train, 4, shuffle_seed=1, flip=True)):
        if l8 in plain:
            continue
        flipped += 1
        mirrored = np.frombuffer(l8, np.float32).reshape(32, 32)[:, ::-1].tobytes()
        assert mirrored in plain
        was = np.frombuffer(plain[mirrored], np.float32).reshape(32, 32, 3)
        np.testing.assert_array_equal(np.frombuffer(target, np.float32).reshape(32, 32, 3), was[:, ::-1])
    assert 3 <= flipped <= 15


def test_only_the_inputs_that_the_network_takes_are_there(tensors: Any) -> None:
    inputs, target = next(iter(batches(tensors.split("train"), 4, inputs=("l",)).as_numpy_iterator()))
    assert set(inputs) == {"l"}
    assert target.shape == (4, 32, 32, 3)


def test_scans_change_the_lightness_that_is_seen_and_nothing_else(tensors: Any) -> None:
    train = tensors.split("train")
    plain, old = (rows_of(batches(train, 4, shuffle_seed=1, scans=scans)) for scans in (0.0, 1.0))
    assert [row[1:] for row in old] == [row[1:] for row in plain]  # truth and embedding, in the same order
    changed = sum(ours[0] != theirs[0] for ours, theirs in zip(old, plain, strict=True))
    assert 3 <= changed <= 18


def test_scans_are_the_same_for_one_seed_and_others_in_every_epoch(tensors: Any) -> None:
    train = tensors.split("train")
    stream = batches(train, 4, shuffle_seed=1, flip=True, scans=1.0)
    first, second = rows_of(stream), rows_of(stream)
    assert rows_of(batches(train, 4, shuffle_seed=1, flip=True, scans=1.0)) == first
    seen_first, seen_second = ({l8 for l8, _, _ in rows} for rows in (first, second))
    assert len(seen_first & seen_second) < 18


def test_a_scanned_row_is_mirrored_as_a_whole(tensors: Any) -> None:
    """The truth's own lightness goes with its colours, and the scan is one of that lightness."""
    train = tensors.split("train")
    for l8, _, truth in rows_of(batches(train, 4, shuffle_seed=1, flip=True, scans=0.2)):
        seen = np.frombuffer(l8, np.float32).reshape(32, 32)
        true = np.frombuffer(truth, np.float32).reshape(32, 32, 3)[..., 0]
        straight, mirrored = np.abs(seen - true).mean(), np.abs(seen[:, ::-1] - true).mean()
        assert straight < mirrored


def test_a_damaged_shard_stops_training_before_it_starts(tensors: Any) -> None:
    victim = npy_path(tensors.lab, "train/1")
    content = bytearray(victim.read_bytes())
    content[-1] ^= 1
    victim.write_bytes(content)
    with pytest.raises(ShardError, match="its bytes have changed"):
        tensors.split("train")


def test_shards_of_other_photos_are_refused(tensors: Any) -> None:
    for suffix in (".npy", ".json"):
        source = tensors.embeddings / f"train/0{suffix}"
        source.replace(tensors.embeddings / f"train/1{suffix}")
    with pytest.raises(ShardError):
        tensors.split("train")


def test_mean_ab_is_the_mean_over_all_rows(tensors: Any) -> None:
    train = tensors.split("train")
    lab8, _ = first_rows(train, train.rows)
    np.testing.assert_allclose(mean_ab(train), lab8[..., 1:].mean(axis=(0, 1, 2)) - 128, atol=1e-9)


def test_first_rows_come_in_order_and_no_more_than_there_are(tensors: Any) -> None:
    train = tensors.split("train")
    assert [len(part) for part in first_rows(train, 14)] == [14, 14]
    assert [len(part) for part in first_rows(train, 99)] == [18, 18]
