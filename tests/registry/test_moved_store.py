"""A project that was copied or moved together with its store."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tintype.cli import app
from tintype.params import Params, RegisterParams, load_params
from tintype.registry.register import register
from tintype.registry.resolve import resolve_version
from tintype.registry.runs import tracked_run
from tintype.registry.store import RegistryError, connect, find_store

NAMES = RegisterParams(model_name="tintype", experiment="photos")


@pytest.fixture
def params() -> Params:
    return load_params(Path(__file__).parents[2] / "params.yaml")


@pytest.fixture
def copied(
    project: Path,
    params: Params,
    make_bundle: Callable[[str], Path],
    reports: tuple[Path, Path],
    tmp_path: Path,
) -> Path:
    """A copy of a project with a run and a version."""
    with tracked_run("train", "photos", params):
        pass
    register(make_bundle("first"), *reports, NAMES, "sample")
    return Path(shutil.copytree(project, tmp_path / "another place"))


def move() -> str:
    done = CliRunner().invoke(app, ["store", "move"])
    assert done.exit_code == 0, done.output
    return " ".join(done.output.split())


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def test_a_copy_writes_nothing_into_the_original_and_is_mended(
    project: Path, copied: Path, params: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = files(project)
    monkeypatch.chdir(copied)
    with (
        pytest.raises(
            RegistryError, match=r"'photos' keeps them in .*a project/\.mlflow/artifacts.*tintype store move"
        ),
        tracked_run("train", "photos", params),
    ):
        pytest.fail("The block was entered.")

    assert f"now, in 5 places; before it was {project}/.mlflow/artifacts." in move()

    with tracked_run("train", "photos", params) as run:
        pass
    assert files(project) == there
    assert list((copied / ".mlflow/artifacts/photos" / run.run_id / "artifacts").iterdir())
    shutil.rmtree(project / ".mlflow")
    assert resolve_version("models:/tintype@champion").bundle.is_relative_to(copied)
    assert "names its own files already" in move()


def test_a_project_that_was_moved_is_mended(
    project: Path, copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(copied)
    moved = project.rename(copied)
    monkeypatch.chdir(moved)
    move()
    assert resolve_version("models:/tintype/1").bundle.is_relative_to(moved)
    moved.rename(project)


def test_files_that_were_left_behind_are_named_and_nothing_is_changed(
    copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(copied / ".mlflow/artifacts")
    monkeypatch.chdir(copied)
    done = CliRunner().invoke(app, ["store", "move"])
    assert done.exit_code == 1
    assert "alone. Copy the folder, then run again." in " ".join(done.output.split())
    with pytest.raises(RegistryError, match="tintype store move"):
        connect(find_store())


def test_a_servers_store_is_left_alone(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    done = CliRunner().invoke(app, ["store", "move"])
    assert done.exit_code == 1
    assert "a server, which keeps its files itself" in " ".join(done.output.split())
