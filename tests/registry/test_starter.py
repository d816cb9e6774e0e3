"""The starter as the champion to beat."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tintype.models.bundle import BundleError, bundle_digest, read_info
from tintype.params import RegisterParams
from tintype.registry.history import read
from tintype.registry.register import Registration, register, register_starter
from tintype.registry.resolve import RegistryError, resolve, resolve_champion, store_at_hand
from tintype.registry.store import connect, find_store

PARAMS = RegisterParams(model_name="tintype", experiment="photos")
MakeBundle = Callable[[str], Path]
Reports = tuple[Path, Path]


@pytest.fixture
def starter(tmp_path: Path, make_bundle: MakeBundle, reports: Reports) -> Path:
    """The folder of a starter that stands in for the package's."""
    folder = tmp_path / "starter"
    folder.mkdir()
    make_bundle("starter").rename(folder / "bundle")
    (folder / "metrics.json").write_text((reports[1] / "metrics.json").read_text())
    origin = {"git_commit": "c0ffee", "dvc_lock_sha256": "1" * 64, "made_on": "a Tuesday"}
    (folder / "origin.json").write_text(json.dumps(origin))
    return folder


@pytest.fixture
def client(project: Path) -> Any:
    return connect(find_store())


def _register_starter(folder: Path) -> Registration | None:
    return register_starter(PARAMS, folder)


def _register(bundle: Path, reports: Reports) -> Registration:
    return register(bundle, *reports, PARAMS, "sample")


def test_the_starter_is_champion_and_what_is_trained_challenges_it(
    client: Any, starter: Path, make_bundle: MakeBundle, reports: Reports
) -> None:
    made = _register_starter(starter)
    assert made is not None
    assert (made.version, made.aliases) == (1, ["champion"])
    trained = _register(make_bundle("trained"), reports)
    assert (trained.version, trained.aliases) == (2, ["challenger"])
    assert read_info(resolve("models:/tintype@champion")) == read_info(starter / "bundle")
    (change,) = read(client, "tintype")
    assert (change.version, change.previous, change.by) == ("1", "", "tintype register")
    assert "the starter" in change.reason


def test_it_tells_where_it_comes_from_and_not_that_it_was_made_here(client: Any, starter: Path) -> None:
    made = _register_starter(starter)
    assert made is not None
    version = client.get_model_version("tintype", "1")
    assert version.tags["origin"] == "starter"
    assert version.tags["bundle_sha256"] == bundle_digest(read_info(starter / "bundle"))
    assert version.tags["manifest_sha256"] == "5" * 64
    assert version.tags["preset"] == "sample"
    # The project here has a commit and a dvc.lock of its own, which did not make it.
    assert (version.tags["git_commit"], version.tags["dvc_lock_sha256"]) == ("c0ffee", "1" * 64)
    assert "git_dirty" not in version.tags
    assert "made_on" not in version.tags
    assert version.tags["psnr_db"] == "24.1"
    assert "| all gray | 23.90 |" in version.description
    assert "grid.jpg" not in version.description  # its photos may not be passed on
    run = client.get_run(made.run_id)
    assert (run.info.run_name, run.info.status) == ("starter", "FINISHED")
    assert not client.list_artifacts(made.run_id, "lineage")


def test_it_is_registered_once(client: Any, starter: Path) -> None:
    first = _register_starter(starter)
    assert first is not None
    assert _register_starter(starter) is None
    assert len(client.search_model_versions()) == 1


def test_a_registration_that_was_cut_off_before_the_alias_is_finished(client: Any, starter: Path) -> None:
    first = _register_starter(starter)
    client.delete_registered_model_alias("tintype", "champion")
    assert _register_starter(starter) == first
    assert len(client.search_model_versions()) == 1
    assert len(client.search_runs([client.get_experiment_by_name("photos").experiment_id])) == 1


def test_a_registry_that_has_a_champion_keeps_it(
    client: Any, starter: Path, make_bundle: MakeBundle, reports: Reports
) -> None:
    _register(make_bundle("first"), reports)
    assert _register_starter(starter) is None
    assert len(client.search_model_versions()) == 1


def test_a_champion_that_a_person_took_away_stays_away(
    client: Any, starter: Path, make_bundle: MakeBundle, reports: Reports
) -> None:
    _register(make_bundle("first"), reports)
    client.delete_registered_model_alias("tintype", "champion")
    assert _register_starter(starter) is None
    with pytest.raises(RegistryError, match=r"There is no models:/tintype@champion"):
        resolve_champion("tintype", find_store())


def test_an_installation_without_a_starter_registers_none(client: Any, tmp_path: Path) -> None:
    assert _register_starter(tmp_path / "nothing") is None
    assert client.search_model_versions() == []


def test_a_damaged_starter_is_not_registered(client: Any, starter: Path) -> None:
    (starter / "bundle/network.keras").write_text("other weights")
    with pytest.raises(BundleError, match="SHA-256"):
        _register_starter(starter)


def test_a_starter_without_figures_is_registered_all_the_same(client: Any, starter: Path) -> None:
    (starter / "metrics.json").unlink()
    (starter / "origin.json").write_text("torn")
    made = _register_starter(starter)
    assert made is not None
    assert "git_commit" not in client.get_model_version("tintype", "1").tags


def test_a_registry_without_versions_has_no_champion_and_says_it_quietly(project: Path) -> None:
    assert resolve_champion("tintype", find_store()) is None


def test_a_store_is_at_hand_where_one_is_named_or_was_made(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert store_at_hand() == find_store(project)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert store_at_hand() is None
    (tmp_path / "elsewhere/dvc.yaml").write_text("stages: {}\n")
    assert store_at_hand() is None, "a project before its first run"
    assert [path.name for path in Path().iterdir()] == ["dvc.yaml"]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/none.db")
    store = store_at_hand()
    assert store is not None
    with pytest.raises(RegistryError, match="there is none yet"):
        resolve_champion("tintype", store)
