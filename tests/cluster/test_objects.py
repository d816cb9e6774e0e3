"""Shards in an object store: the same bytes, what is kept, and training from there."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tintype.data.tensors.local import local_shards, shard_names
from tintype.data.tensors.plan import plan_shards
from tintype.data.tensors.shards import ShardError
from tintype.data.validation.manifest import read_manifest
from tintype.files.objects import StoreError, folder_at
from tintype.params import CropsParams
from tintype.training.shard_set import open_split

pytestmark = pytest.mark.timeout(600)
Digests = Callable[[Path], dict[str, str]]
MakeProject = Callable[[int], Any]
LAB = "s3://shards/data/lab"


@dataclass(frozen=True)
class Store:
    """A real server that speaks S3, with an empty bucket `shards`."""

    client: Any

    def digests(self, prefix: str) -> dict[str, str]:
        """SHA-256 of every object whose name begins with a prefix."""
        return {
            key.removeprefix(prefix): hashlib.sha256(self.read(key)).hexdigest() for key in self.keys(prefix)
        }

    def keys(self, prefix: str) -> list[str]:
        found = self.client.list_objects_v2(Bucket="shards", Prefix=prefix).get("Contents", [])
        return [item["Key"] for item in found]

    def read(self, key: str) -> bytes:
        return self.client.get_object(Bucket="shards", Key=key)["Body"].read()

    def write(self, key: str, content: bytes) -> None:
        self.client.put_object(Bucket="shards", Key=key, Body=content)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, s3_address: str) -> Iterator[Store]:
    import boto3

    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_address)
    client = boto3.client("s3")
    client.create_bucket(Bucket="shards")
    yield Store(client)
    for item in client.list_objects_v2(Bucket="shards").get("Contents", []):
        client.delete_object(Bucket="shards", Key=item["Key"])
    client.delete_bucket(Bucket="shards")


def test_one_process_and_a_cluster_leave_the_bytes_that_a_folder_has(
    cluster: Any, store: Store, make_project: MakeProject, digests: Digests
) -> None:
    project = make_project(20)
    project.engine("local")
    assert project.run("lab", "lab").returncode == 0
    expected = digests(project.root / "lab")
    for engine, address in (("local", None), ("ray", cluster.address)):
        project.engine(engine, address)
        done = project.run("lab", f"s3://shards/{engine}")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "lab: 20 photos computed, 0 kept from earlier runs." in done.stdout
        assert store.digests(f"{engine}/") == expected
        assert "lab: 0 photos computed, 20 kept" in project.run("lab", f"s3://shards/{engine}").stdout


def test_only_what_is_new_or_half_written_is_made_and_nothing_of_others_is_touched(
    store: Store, make_project: MakeProject, digests: Digests, sample: Path
) -> None:
    project = make_project(12)
    project.engine("local")
    assert project.run("lab", LAB).returncode == 0
    store.write("data/lab/readme.txt", b"not ours")
    store.write("data/lab/train/ff.npy", b"of a photo that left")
    first, second = [key for key in store.keys("data/lab/") if key.endswith(".json")][:2]
    store.client.delete_object(Bucket="shards", Key=first)  # killed before its index was put
    store.write(second.replace(".json", ".npy"), b"short")
    remade = sum(len(json.loads(text)["photos"]) for text in _indexes(project, (first, second)))

    done = project.run("lab", LAB)

    assert f"lab: {remade} photos computed, {12 - remade} kept" in done.stdout
    assert project.run("lab", "lab").returncode == 0
    expected = digests(project.root / "lab")
    assert store.read("data/lab/readme.txt") == b"not ours"
    store.client.delete_object(Bucket="shards", Key="data/lab/readme.txt")
    assert store.digests("data/lab/") == expected


def _indexes(project: Any, keys: tuple[str, str]) -> list[str]:
    """The indexes of some shards, as a folder would have them."""
    assert project.run("lab", "aside").returncode == 0
    texts = [(project.root / "aside" / key.removeprefix("data/lab/")).read_text() for key in keys]
    shutil.rmtree(project.root / "aside")
    return texts


def test_rows_are_kept_when_a_shard_gains_a_photo(
    store: Store, make_project: MakeProject, digests: Digests
) -> None:
    project = make_project(30)
    project.engine("local")
    table = read_manifest(project.root / "manifest")
    newcomers = [group.index[-1] for _, group in table.groupby(["split", "bucket"]) if len(group) > 1][:2]
    assert len(newcomers) == 2
    project.write_manifest(table.drop(index=newcomers))
    assert project.run("lab", LAB).returncode == 0
    project.write_manifest(table)
    assert "lab: 2 photos computed, 28 kept" in project.run("lab", LAB).stdout
    assert project.run("lab", "lab").returncode == 0
    assert store.digests("data/lab/") == digests(project.root / "lab")


def test_copies_for_training_are_fetched_once_and_verified(
    store: Store, make_project: MakeProject, tmp_path: Path, backbone_folder: Path
) -> None:
    project = make_project(8)
    project.engine("local")
    assert project.run("lab", LAB).returncode == 0
    assert project.run("embed", backbone_folder, "s3://shards/data/embeddings").returncode == 0
    names = shard_names(LAB)
    lab, embeddings = (
        local_shards(place, names, tmp_path / "copies") for place in (LAB, "s3://shards/data/embeddings")
    )
    plans = plan_shards(
        read_manifest(project.root / "manifest"), CropsParams(per_photo=3, min_side_share=0.5)
    )
    train = open_split(plans, "train", lab, embeddings)
    assert (train.rows, train.size) == (sum(plan.rows for plan in plans if plan.split == "train"), 32)

    times = {path: path.stat().st_mtime_ns for path in lab.rglob("*.npy")}
    assert len(times) == len(names)
    local_shards(LAB, names, tmp_path / "copies")
    assert {path: path.stat().st_mtime_ns for path in lab.rglob("*.npy")} == times

    victim = f"data/lab/{names[0]}.npy"
    content = bytearray(store.read(victim))
    content[-1] ^= 1
    store.write(victim, bytes(content))
    (lab / f"{names[0]}.npy").unlink()
    with pytest.raises(ShardError, match="its bytes have changed"):
        local_shards(LAB, names, tmp_path / "copies")


def test_the_stages_check_and_train_read_from_there(
    store: Store, make_project: MakeProject, backbone_folder: Path
) -> None:
    project = make_project(15)
    project.engine("local", train={"epochs": 1}, network={"width": 0.1})
    embeddings = "s3://shards/data/embeddings"
    for stage, places in (("lab", [LAB]), ("embed", [backbone_folder, embeddings])):
        assert project.run(stage, *places).returncode == 0
    where = {"MLFLOW_TRACKING_URI": f"sqlite:///{project.root}/mlflow.db"}
    for stage, places in (
        ("check", [LAB, embeddings, "report"]),
        ("train", ["manifest", LAB, embeddings, backbone_folder, "bundle", "reports"]),
    ):
        done = project.run_plain(stage, *places, **where)
        assert done.returncode == 0, done.stdout + done.stderr
    assert (project.root / "bundle/bundle.json").is_file()


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ("s3://no-such-bucket/lab", "the object store says"),
        ("s3://", "Expected a folder or an address such as s3://bucket/prefix. Received: s3://"),
        ("ftp://host/lab", "Received: ftp://host/lab"),
    ],
)
def test_an_address_that_leads_nowhere_is_refused_in_a_sentence(
    store: Store, make_project: MakeProject, place: str, sentence: str
) -> None:
    project = make_project(2)
    project.engine("local")
    done = project.run("lab", place)
    assert done.returncode == 1
    assert "error: Expected" in done.stderr
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_a_store_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(StoreError, match="Expected to read and write s3://shards/lab"):
        folder_at("s3://shards/lab").names()


def test_stages_that_need_a_disk_say_so(make_project: MakeProject) -> None:
    project = make_project(2)
    project.engine("local")
    done = project.run_plain("lab", "s3://shards/raw", "manifest", "lab")
    assert "error: Expected a folder on a disk here. Received: s3://shards/raw." in done.stderr
