"""Promoting a version and taking it back, through the command and a real store."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from mlflow import MlflowClient
from mlflow.models import Model
from typer.testing import CliRunner

from tintype.cli import app
from tintype.files.atomic import new_folder
from tintype.models.bundle import bundle_digest, read_info
from tintype.params import RegisterParams, load_params
from tintype.registry.mlflow_model import write_model
from tintype.registry.register import ensure_aliases, register
from tintype.registry.resolve import resolve
from tintype.registry.runs import tracked_run
from tintype.registry.store import RegistryError, connect, find_store
from tintype.registry.versions import bundle_in

PARAMS = RegisterParams(model_name="tintype", experiment="photos")
MakeBundle = Callable[[str], Path]
Reports = tuple[Path, Path]


@pytest.fixture
def models(tmp_path_factory: pytest.TempPathFactory, make_bundle: MakeBundle) -> list[Path]:
    """Three bundles as MLflow keeps them: written once, since each takes a second."""
    kept = tmp_path_factory.getbasetemp() / "three models"
    if not kept.is_dir():
        with new_folder(kept) as part:
            for network in ("first", "second", "third"):
                bundle = make_bundle(network)
                write_model(part / network, bundle, read_info(bundle), Model(model_uuid=network))
                shutil.rmtree(bundle)
    return sorted(kept.iterdir())


@pytest.fixture
def three(project: Path, models: list[Path]) -> MlflowClient:
    """A client of a registry with three versions; the first is champion, the last the challenger."""
    store = find_store()
    client = connect(store)
    client.create_registered_model("tintype")
    for model in models:
        files = project / ".mlflow" / model.name
        shutil.copytree(model, files)
        tags = {"bundle_sha256": bundle_digest(read_info(bundle_in(files)))}
        version = client.create_model_version("tintype", files.as_uri(), tags=tags)
        ensure_aliases(client, store, version)
    return client


def _tintype(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def _alias(client: MlflowClient, alias: str) -> str:
    return str(client.get_registered_model("tintype").aliases.get(alias, ""))


def _champion(client: MlflowClient) -> str:
    return _alias(client, "champion")


def _judge(client: MlflowClient, version: str, verdict: str, reasons: str) -> None:
    for key, value in (("verdict", verdict), ("verdict_reasons", reasons), ("compared_with", "1")):
        client.set_model_version_tag("tintype", version, key, value)


def _history() -> list[dict[str, Any]]:
    return json.loads(_tintype("history", "--json").stdout)


def test_a_version_is_promoted_and_the_history_says_by_whom_and_why(three: MlflowClient) -> None:
    _judge(three, "2", "pass", "Its colours are closer.")
    result = _tintype("promote", "2", "--reason", "skies  are\nblue")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "Version 2 of tintype is the champion now; before it was version 1.\n"
    assert _champion(three) == "2"
    first, second = _history()
    assert (first["version"], first["previous"], first["by"]) == ("1", "", "tintype register")
    assert first["reason"] == "the first version"
    assert (second["version"], second["previous"], second["by"]) == ("2", "1", "tintype promote")
    assert (second["reason"], second["forced"]) == ("skies are blue", False)
    table = _tintype("history").stdout.splitlines()
    assert table[0].split()[:4] == ["when", "(UTC)", "version", "before"]
    assert table[1].endswith("skies are blue")
    assert len(table) == 3


def test_an_alias_and_an_address_name_a_version_too(three: MlflowClient) -> None:
    assert _tintype("promote", "challenger").exit_code == 0
    assert _champion(three) == "3"
    assert _tintype("promote", "models:/tintype/2").exit_code == 0
    assert _champion(three) == "2"


def test_the_champion_again_changes_nothing(three: MlflowClient) -> None:
    result = _tintype("promote", "1")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "Version 1 of tintype is the champion already: nothing was changed.\n"
    assert len(_history()) == 1


@pytest.mark.parametrize("why", [None, "", "  "])
def test_a_version_that_failed_is_refused(three: MlflowClient, why: str | None) -> None:
    _judge(three, "2", "fail", "All of its photos are gray.")
    result = _tintype("promote", "2", *([] if why is None else ["--force", why]))
    assert result.exit_code == 1
    assert result.stdout == ""
    if why is None:
        assert "judged fail beside version 1: All of its photos are gray." in result.stderr
        assert '--force "REASON"' in result.stderr
    else:
        assert "no words" in result.stderr
    assert _champion(three) == "1"
    assert len(_history()) == 1
    assert "promoted_in_spite" not in three.get_model_version("tintype", "2").tags


def test_force_with_a_reason_promotes_it_and_is_kept(three: MlflowClient) -> None:
    _judge(three, "2", "fail", "All of its photos are gray.")
    result = _tintype("promote", "2", "--force", "an exhibition of grays")
    assert result.exit_code == 0
    assert "note: Its verdict is fail: All of its photos are gray." in result.stderr
    assert _champion(three) == "2"
    last = _history()[-1]
    assert (last["forced"], last["reason"]) == (True, "an exhibition of grays")
    assert three.get_model_version("tintype", "2").tags["promoted_in_spite"] == "an exhibition of grays"
    assert "forced: an exhibition of grays" in _tintype("history").stdout


def test_without_a_comparison_no_force_is_needed_but_it_is_reported(three: MlflowClient) -> None:
    result = _tintype("promote", "2")
    assert (result.exit_code, result.stderr) == (
        0,
        "note: It has no verdict: it was never compared with a champion.\n",
    )
    _judge(three, "3", "not compared", "The metric cards differ.")
    result = _tintype("promote", "3", "--force", "sure")
    assert result.exit_code == 0
    assert "note: It was not compared with the champion: The metric cards differ.\n" in result.stderr
    assert "--force was not needed" in result.stderr
    assert _history()[-1]["forced"] is False
    assert "promoted_in_spite" not in three.get_model_version("tintype", "3").tags


def _files(version: str) -> Path:
    return resolve(f"models:/tintype/{version}")


@pytest.mark.parametrize("spoil", ["gone", "network gone", "damaged", "MLmodel gone", "exchanged"])
def test_a_version_whose_files_are_not_whole_gets_no_alias(
    three: MlflowClient, spoil: str, make_bundle: MakeBundle
) -> None:
    bundle = _files("2")
    if spoil == "gone":
        shutil.rmtree(bundle.parents[1])
    elif spoil == "network gone":
        (bundle / "network.keras").unlink()
    elif spoil == "damaged":
        (bundle / "network.keras").write_text("Second")
    elif spoil == "MLmodel gone":
        (bundle.parents[1] / "MLmodel").unlink()
    else:
        shutil.rmtree(bundle)
        shutil.copytree(make_bundle("exchanged"), bundle)
    result = _tintype("promote", "2", "--force", "now")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: Expected the files of version 2 of tintype, whole, at ")
    assert "No alias is moved to it" in result.stderr
    assert result.stderr.count("\n") == 1
    assert _champion(three) == "1"
    assert len(_history()) == 1


def test_rollback_goes_back_and_then_further_back(three: MlflowClient) -> None:
    _tintype("promote", "2")
    _tintype("promote", "3")
    result = _tintype("rollback", "--reason", "green faces")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "Version 2 of tintype is the champion now; before it was version 3.\n"
    assert (
        _tintype("rollback").stdout == "Version 1 of tintype is the champion now; before it was version 2.\n"
    )
    result = _tintype("rollback")
    assert result.exit_code == 1
    assert "Expected a champion of tintype before version 1, but its history has none." in result.stderr
    assert _champion(three) == "1"
    assert [(change["version"], change["by"]) for change in _history()] == [
        ("1", "tintype register"),
        ("2", "tintype promote"),
        ("3", "tintype promote"),
        ("2", "tintype rollback"),
        ("1", "tintype rollback"),
    ]
    assert _history()[3]["reason"] == "green faces"


def test_what_was_moved_in_mlflow_is_rolled_back_too(three: MlflowClient) -> None:
    three.set_registered_model_alias("tintype", "champion", "3")
    assert (
        _tintype("rollback").stdout == "Version 1 of tintype is the champion now; before it was version 3.\n"
    )
    assert _history()[1]["by"] == "MLflow, seen by tintype rollback"


def test_a_champion_that_was_taken_away_comes_back(three: MlflowClient) -> None:
    _tintype("promote", "2")
    three.delete_registered_model_alias("tintype", "champion")
    assert _tintype("rollback").stdout == "Version 2 of tintype is the champion now; before there was none.\n"
    assert _champion(three) == "2"
    assert "none" in _tintype("history").stdout


def test_a_rollback_to_files_that_are_gone_is_refused(three: MlflowClient) -> None:
    _tintype("promote", "2")
    shutil.rmtree(_files("1").parents[1])
    result = _tintype("rollback")
    assert result.exit_code == 1
    assert "Expected the files of version 1 of tintype, whole, at " in result.stderr
    assert _champion(three) == "2"


def test_a_rollback_to_a_deleted_version_is_refused(three: MlflowClient) -> None:
    _tintype("promote", "2")
    three.delete_model_version("tintype", "1")
    result = _tintype("rollback")
    assert result.exit_code == 1
    assert "There is no models:/tintype/1 in the registry. tintype has the versions 2, 3" in result.stderr
    assert _champion(three) == "2"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("promote", "9"), "There is no models:/tintype/9 in the registry. tintype has the versions 1, 2, 3"),
        (("promote", "nobody"), "There is no models:/tintype@nobody in the registry."),
        (("promote", "a/b"), "Expected a registered model as models:/NAME@ALIAS"),
        (("promote", "2", "--reason", "x" * 2001), "Expected a reason of at most 2,000 characters."),
        (
            ("rollback", "--name", "other"),
            "There is no model other in the registry. It has the models tintype.",
        ),
        (("history", "--name", "other"), "There is no model other in the registry."),
    ],
)
def test_what_is_not_there_is_reported_in_a_sentence(
    three: MlflowClient, arguments: tuple[str, ...], sentence: str
) -> None:
    result = _tintype(*arguments)
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert sentence in result.stderr
    assert result.stderr.count("\n") == 1
    assert _champion(three) == "1"


@pytest.mark.parametrize("command", [("promote", "1"), ("rollback",), ("history",)])
def test_asking_makes_no_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    monkeypatch.chdir(tmp_path)
    result = _tintype(*command)
    assert result.exit_code == 1
    assert "but there is none yet" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["dvc.yaml"]


def test_a_model_without_versions_had_no_champion(project: Path) -> None:
    connect(find_store()).create_registered_model("tintype")
    assert _tintype("history").stdout == "tintype has had no champion yet.\n"
    assert _history() == []
    assert "before now, but its history has none" in _tintype("rollback").stderr


def test_the_loop_works_on_a_server(
    server: str,
    make_bundle: MakeBundle,
    reports: Reports,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    with tracked_run("train", "photos", load_params(Path(__file__).parents[2] / "params.yaml")) as run:
        run.epoch(1, {"loss": 0.5})
    (reports[0] / "run.json").write_text(json.dumps(run.describe()))
    bundle = make_bundle("first")
    made = register(bundle, *reports, PARAMS, "sample")
    assert (made.run_id, made.aliases) == (run.run_id, ["challenger", "champion"])
    assert register(bundle, *reports, PARAMS, "sample") == made
    register(make_bundle("second"), *reports, PARAMS, "sample")
    with pytest.raises(RegistryError, match="There is no models:/tintype@best"):
        resolve("models:/tintype@best")
    client = connect(find_store())
    assert _tintype("promote", "2").exit_code == 0
    found = resolve("models:/tintype@champion")  # there is a whole copy in the cache from now on
    assert found.is_relative_to(tmp_path / "cache")
    assert read_info(found) == read_info(tmp_path / "bundle-second")
    assert (
        _tintype("rollback").stdout == "Version 1 of tintype is the champion now; before it was version 2.\n"
    )
    (network,) = (tmp_path / "server").rglob("bundle-second/network.keras")
    network.unlink()
    result = _tintype("promote", "2")
    assert result.exit_code == 1
    assert "Expected the files of version 2 of tintype, whole, at mlflow-artifacts:/" in result.stderr
    assert "/tmp" not in result.stderr.partition("Received")[2]
    assert _champion(client) == "1"
