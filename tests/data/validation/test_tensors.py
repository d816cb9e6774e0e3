"""Sound tensors pass; zeros, NaN, wrong scales and swapped planes do not."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tintype.data.validation.checkpoint import check
from tintype.data.validation.rules import Table
from tintype.data.validation.tensors import (
    TensorError,
    check_tensors,
    embedding_statistics,
    embedding_table,
    lab_statistics,
    lab_table,
)
from tintype.formats.photo import read_photo
from tintype.imaging.finding import find_photos
from tintype.imaging.inputs import network_lab8
from tintype.imaging.lab import rgb_to_lab

SAMPLE = Path(__file__).parents[3] / "data" / "sample"


@pytest.fixture(scope="module")
def tensor() -> NDArray[np.uint8]:
    """Lab of six sample photos, (6, 32, 32, 3)."""
    return np.stack(
        [network_lab8(rgb_to_lab(read_photo(path).rgb8), 32) for path in find_photos(SAMPLE)[2:8]]
    )


@pytest.fixture(scope="module")
def embedding() -> NDArray[np.float16]:
    """Embeddings of 50 imaginary photos."""
    return np.random.default_rng(0).normal(1, 0.5, size=(50, 40)).astype(np.float16)


def saved(folder: Path, *tensors: NDArray[np.generic]) -> list[Path]:
    paths = [folder / "train" / f"{number}.npy" for number in range(len(tensors))]
    paths[0].parent.mkdir(parents=True)
    for path, tensor in zip(paths, tensors, strict=True):
        np.save(path, tensor)
    return paths


def failures(table: Table) -> list[str]:
    return [outcome.sentence for outcome in check([table]) if outcome.received is not None]


def test_lab_facts(tmp_path: Path, tensor: NDArray[np.uint8]) -> None:
    statistics = lab_statistics(saved(tmp_path, tensor[:4], tensor[4:]))
    assert list(statistics["shard"]) == ["train/0", "train/1"]
    assert list(statistics["rows"]) == [4, 2]
    assert set(statistics["shape"]) == {"32x32x3"}
    chroma = np.hypot(tensor[:4, ..., 1].astype(float) - 128, tensor[:4, ..., 2].astype(float) - 128)
    assert statistics["mean_chroma"][0] == pytest.approx(chroma.mean(), rel=1e-4)
    assert statistics["a_high"][1] == tensor[4:, ..., 1].max()
    assert failures(lab_table(statistics, 32)) == []


def test_all_of_srgb_is_in_range(tmp_path: Path) -> None:
    levels = np.arange(0, 256, 17, dtype=np.uint8)
    cube = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(64, 64, 3)
    statistics = lab_statistics(saved(tmp_path, network_lab8(rgb_to_lab(cube), 64)[np.newaxis]))
    assert failures(lab_table(statistics, 64)) == []


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda tensor: tensor.astype(np.float32), "expected bytes"),
        (lambda tensor: tensor[:, :16], "expected rows of shape 32x32x3"),
        (lambda tensor: tensor[..., 0], "expected statistics for every shard"),
        (lambda tensor: tensor[:0], "expected at least one row"),
        (lambda tensor: tensor[..., ::-1], "expected b_low from 20 to 223"),
        (np.zeros_like, "expected lightness to vary"),
        (
            lambda tensor: np.where([True, False, False], tensor, 128).astype(np.uint8),
            "expected a mean chroma of at least 1",
        ),
    ],
    ids=["float", "shape", "planes", "empty", "swapped", "zeros", "gray"],
)
def test_spoilt_lab_fails(
    tmp_path: Path,
    tensor: NDArray[np.uint8],
    spoil: Callable[[NDArray[np.uint8]], NDArray[np.generic]],
    words: str,
) -> None:
    statistics = lab_statistics(saved(tmp_path, spoil(tensor)))
    assert any(re.search(words, failure) for failure in failures(lab_table(statistics, 32)))


def test_embedding_facts(tmp_path: Path, embedding: NDArray[np.float16]) -> None:
    statistics = embedding_statistics(saved(tmp_path, embedding[:30], embedding[30:]))
    assert len(statistics) == 50
    exact = embedding.astype(float)
    mean = exact.mean(axis=0)
    spread = np.linalg.norm(exact - mean, axis=1) / np.linalg.norm(mean)
    np.testing.assert_allclose(statistics["spread"], spread, rtol=1e-4)
    np.testing.assert_allclose(statistics["length"], np.linalg.norm(exact, axis=1), rtol=1e-4)
    assert failures(embedding_table(statistics)) == []


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda vectors: np.where(np.arange(40) == 7, np.nan, vectors), "no NaN .* 50 of 100"),
        (lambda vectors: np.where(np.arange(40) == 7, np.inf, vectors), "no NaN .* 50 of 100"),
        (np.zeros_like, "every embedding to be other than zero"),
    ],
    ids=["nan", "infinite", "zeros"],
)
def test_spoilt_embeddings_fail(
    tmp_path: Path,
    embedding: NDArray[np.float16],
    spoil: Callable[[NDArray[np.float16]], NDArray[np.floating]],
    words: str,
) -> None:
    statistics = embedding_statistics(saved(tmp_path, embedding, spoil(embedding).astype(np.float16)))
    assert any(re.search(words, failure) for failure in failures(embedding_table(statistics)))


def test_nearly_constant_embeddings_fail(tmp_path: Path, embedding: NDArray[np.float16]) -> None:
    flat = (1 + (embedding - 1) * np.float16(0.01)).astype(np.float16)
    [failure] = failures(embedding_table(embedding_statistics(saved(tmp_path, flat))))
    assert re.search(r"embeddings to differ between photos.*; received: 0\.0", failure)


def test_failures_stop_the_stage_in_words_and_leave_a_verdict(
    tmp_path: Path, tensor: NDArray[np.uint8], embedding: NDArray[np.float16]
) -> None:
    lab = saved(tmp_path / "lab", tensor)
    good, bad = saved(tmp_path / "good", embedding), saved(tmp_path / "bad", np.zeros_like(embedding))
    check_tensors(lab, good, 32, tmp_path / "report")
    assert json.loads((tmp_path / "report/verdict.json").read_text())["success"] is True
    with pytest.raises(
        TensorError, match=r"not fit to train on: 2 expectations failed(.|\n)*other than zero"
    ):
        check_tensors(lab, bad, 32, tmp_path / "report")
    verdict = json.loads((tmp_path / "report/verdict.json").read_text())
    assert (verdict["success"], verdict["failures"], verdict["rows"]) == (False, 2, len(tensor))
    assert (tmp_path / "report/docs/index.html").is_file()
