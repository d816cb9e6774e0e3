"""Versions: made once, with all that a person needs to judge them, and found again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tintype.models.bundle import BundleError, bundle_digest, read_info
from tintype.params import RegisterParams, load_params
from tintype.registry.backfill import ensure_run
from tintype.registry.register import Registration, ensure_model, register
from tintype.registry.resolve import resolve
from tintype.registry.runs import experiment_id, tracked_run
from tintype.registry.store import RegistryError, connect, find_store
from tintype.registry.versions import create_version

PARAMS = RegisterParams(model_name="tintype", experiment="photos")
MakeBundle = Callable[[str], Path]
Reports = tuple[Path, Path]


def _register(bundle: Path, reports: Reports) -> Registration:
    return register(bundle, *reports, PARAMS, "sample")


@pytest.fixture
def client(project: Path) -> Any:
    return connect(find_store())


def test_a_version_tells_where_it_comes_from_and_how_good_it_is(
    project: Path, client: Any, make_bundle: MakeBundle, reports: Reports
) -> None:
    bundle = make_bundle("first")
    made = _register(bundle, reports)

    version = client.get_model_version("tintype", "1")
    assert version.tags["bundle_sha256"] == made.bundle_sha256 == bundle_digest(read_info(bundle))
    assert version.tags["weights_origin"] == "inception_resnet_v2: random, seed 1"
    assert version.tags["preset"] == "sample"
    assert version.tags["manifest_sha256"] == "5" * 64
    assert len(version.tags["git_commit"]) == 40
    assert version.tags["git_dirty"] == "false"
    assert len(version.tags["dvc_lock_sha256"]) == 64
    assert version.tags["psnr_db"] == "24.1"
    assert version.tags["delta_e2000_mean"] == "10.5"
    assert version.tags["colourfulness_ratio"] == "0.8"
    assert "| all gray | 23.90 |" in version.description
    assert made.aliases == ["challenger", "champion"]
    assert (made.model_uri, made.version) == ("models:/tintype/1", 1)
    assert json.loads(json.dumps(made.describe()))["run_id"] == made.run_id

    model = client.get_logged_model(made.model_id)
    assert model.status.name == "READY"
    assert {metric.key: metric.value for metric in model.metrics}["test/psnr_db"] == 24.1
    assert json.loads(model.tags["mlflow.modelVersions"]) == [{"name": "tintype", "version": 1}]
    run = client.get_run(made.run_id)
    assert run.info.run_name == f"{run.data.tags['git_commit'][:7]} sample"
    assert run.data.tags["mlflow.source.name"] == "tintype register"  # no store knows the run of run.json
    assert run.data.tags["mlflow.note.content"] == version.description
    assert f"](get-artifact?path=evaluation/grid.jpg&run_uuid={made.run_id})" in version.description
    assert f"/models/{made.model_id}/artifacts)" in version.description
    assert run.info.status == "FINISHED"
    assert run.data.metrics["test/delta_e2000_mean"] == 10.5
    assert [metric.step for metric in client.get_metric_history(made.run_id, "val/loss")] == [1, 2]
    files = {
        item.path
        for folder in ("evaluation", "lineage")
        for item in client.list_artifacts(made.run_id, folder)
    }
    assert files == {"evaluation/metrics.json", "evaluation/grid.jpg", "lineage/dvc.lock"}


def test_the_model_says_what_goes_in_and_comes_out_and_brings_its_code(
    project: Path, make_bundle: MakeBundle, reports: Reports
) -> None:
    import mlflow

    _register(make_bundle("first"), reports)
    folder = resolve("models:/tintype@champion").parents[1]
    model = mlflow.models.Model.load(str(folder))
    assert model.signature.inputs.input_names() == ["photo"]
    assert [column.type.name for column in (*model.signature.inputs, *model.signature.outputs)] == [
        "binary",
        "binary",
    ]
    assert model.metadata["network"] == {"name": "fusion", "width": 0.25, "needs": "embedding"}
    (photo,) = model.load_input_example(str(folder))["photo"]
    assert photo[:2] == b"\xff\xd8"
    assert (folder / "code" / "tintype" / "colorize.py").is_file()
    assert not list(folder.rglob("*.pkl"))
    needed = (folder / "requirements.txt").read_text().split()
    assert {line.partition("==")[0] for line in needed} >= {
        "keras",
        "tensorflow",
        "pillow",
        "opencv-python-headless",
    }
    assert all("==" in line for line in needed)


def test_the_same_bundle_is_one_version(client: Any, make_bundle: MakeBundle, reports: Reports) -> None:
    bundle = make_bundle("first")
    assert _register(bundle, reports) == _register(bundle, reports)
    assert len(client.search_model_versions()) == 1
    assert len(client.search_runs([client.get_experiment_by_name("photos").experiment_id])) == 1


def test_a_new_evaluation_of_the_same_bundle_replaces_its_figures(
    client: Any, make_bundle: MakeBundle, reports: Reports
) -> None:
    bundle = make_bundle("first")
    _register(bundle, reports)
    path = reports[1] / "metrics.json"
    path.write_text(path.read_text().replace("24.1", "25.0"))
    made = _register(bundle, reports)
    version = client.get_model_version("tintype", "1")
    assert (made.version, version.tags["psnr_db"]) == (1, "25.0")
    assert "25.00" in version.description


def test_the_first_version_is_champion_and_the_second_only_challenger(
    client: Any, make_bundle: MakeBundle, reports: Reports
) -> None:
    _register(make_bundle("first"), reports)
    second = _register(make_bundle("second"), reports)
    assert (second.version, second.aliases) == (2, ["challenger"])
    assert {key: int(value) for key, value in client.get_registered_model("tintype").aliases.items()} == {
        "challenger": 2,
        "champion": 1,
    }


def test_a_champion_that_a_person_took_away_stays_away(
    client: Any, make_bundle: MakeBundle, reports: Reports
) -> None:
    _register(make_bundle("first"), reports)
    client.delete_registered_model_alias("tintype", "champion")
    assert _register(make_bundle("second"), reports).aliases == ["challenger"]


@pytest.mark.parametrize("steps", [1, 2, 3, 4])
def test_a_registration_that_was_cut_off_is_finished_by_the_next(
    client: Any, make_bundle: MakeBundle, reports: Reports, steps: int
) -> None:
    from tintype.registry.store import as_default

    bundle = make_bundle("first")
    info, store = read_info(bundle), find_store()
    digest = bundle_digest(info)
    run_id = ensure_run(client, experiment_id(client, store, "photos"), reports[0], digest, "sample")
    if steps == 2:  # killed during the upload
        experiment = client.get_run(run_id).info.experiment_id
        client.create_logged_model(experiment, "tintype", run_id, tags={"bundle_sha256": digest})
    if steps >= 3:
        model_id = ensure_model(client, run_id, "tintype", bundle, info, digest)
    if steps >= 4:
        with as_default(store):
            create_version(client, "tintype", model_id, run_id, {"bundle_sha256": digest})

    made = _register(bundle, reports)

    assert (made.version, made.run_id, made.aliases) == (1, run_id, ["challenger", "champion"])
    assert len(client.search_model_versions()) == 1
    experiment = client.get_experiment_by_name("photos").experiment_id
    assert [model.status.name for model in client.search_logged_models([experiment])] == ["READY"]
    assert len(client.search_runs([experiment])) == 1
    assert client.get_model_version("tintype", "1").tags["psnr_db"] == "24.1"
    assert resolve("models:/tintype@champion").is_dir()


def test_a_version_belongs_to_the_run_that_trained_it(
    client: Any, make_bundle: MakeBundle, reports: Reports
) -> None:
    with tracked_run("train", "photos", load_params(Path(__file__).parents[2] / "params.yaml")) as run:
        run.epoch(1, {"loss": 0.5})
    (reports[0] / "run.json").write_text(json.dumps(run.describe()))
    made = _register(make_bundle("first"), reports)
    assert made.run_id == run.run_id
    assert [output.model_id for output in client.get_run(run.run_id).outputs.model_outputs] == [made.model_id]


def test_a_damaged_bundle_is_not_registered(project: Path, make_bundle: MakeBundle, reports: Reports) -> None:
    bundle = make_bundle("first")
    (bundle / "network.keras").write_text("other weights")
    with pytest.raises(BundleError, match="SHA-256"):
        _register(bundle, reports)


def test_a_missing_report_is_a_sentence(project: Path, make_bundle: MakeBundle, reports: Reports) -> None:
    (reports[1] / "metrics.json").unlink()
    with pytest.raises(RegistryError, match=r"Expected a report in .*metrics\.json"):
        _register(make_bundle("first"), reports)


def test_resolve_finds_versions_by_alias_and_number(
    project: Path, make_bundle: MakeBundle, reports: Reports
) -> None:
    first, second = make_bundle("first"), make_bundle("second")
    _register(first, reports)
    _register(second, reports)
    for uri, bundle in {"@champion": first, "@challenger": second, "/1": first, "/2": second}.items():
        found = resolve(f"models:/tintype{uri}")
        assert read_info(found) == read_info(bundle)
        assert found.is_relative_to(project), "a store on this machine needs no copy"


def test_resolve_says_what_there_is(project: Path, make_bundle: MakeBundle, reports: Reports) -> None:
    with pytest.raises(RegistryError, match=r"no models yet: `dvc repro`"):
        resolve("models:/tintype@champion")
    _register(make_bundle("first"), reports)
    has = r"tintype has the versions 1 and the aliases challenger \(version 1\), champion \(version 1\)\."
    for uri in ("models:/tintype@best", "models:/tintype/2"):
        with pytest.raises(RegistryError, match=f"There is no {uri} .* {has}"):
            resolve(uri)
    with pytest.raises(RegistryError, match=r"It has the models tintype\."):
        resolve("models:/daguerreotype@champion")
    for uri in ("models:/tintype", "tintype@champion", "models:/tintype/one"):
        with pytest.raises(RegistryError, match="models:/NAME@ALIAS"):
            resolve(uri)


def test_resolve_without_a_store_makes_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RegistryError, match="there is none yet"):
        resolve("models:/tintype@champion")
    assert not (tmp_path / ".mlflow").exists()


def test_files_exchanged_or_lost_in_the_store_are_noticed(
    project: Path, make_bundle: MakeBundle, reports: Reports
) -> None:
    _register(make_bundle("first"), reports)
    folder = resolve("models:/tintype/1")
    shutil.rmtree(folder)
    shutil.copytree(make_bundle("other"), folder)  # whole in itself, but not what was registered
    with pytest.raises(RegistryError, match="exchanged after it was registered"):
        resolve("models:/tintype/1")
    shutil.rmtree(project / ".mlflow" / "artifacts")
    with pytest.raises(RegistryError, match="but there are none"):
        resolve("models:/tintype/1")
