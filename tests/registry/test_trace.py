"""From a coloured photo back to the version, the run, the code and the data, through a real store."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from PIL import Image
from typer.testing import CliRunner

from tintype.cli import app
from tintype.formats.xmp import provenance_xmp
from tintype.imaging.provenance import Lineage, Provenance
from tintype.params import RegisterParams
from tintype.registry.register import Registration, register
from tintype.registry.resolve import resolve_version
from tintype.registry.store import RegistryError, as_default, connect, find_store
from tintype.registry.trace import trace_version

Reports = tuple[Path, Path]
PARAMS = RegisterParams(model_name="tintype", experiment="photos")
ORIGINAL = b"the photo as it came"


@pytest.fixture
def registered(project: Path, make_bundle: Callable[[str], Path], reports: Reports) -> Registration:
    """Version 1, the champion."""
    return register(make_bundle("first"), *reports, PARAMS, "sample")


@pytest.fixture
def lineage(registered: Registration) -> Lineage:
    """What a photo coloured by the champion says of it."""
    return resolve_version("models:/tintype@champion").lineage


@pytest.fixture
def coloured(tmp_path: Path) -> Callable[[Lineage], Path]:
    """Makes a photo that says that a model coloured it."""

    def make(lineage: Lineage) -> Path:
        made = Provenance(lineage, hashlib.sha256(ORIGINAL).hexdigest(), {"saturation": "1"})
        Image.new("RGB", (8, 8)).save(tmp_path / "coloured.jpg", xmp=provenance_xmp(made))
        return tmp_path / "coloured.jpg"

    return make


def _tintype(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_photo_is_traced_to_version_run_commit_and_data(
    project: Path, registered: Registration, lineage: Lineage, coloured: Callable[[Lineage], Path]
) -> None:
    result = _tintype("trace", coloured(lineage))
    head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    assert (result.exit_code, result.stderr) == (0, "")
    output = " ".join(result.stdout.split())
    assert "are AI-made" in output
    assert "version 1 of tintype, now challenger and champion" in output
    assert f"run {registered.run_id} ({head.stdout[:7]} sample)" in output
    assert f"commit {head.stdout.strip()} (all)" in output
    assert "kept with the run as lineage/dvc.lock the same commit agrees" in output
    assert f"manifest, SHA-256 {'5' * 64}" in output
    assert registered.bundle_sha256 in output
    assert "not reached" not in output


def test_programs_get_the_same_as_json(
    lineage: Lineage, registered: Registration, coloured: Callable[[Lineage], Path]
) -> None:
    answer = json.loads(_tintype("trace", "--json", coloured(lineage)).stdout)
    assert answer["registry"]["lineage"]["version"] == "1"
    assert answer["registry"]["aliases"] == ["challenger", "champion"]
    assert answer["model"]["bundle_sha256"] == registered.bundle_sha256
    assert answer["commit_subject"] == "all"
    assert answer["parameters"] == {"saturation": "1"}
    assert answer["dvc_lock"] == {
        "kept": True,
        "commit": answer["model"]["git_commit"],
        "in_workspace": True,
        "differing": [],
    }
    assert (answer["manifest"], answer["photos"]) == (None, {})
    (problem,) = answer["problems"]  # the bundle says that it was made from a manifest which never was
    assert f"The manifest {'5' * 64} is neither in this project nor in DVC's cache." in problem


def test_the_digest_finds_the_version_whatever_the_photo_calls_it(
    registered: Registration, lineage: Lineage
) -> None:
    found = trace_version(Lineage("another name", "99", lineage.bundle_sha256))
    assert (found.lineage.name, found.lineage.version) == ("tintype", "1")


def _register_again(registered: Registration, digest: str, run_id: str | None = None) -> None:
    """Make another version of the champion's files by hand."""
    with as_default(find_store()):
        connect(find_store()).create_model_version(
            "tintype", f"models:/{registered.model_id}", run_id, tags={"bundle_sha256": digest}
        )


def test_of_two_versions_of_one_bundle_the_photos_own_is_found(
    registered: Registration, lineage: Lineage
) -> None:
    _register_again(registered, lineage.bundle_sha256)
    assert trace_version(lineage).lineage.version == "1"
    assert trace_version(replace(lineage, version="")).lineage.version == "2"


def test_without_a_digest_name_and_number_count(registered: Registration) -> None:
    assert trace_version(Lineage("tintype", "1")).lineage.version == "1"
    for unknown in (
        Lineage("tintype"),
        Lineage("tintype", "2"),
        Lineage("a'b", "1"),
        Lineage("tintype", "x"),
    ):
        with pytest.raises(RegistryError, match="not in the registry"):
            trace_version(unknown)


def test_a_digest_that_is_not_registered_is_not_replaced_by_a_name(registered: Registration) -> None:
    with pytest.raises(RegistryError, match="not in the registry"):
        trace_version(Lineage("tintype", "1", "0" * 64))


def test_a_run_that_is_gone_leaves_the_rest_to_be_reported(registered: Registration) -> None:
    _register_again(registered, "e" * 64, run_id="7" * 32)
    found = trace_version(Lineage("tintype", "2", "e" * 64))
    assert (found.lineage.version, found.lineage.run_id, found.run_name) == ("2", "7" * 32, "")
    assert found.aliases == ()


def test_a_lock_that_another_registration_replaced_is_not_claimed(
    registered: Registration, lineage: Lineage
) -> None:
    assert trace_version(lineage).kept_lock == Path("dvc.lock").read_text()
    other = Path("dvc.lock")
    other.write_text("schema: '2.0' # later\n")
    connect(find_store()).log_artifact(registered.run_id, str(other), "lineage")
    assert trace_version(lineage).kept_lock == ""


def test_what_the_registry_says_otherwise_is_reported(
    registered: Registration, lineage: Lineage, coloured: Callable[[Lineage], Path]
) -> None:
    result = _tintype("trace", coloured(replace(lineage, run_id="7" * 32)))
    assert result.exit_code == 0
    assert f"The photo says run_id {'7' * 32}, the registry says {registered.run_id}." in result.stdout


def test_away_from_the_project_the_photos_own_words_are_reported(
    lineage: Lineage, coloured: Callable[[Lineage], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    result = _tintype("trace", coloured(lineage))
    assert (result.exit_code, result.stderr) == (0, "")
    assert lineage.manifest_sha256 in result.stdout
    assert "The registry's version was not reached. Expected dvc.yaml" in result.stdout
    assert "is in no git repository here" in result.stdout
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_server_that_does_not_answer_is_reported(
    lineage: Lineage, coloured: Callable[[Lineage], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    result = _tintype("trace", coloured(lineage))
    assert result.exit_code == 0
    assert "The registry's version was not reached. Expected an answer" in result.stdout


def test_a_project_without_a_store_gets_none_by_being_asked(
    lineage: Lineage, coloured: Callable[[Lineage], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    (fresh / "dvc.yaml").write_text("stages: {}\n")
    monkeypatch.chdir(fresh)
    assert "there is none yet" in _tintype("trace", coloured(lineage)).stdout
    assert not (fresh / ".mlflow").exists()


def test_the_original_is_recognised(
    lineage: Lineage, coloured: Callable[[Lineage], Path], tmp_path: Path
) -> None:
    photo = coloured(lineage)
    (tmp_path / "same.jpg").write_bytes(ORIGINAL)
    (tmp_path / "other.jpg").write_bytes(ORIGINAL + b"!")
    same = _tintype("trace", photo, "--original", tmp_path / "same.jpg")
    other = _tintype("trace", photo, "--original", tmp_path / "other.jpg")
    assert (same.exit_code, other.exit_code) == (0, 1)
    assert "is the original." in same.stdout
    assert "is not the original." in other.stdout
    as_json = _tintype("trace", photo, "--json", "--original", tmp_path / "other.jpg")
    assert json.loads(as_json.stdout)["is_original"] is False


@pytest.mark.parametrize("content", [None, b"", b"text", b"\xff\xd8\xff\xe1\xff\xff"])
def test_a_file_that_says_nothing_is_reported_in_a_sentence(tmp_path: Path, content: bytes | None) -> None:
    photo = tmp_path / "photo.jpg"
    if content is not None:
        photo.write_bytes(content)
    result = _tintype("trace", photo)
    assert result.exit_code == 1
    assert result.stderr.startswith("error: Expected")
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


def test_a_hostile_photo_cannot_ask_the_registry_something_else(
    registered: Registration, tmp_path: Path, lineage: Lineage
) -> None:
    stated: Any = replace(lineage, bundle_sha256="' OR name = 'tintype")
    Image.new("RGB", (8, 8)).save(tmp_path / "a.jpg", xmp=provenance_xmp(Provenance(stated, "a" * 64)))
    result = _tintype("trace", tmp_path / "a.jpg")
    assert result.exit_code == 1
    assert "hexadecimal" in result.stderr
