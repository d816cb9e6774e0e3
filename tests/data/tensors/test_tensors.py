"""Both kinds of shards: what they hold, what is kept, and what a kill leaves behind."""

from __future__ import annotations

import resource
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tintype.data.tensors import lab as lab_stage
from tintype.data.tensors.embed import make_embeddings
from tintype.data.tensors.lab import PhotoCounts, make_lab, make_lab_shard
from tintype.data.tensors.plan import ShardPlan, plan_shards
from tintype.data.tensors.shards import (
    ShardError,
    npy_path,
    open_shard,
    refuse_other_parameters,
    remove_others,
)
from tintype.files.digest import sha256_of
from tintype.files.disk import DiskError
from tintype.formats.photo import read_photo
from tintype.imaging.finding import find_photos
from tintype.imaging.geometry import photo_crops
from tintype.imaging.inputs import backbone_gray8, network_lab8
from tintype.imaging.lab import rgb_to_lab
from tintype.imaging.limits import PhotoError
from tintype.params import CropsParams, LabParams
from tintype.stages.causes import sentence_of

SIZE = 32
LAB = LabParams(size=SIZE, workers=1)
BATCH = 4


def manifest_of(photos: Path) -> pd.DataFrame:
    rows = [(path.name, sha256_of(path)) for path in find_photos(photos)]
    table = pd.DataFrame(rows, columns=["path", "content_hash"])
    table["bucket"] = table["content_hash"].str[:1]
    table["split"] = [
        "validation" if name in ("cat.jpg", "bridge.jpg") else "train" for name in table["path"]
    ]
    return table


def fake_embed(gray8: np.ndarray) -> np.ndarray:
    """Four figures of a gray crop, in place of a backbone."""
    assert len(gray8) <= BATCH
    flat = gray8.reshape(len(gray8), -1).astype(np.float64)
    return np.stack([flat.mean(1), flat.std(1), flat.min(1), flat.max(1)], axis=1).astype(np.float16)


def make_lab_here(plans: list[ShardPlan], photos: Path, folder: Path, crops: CropsParams) -> PhotoCounts:
    """Without the processes, whose start would take most of the time here."""
    remove_others(folder, plans)
    made = PhotoCounts(0, 0)
    for plan in plans:
        made += make_lab_shard(plan, photos, folder, crops, SIZE)
    return made


def make_embeddings_here(
    plans: list[ShardPlan], photos: Path, folder: Path, crops: CropsParams, **changed: Any
) -> PhotoCounts:
    return make_embeddings(
        plans,
        photos,
        folder,
        crops,
        embed=fake_embed,
        input_size=24,
        embedding_size=4,
        backbone_sha256="0" * 64,
        batch_size=BATCH,
        **changed,
    )


Make = Callable[[list[ShardPlan], Path, Path, CropsParams], PhotoCounts]
both = pytest.mark.parametrize("make", [make_lab_here, make_embeddings_here])


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_lab_rows_are_the_crops_at_the_networks_size(
    photos: Path, crops: CropsParams, tmp_path: Path
) -> None:
    plans = plan_shards(manifest_of(photos), crops)
    made = make_lab(plans, photos, tmp_path / "lab", crops, LAB)
    assert made == PhotoCounts(8, 0)
    for plan in plans:
        rows, index = open_shard(tmp_path / "lab", plan.name)
        assert rows.shape == (plan.rows, SIZE, SIZE, 3)
        assert index.photos == sorted(index.photos)
        lab = rgb_to_lab(read_photo(photos / plan.photos[0].path).rgb8)
        cut = photo_crops(*lab.shape[:2], plan.crops, crops.min_side_share, plan.photos[0].content_hash)
        for row, crop in zip(rows, cut, strict=False):
            np.testing.assert_array_equal(row, network_lab8(crop.cut(lab), SIZE))


def test_embedding_rows_are_of_the_same_crops(photos: Path, crops: CropsParams, tmp_path: Path) -> None:
    plans = plan_shards(manifest_of(photos), crops)
    assert make_embeddings_here(plans, photos, tmp_path / "embeddings", crops) == PhotoCounts(8, 0)
    for plan in plans:
        rows, _ = open_shard(tmp_path / "embeddings", plan.name)
        expected = []
        for photo in plan.photos:
            lab = rgb_to_lab(read_photo(photos / photo.path).rgb8)
            cut = photo_crops(*lab.shape[:2], plan.crops, crops.min_side_share, photo.content_hash)
            expected += [backbone_gray8(crop.cut(lab)[..., 0], 24) for crop in cut]
        np.testing.assert_array_equal(
            rows, np.concatenate([fake_embed(gray[np.newaxis]) for gray in expected])
        )


def test_only_training_photos_are_cropped(photos: Path, crops: CropsParams) -> None:
    plans = plan_shards(manifest_of(photos), crops)
    assert {(plan.split, plan.crops) for plan in plans} == {("train", 3), ("validation", 1)}
    assert sum(plan.rows for plan in plans) == 6 * 3 + 2


@both
def test_a_second_run_computes_nothing_and_changes_nothing(
    make: Make, photos: Path, crops: CropsParams, tmp_path: Path
) -> None:
    plans = plan_shards(manifest_of(photos), crops)
    make(plans, photos, tmp_path / "out", crops)
    before = bytes_of(tmp_path / "out")
    assert make(plans, photos, tmp_path / "out", crops) == PhotoCounts(0, 8)
    assert bytes_of(tmp_path / "out") == before


@both
def test_added_photos_are_computed_and_no_others(
    make: Make, photos: Path, crops: CropsParams, tmp_path: Path, sample: Path
) -> None:
    make(plan_shards(manifest_of(photos), crops), photos, tmp_path / "grown", crops)
    for path in find_photos(sample)[8:11]:
        shutil.copy(path, photos)
    plans = plan_shards(manifest_of(photos), crops)
    assert make(plans, photos, tmp_path / "grown", crops) == PhotoCounts(3, 8)
    make(plans, photos, tmp_path / "fresh", crops)
    assert bytes_of(tmp_path / "grown") == bytes_of(tmp_path / "fresh")


@both
def test_photos_that_left_are_gone_from_the_shards(
    make: Make, photos: Path, crops: CropsParams, tmp_path: Path
) -> None:
    make(plan_shards(manifest_of(photos), crops), photos, tmp_path / "shrunk", crops)
    for path in find_photos(photos)[:3]:
        path.unlink()
    plans = plan_shards(manifest_of(photos), crops)
    assert make(plans, photos, tmp_path / "shrunk", crops) == PhotoCounts(0, 5)
    make(plans, photos, tmp_path / "fresh", crops)
    assert bytes_of(tmp_path / "shrunk") == bytes_of(tmp_path / "fresh")


@both
def test_other_parameters_keep_nothing(make: Make, photos: Path, crops: CropsParams, tmp_path: Path) -> None:
    make(plan_shards(manifest_of(photos), crops), photos, tmp_path / "out", crops)
    other = CropsParams(per_photo=3, min_side_share=0.7)
    assert make(plan_shards(manifest_of(photos), other), photos, tmp_path / "out", other).computed == 8


@both
def test_shards_of_other_parameters_are_refused(
    make: Make, photos: Path, crops: CropsParams, tmp_path: Path
) -> None:
    plans = plan_shards(manifest_of(photos), crops)
    make(plans, photos, tmp_path / "out", crops)
    shards = [npy_path(tmp_path / "out", plan.name) for plan in plans]
    refuse_other_parameters("lab", shards, crops)
    for other, values in (
        (CropsParams(per_photo=8, min_side_share=0.5), "crops 8, as params.yaml has it. Received: crops 3"),
        (CropsParams(per_photo=3, min_side_share=0.7), "min_side_share 0.7, .* Received: min_side_share 0.5"),
    ):
        with pytest.raises(ShardError, match=f"{values}.*dvc repro --force --single-item lab"):
            refuse_other_parameters("lab", shards, other)
    with pytest.raises(ShardError, match=r"backbone 1111.* Received: backbone (0000|None)"):
        refuse_other_parameters("embed", shards, crops, backbone="1" * 64)
    refuse_other_parameters(
        "lab", shards[-1:], CropsParams(per_photo=8, min_side_share=0.5)
    )  # validation: whole


@both
def test_a_photo_that_was_replaced_is_refused_by_name(
    make: Make, photos: Path, crops: CropsParams, tmp_path: Path
) -> None:
    plans = plan_shards(manifest_of(photos), crops)
    replaced = photos / plans[0].photos[0].path
    content = replaced.read_bytes()
    replaced.write_bytes((photos / plans[-1].photos[0].path).read_bytes())
    with pytest.raises(PhotoError, match=rf"Expected .*{replaced.name} as it was validated.*`dvc repro`"):
        make(plans, photos, tmp_path / "out", crops)
    assert not npy_path(tmp_path / "out", plans[0].name).exists()
    replaced.write_bytes(content)
    make(plans, photos, tmp_path / "out", crops)
    make(plans, photos, tmp_path / "fresh", crops)
    assert bytes_of(tmp_path / "out") == bytes_of(tmp_path / "fresh")


@both
def test_a_missing_part_of_a_shard_is_named_and_made_again(
    make: Make, photos: Path, crops: CropsParams, tmp_path: Path
) -> None:
    plans = plan_shards(manifest_of(photos), crops)
    make(plans, photos, tmp_path / "out", crops)
    before = bytes_of(tmp_path / "out")
    shard = npy_path(tmp_path / "out", plans[0].name)
    for part, sentence in (
        (shard.with_suffix(".json"), r"is there, but its index .*\.json is missing"),
        (shard, r"The shard .*\.npy is missing"),
    ):
        part.unlink()
        with pytest.raises(ShardError, match=f"{sentence}. Run `dvc repro`"):
            open_shard(tmp_path / "out", plans[0].name)
        assert make(plans, photos, tmp_path / "out", crops).computed == len(plans[0].photos)
        assert bytes_of(tmp_path / "out") == before


def test_another_precision_keeps_nothing(photos: Path, crops: CropsParams, tmp_path: Path) -> None:
    plans = plan_shards(manifest_of(photos), crops)
    make_embeddings_here(plans, photos, tmp_path / "out", crops)
    made = make_embeddings_here(plans, photos, tmp_path / "out", crops, precision="bfloat16")
    assert made == PhotoCounts(8, 0)
    assert make_embeddings_here(plans, photos, tmp_path / "out", crops, precision="bfloat16") == PhotoCounts(
        0, 8
    )


def test_calls_side_by_side_and_workers_of_every_kind_make_the_same_shards(
    photos: Path, crops: CropsParams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans = plan_shards(manifest_of(photos), crops)
    make_embeddings_here(plans, photos, tmp_path / "one", crops)
    make_embeddings_here(plans, photos, tmp_path / "three", crops, at_once=3)
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "three")
    make_lab(plans, photos, tmp_path / "threads", crops, LabParams(size=SIZE, workers=2))
    monkeypatch.setattr(lab_stage, "MOST_THREADS", 0)
    make_lab(plans, photos, tmp_path / "process", crops, LAB)
    assert bytes_of(tmp_path / "threads") == bytes_of(tmp_path / "process")


@both
def test_a_flipped_byte_is_noticed_and_mended(
    make: Make, photos: Path, crops: CropsParams, tmp_path: Path
) -> None:
    plans = plan_shards(manifest_of(photos), crops)
    make(plans, photos, tmp_path / "out", crops)
    before = bytes_of(tmp_path / "out")
    victim = npy_path(tmp_path / "out", plans[0].name)
    content = bytearray(victim.read_bytes())
    content[-1] ^= 1
    victim.write_bytes(content)
    with pytest.raises(ShardError, match="its bytes have changed"):
        open_shard(tmp_path / "out", plans[0].name)
    assert make(plans, photos, tmp_path / "out", crops).computed == len(plans[0].photos)
    assert bytes_of(tmp_path / "out") == before


@both
def test_a_run_that_breaks_off_goes_on_where_it_was(
    make: Make, photos: Path, crops: CropsParams, tmp_path: Path
) -> None:
    plans = plan_shards(manifest_of(photos), crops)
    make(plans, photos, tmp_path / "whole", crops)
    last = photos / plans[-1].photos[-1].path
    content = last.read_bytes()
    last.write_bytes(b"")
    with pytest.raises(Exception, match="is empty"):
        make(plans, photos, tmp_path / "out", crops)
    last.write_bytes(content)
    assert not list((tmp_path / "out").rglob("*.part*"))
    made = make(plans, photos, tmp_path / "out", crops)
    assert made.kept > 0
    assert bytes_of(tmp_path / "out") == bytes_of(tmp_path / "whole")


def test_room_is_reserved_before_a_photo_is_computed_and_nothing_is_left(
    photos: Path, tmp_path: Path, crops: CropsParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = max(plan_shards(manifest_of(photos), crops), key=lambda plan: plan.rows)
    need = 128 + plan.rows * SIZE * SIZE * 3
    monkeypatch.setattr(
        lab_stage, "lab_crops", lambda *_: pytest.fail("no room, and yet a photo was computed")
    )
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (need - 1, before[1]))
    try:
        with pytest.raises(OSError, match="too large") as caught:
            make_lab_shard(plan, photos, tmp_path / "lab", crops, SIZE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (
        f"is full: File too large in {npy_path(tmp_path / 'lab', plan.name)} (it needs {need / 1e3:.1f} kB"
        in str(sentence_of(caught.value))
    )
    assert not [path for path in (tmp_path / "lab").rglob("*") if path.is_file()]


@pytest.mark.parametrize("stage", ["lab", "embed"])
def test_shards_that_will_not_fit_are_not_begun(
    stage: str, photos: Path, tmp_path: Path, crops: CropsParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans = plan_shards(manifest_of(photos), crops)
    monkeypatch.setattr("tintype.files.disk.free_bytes", lambda _: 100)
    make = partial(make_lab, lab=LAB) if stage == "lab" else make_embeddings_here
    folder = tmp_path / stage
    with pytest.raises(
        DiskError, match=rf"The stage `{stage}` needs .* in {folder}, but only 0.1 kB are free"
    ):
        make(plans, photos, folder, crops)
    monkeypatch.undo()
    make(plans, photos, folder, crops)
    monkeypatch.setattr("tintype.files.disk.free_bytes", lambda _: 100)
    make(plans, photos, folder, crops)  # what is there needs no room
