"""Small tensors that carry something to learn."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from tintype.data.tensors.plan import PhotoRef, ShardPlan
from tintype.data.tensors.shards import write_shard
from tintype.training.shard_set import ShardSet, open_split

SIZE, EMBEDDING = 32, 8


class Tensors:
    """Shards of made-up crops whose colour follows from the embedding."""

    def __init__(self, folder: Path) -> None:
        self.lab, self.embeddings = folder / "lab", folder / "embeddings"
        self.plans = [
            _plan("train", "0", 12),
            _plan("train", "1", 5),
            _plan("train", "2", 1),
            _plan("validation", "3", 4),
        ]
        random = np.random.default_rng(7)
        for plan in self.plans:
            vectors = random.normal(size=(plan.rows, EMBEDDING)).astype(np.float16)
            lab8 = random.integers(60, 200, (plan.rows, SIZE, SIZE, 3), dtype=np.uint8)
            lab8[..., 1] = np.where(vectors[:, 0] > 0, 158, 98)[:, None, None]
            lab8[..., 2] = 128
            shared = {"row_shape": lab8.shape[1:], "dtype": np.uint8}
            write_shard(self.lab, plan, {"format": 0}, lab8[:, None], **shared)
            write_shard(
                self.embeddings,
                plan,
                {"format": 0},
                vectors[:, None],
                row_shape=(EMBEDDING,),
                dtype=np.float16,
            )

    def split(self, name: str) -> ShardSet:
        return open_split(self.plans, name, self.lab, self.embeddings)


def _plan(split: str, bucket: str, photos: int) -> ShardPlan:
    hashes = sorted(
        hashlib.sha256(f"{split}{bucket}{number}".encode()).hexdigest() for number in range(photos)
    )
    return ShardPlan(
        split, bucket, tuple(PhotoRef(content_hash, f"{content_hash}.jpg") for content_hash in hashes), 1
    )


@pytest.fixture(scope="session")
def make_tensors() -> type[Tensors]:
    return Tensors


@pytest.fixture
def tensors(tmp_path: Path) -> Tensors:
    return Tensors(tmp_path)
