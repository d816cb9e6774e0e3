"""A folder of sample photos to spoil, and manifests made of nothing but facts."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tintype.data.validation.inspection import Facts
from tintype.params import ValidateParams, load_params

PROJECT = Path(__file__).parents[3]
SAMPLE = PROJECT / "data" / "sample"


@pytest.fixture(scope="session")
def params() -> ValidateParams:
    """Fixed thresholds, so that a change of params.yaml changes no test."""
    return load_params(PROJECT / "params.yaml").validate_.model_copy(
        update={
            "min_side": 64,
            "min_chroma": 2.0,
            "min_hash_distance": 8,
            "max_rejected_share": 0.2,
            "bucket_digits": 1,
            "validation_share": 0.15,
            "test_share": 0.2,
            "split_seed": 0,
        }
    )


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with the 20 sample photos."""
    folder = tmp_path / "raw" / "photos"
    folder.mkdir(parents=True)
    for photo in SAMPLE.glob("*.jpg"):
        shutil.copy(photo, folder)
    return folder


@pytest.fixture(scope="session")
def make_facts() -> Callable[..., Facts]:
    """Facts of an imaginary photo, different in all hashes for each name."""

    def make(name: str, **changes: Any) -> Facts:
        digest = hashlib.sha256(name.encode()).hexdigest()
        balanced = np.random.default_rng(int(digest[:8], 16)).permutation(np.repeat([0, 1], 32))
        facts: dict[str, Any] = {
            "path": name,
            "content_hash": digest,
            "pixel_hash": digest[::-1],
            "perceptual_hash": np.packbits(balanced).tobytes().hex(),
            "frequency_signs": np.random.default_rng(int(digest[8:16], 16)).bytes(64),
            "format": "JPEG",
            "mode": "RGB",
            "width": 640,
            "height": 480,
            "bytes": 50_000,
            "mean_l": 50.0,
            "mean_chroma": 20.0,
            "label": "",
        }
        return Facts(**facts | changes)

    return make
