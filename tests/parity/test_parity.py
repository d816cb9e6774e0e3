"""What a network is trained on is what it is asked about: equal tensors, not close ones."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tintype.colorize import Colorizer
from tintype.data.tensors.embed import make_embeddings
from tintype.data.tensors.lab import make_lab
from tintype.data.tensors.plan import plan_shards
from tintype.data.tensors.shards import open_shard
from tintype.files.digest import sha256_of
from tintype.formats.photo import read_photo
from tintype.imaging.finding import find_photos
from tintype.models.backbone import Backbone
from tintype.params import CropsParams, LabParams

CROPS = CropsParams(per_photo=1, min_side_share=0.5)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory, odd_photos: Path, sample: Path) -> Path:
    """The odd photos, two ordinary ones and a large one."""
    folder = tmp_path_factory.mktemp("parity") / "photos"
    shutil.copytree(odd_photos, folder)
    for name in ("cat.jpg", "coffee.jpg"):
        shutil.copy(sample / name, folder)
    with Image.open(sample / "coffee.jpg") as picture:  # larger than a strip
        picture.resize((1733, 1201)).save(folder / "large.jpg")
    return folder


@pytest.fixture(scope="module")
def manifest(photos: Path) -> pd.DataFrame:
    rows = [(path.name, sha256_of(path), "0", "train") for path in find_photos(photos)]
    return pd.DataFrame(rows, columns=["path", "content_hash", "bucket", "split"])


@pytest.fixture(scope="module")
def backbone(embedded_backbone: Backbone) -> Backbone:
    return embedded_backbone


@pytest.fixture(scope="module")
def seen_by_backbone() -> list[np.ndarray]:
    return []


@pytest.fixture(scope="module")
def precomputed(
    photos: Path,
    manifest: pd.DataFrame,
    backbone: Backbone,
    seen_by_backbone: list[np.ndarray],
    report_bundle: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Lab rows and embeddings from the two stages' own functions, and the photos' names in the rows' order."""
    folder = tmp_path_factory.mktemp("tensors")
    plans = plan_shards(manifest, CROPS)
    make_lab(plans, photos, folder / "lab", CROPS, LabParams(size=48, workers=1))

    def embed(gray8: np.ndarray) -> np.ndarray:
        seen_by_backbone.extend(gray8)
        return backbone.embed(gray8, 8)

    make_embeddings(
        plans,
        photos,
        folder / "embeddings",
        CROPS,
        embed=embed,
        input_size=backbone.spec.input_size,
        embedding_size=backbone.spec.embedding_size,
        backbone_sha256=backbone.spec.sha256,
        batch_size=8,
    )
    lab, _ = open_shard(folder / "lab", plans[0].name)
    embeddings, _ = open_shard(folder / "embeddings", plans[0].name)
    return lab, embeddings, [photo.path for photo in plans[0].photos]


def test_the_tensors_of_odd_photos_are_equal(
    precomputed: tuple[np.ndarray, np.ndarray, list[str]],
    seen_by_backbone: list[np.ndarray],
    report_bundle: Path,
    photos: Path,
) -> None:
    lab, embeddings, names = precomputed
    colorizer = Colorizer.load(report_bundle)
    assert len(names) == len(find_photos(photos)) >= 17
    for row, gray, embedding, name in zip(lab, seen_by_backbone, embeddings, names, strict=True):
        l8, gray8 = colorizer.prepare(read_photo(photos / name).pixels)
        np.testing.assert_array_equal(l8, row[..., :1], err_msg=name)
        np.testing.assert_array_equal(gray8, gray, err_msg=name)
        # At another batch size a sum may run in another order: half precision's last place, and no more.
        alone = colorizer.embed(gray8[np.newaxis])[0]
        np.testing.assert_allclose(alone, embedding, rtol=2**-9, atol=2**-9, err_msg=name)
    eight = colorizer.embed(np.stack(seen_by_backbone[:8]))
    np.testing.assert_array_equal(eight, embeddings[:8])


def test_two_different_photos_have_clearly_different_embeddings(
    precomputed: tuple[np.ndarray, np.ndarray, list[str]],
) -> None:
    _, embeddings, names = precomputed
    by_name = dict(zip(names, embeddings.astype(np.float64), strict=True))
    cat, coffee, gray_cat = by_name["cat.jpg"], by_name["coffee.jpg"], by_name["gray.jpg"]

    def cosine(a: np.ndarray, b: np.ndarray) -> float:
        return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))

    assert cosine(cat, coffee) < 0.7
    assert cosine(cat, gray_cat) > 0.98
