"""Versions on PostgreSQL and S3: made, moved, found and checked through the server alone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tintype.files.digest import sha256_of
from tintype.models.bundle import BundleError, bundle_digest, read_info
from tintype.models.lineage import starter_lineage
from tintype.params import RegisterParams, load_params
from tintype.registry.register import Registration, register, register_starter
from tintype.registry.resolve import resolve, resolve_version
from tintype.registry.runs import tracked_run
from tintype.registry.store import RegistryError, connect, find_store
from tintype.registry.trace import trace_version

ROOT = Path(__file__).parents[2]
MakeBundle = Callable[[str], Path]
Reports = tuple[Path, Path]

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def params(request: pytest.FixtureRequest) -> RegisterParams:
    """A model of one's own: the server is everybody's."""
    return RegisterParams(model_name=request.node.name, experiment=request.node.name)


@pytest.fixture
def made(
    on_the_server: str, make_bundle: MakeBundle, reports: Reports, params: RegisterParams
) -> Callable[[str], Registration]:
    """Registers a bundle of real but small files."""
    return lambda network: register(make_bundle(network), *reports, params, "sample")


def test_two_versions_an_alias_that_moves_and_the_way_back(
    made: Callable[[str], Registration], params: RegisterParams, s3: Any, tmp_path: Path
) -> None:
    first, second = made("first"), made("second")
    assert (first.version, first.aliases) == (1, ["challenger", "champion"])
    assert (second.version, second.aliases) == (2, ["challenger"])
    address = f"models:/{params.model_name}"

    before = resolve_version(f"{address}@champion")
    connect(find_store()).set_registered_model_alias(params.model_name, "champion", "2")
    after = resolve_version(f"{address}@champion")

    for found, version in ((before, first), (after, second)):
        assert found.lineage.version == str(version.version)
        assert found.lineage.bundle_sha256 == version.bundle_sha256 == bundle_digest(read_info(found.bundle))
        assert found.bundle.is_relative_to(tmp_path / "cache"), "it came through the server"
        trace = trace_version(found.lineage)
        assert trace.lineage.run_id == version.run_id
        assert trace.lineage.manifest_sha256 == "5" * 64
    kept = [key for key in s3.keys("mlflow") if key.endswith("network.keras")]
    assert {key.startswith("artifacts/") for key in kept} == {True}
    assert sum(version.model_id in key for key in kept for version in (first, second)) == 2


def test_a_run_and_its_curve_are_on_the_server(on_the_server: str, tmp_path: Path) -> None:
    with tracked_run("train", "curves", load_params(ROOT / "params.yaml")) as run:
        for epoch in range(1, 4):
            run.epoch(epoch, {"loss": 1 / epoch})
        run.artifact(ROOT / "params.yaml", "lineage")
    client = connect(find_store())
    assert [point.value for point in client.get_metric_history(run.run_id, "train/loss")] == [1, 0.5, 1 / 3]
    fetched = Path(client.download_artifacts(run.run_id, "lineage/params.yaml", str(tmp_path)))
    assert sha256_of(fetched) == sha256_of(ROOT / "params.yaml")


def test_files_exchanged_in_the_object_store_are_noticed_before_they_are_loaded(
    made: Callable[[str], Registration], params: RegisterParams, s3: Any
) -> None:
    version = made("honest")
    (key,) = [
        key
        for key in s3.keys("mlflow")
        if version.model_id in key and key.endswith("bundle-honest/network.keras")
    ]
    s3.client().put_object(Bucket="mlflow", Key=key, Body=b"foreign weights")
    with pytest.raises(BundleError, match="SHA-256"):
        resolve(f"models:/{params.model_name}@champion")


def test_files_lost_from_the_object_store_are_a_sentence(
    made: Callable[[str], Registration], params: RegisterParams, s3: Any
) -> None:
    version = made("lost")
    for key in s3.keys("mlflow"):
        if version.model_id in key:
            s3.client().delete_object(Bucket="mlflow", Key=key)
    with pytest.raises(RegistryError, match="MLflow store at http"):
        resolve(f"models:/{params.model_name}@champion")


def test_a_photo_coloured_by_the_servers_champion_is_traced_to_it(on_the_server: str, tmp_path: Path) -> None:
    """With the starter, whose files are real: coloured and traced by the commands that people have."""
    # A model of its own: other tests of this run have their champions in the same registry.
    register_starter(RegisterParams(model_name="starter-of-this-test", experiment="tintype"))
    address = "models:/starter-of-this-test@champion"
    champion = resolve_version(address).lineage
    assert champion.bundle_sha256 == starter_lineage().bundle_sha256
    tintype = Path(sys.executable).with_name("tintype")
    photo = ROOT / "data/sample/cat.jpg"
    for command in (
        [tintype, "colorize", photo, "--output", tmp_path / "out", "--model", address],
        [tintype, "trace", tmp_path / "out/cat.jpg", "--original", photo, "--json"],
    ):
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
    told = json.dumps(json.loads(done.stdout))
    assert champion.bundle_sha256 in told
    assert champion.run_id in told
