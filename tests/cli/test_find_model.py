"""The model that a person means, by a name or without one."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tintype.errors import TintypeError, UsageError
from tintype.find_model import CHAMPION, find_model
from tintype.imaging.provenance import Lineage
from tintype.models import starter
from tintype.models.bundle import bundle_digest, read_info
from tintype.registry import resolve
from tintype.registry.resolve import NoSuchVersionError, ResolvedVersion


@pytest.fixture
def shipped(here, bundle, monkeypatch):
    """A starter that stands in for the package's; no registry is named."""
    folder = here / "package"
    folder.mkdir()
    (folder / "bundle").symlink_to(bundle)
    monkeypatch.setattr(starter, "FOLDER", folder)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return folder / "bundle"


def test_without_a_registry_it_is_the_starter(shipped, bundle):
    found = find_model(None)
    assert found.bundle == shipped
    assert (found.lineage.name, found.lineage.version) == ("tintype", "starter")
    assert found.lineage.bundle_sha256 == bundle_digest(read_info(bundle))
    assert find_model("starter") == found


def test_what_lies_in_models_does_not_push_the_starter_out(shipped, bundle):
    Path("models").mkdir()
    Path("models/tintype").symlink_to(bundle)
    assert find_model(None).bundle == shipped
    assert find_model("models/tintype").bundle == Path("models/tintype")


def test_a_project_that_has_run_nothing_yet_has_no_registry(shipped, here):
    Path("dvc.yaml").write_text("stages: {}\n")
    assert find_model(None).lineage.version == "starter"
    assert not Path(".mlflow").exists()


def test_where_there_is_a_registry_it_is_the_champion(shipped, here, bundle, monkeypatch):
    Path("dvc.yaml").write_text("stages: {}\n")
    Path(".mlflow").mkdir()
    Path(".mlflow/mlflow.db").touch()
    champion = ResolvedVersion(bundle, Lineage("tintype", "7"), "Good.")
    asked = []
    monkeypatch.setattr(
        resolve, "resolve_version", lambda address, store: asked.append((address, store.uri)) or champion
    )
    found = find_model(None)
    assert (found.lineage.version, found.judgement) == ("7", "Good.")
    assert asked == [(CHAMPION, f"sqlite:///{here}/.mlflow/mlflow.db")]


def test_a_registry_that_is_named_and_not_there_is_no_reason_to_take_another_model(
    shipped, here, monkeypatch
):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{here}/none.db")
    with pytest.raises(TintypeError, match=r"champion in the MLflow store at .*there is none yet"):
        find_model(None)


def test_an_empty_registry_is_reported_and_the_starter_taken(shipped, here, monkeypatch):
    Path("there.db").touch()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{here}/there.db")
    monkeypatch.setattr(resolve, "resolve_champion", lambda name, store: None)
    with pytest.warns(UserWarning, match="has no model yet: the starter is used"):
        assert find_model(None).lineage.version == "starter"
    notes = []
    find_model(None, notes.append)
    assert len(notes) == 1


def test_a_champion_that_was_taken_away_is_an_error(shipped, here, monkeypatch):
    Path("there.db").touch()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{here}/there.db")

    def missing(name, store):
        raise NoSuchVersionError("There is no champion.")

    monkeypatch.setattr(resolve, "resolve_champion", missing)
    with pytest.raises(TintypeError, match="There is no champion"):
        find_model(None)


def test_without_mlflow_it_says_what_can_be_done(shipped, monkeypatch):
    def no_mlflow(address):
        raise ModuleNotFoundError(name="mlflow")

    monkeypatch.setattr(resolve, "resolve_version", no_mlflow)
    with pytest.raises(TintypeError, match=r"needs the package mlflow: run .*--model starter"):
        find_model(CHAMPION)


def test_an_installation_without_a_starter_says_so(shipped):
    shipped.unlink()
    with pytest.raises(TintypeError, match="comes without it"):
        find_model(None)


def test_without_a_registry_nothing_heavy_is_imported(shipped, here):
    code = (
        "import sys; from pathlib import Path; from tintype.models import starter; "
        f"starter.FOLDER = Path({str(shipped.parent)!r}); from tintype.find_model import find_model; "
        "find_model(None); print(*{'mlflow', 'keras', 'tensorflow', 'pandas'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.fixture
def project(here, bundle):
    """The current folder: a project with a trained bundle."""
    shutil.copytree(bundle, "models/tintype")
    return here


def registered(digest):
    Path("reports").mkdir(exist_ok=True)
    report = {"name": "portraits", "version": 7, "run_id": "abc", "bundle_sha256": digest}
    Path("reports/register.json").write_text(json.dumps(report))


def test_a_folders_lineage_is_what_its_bundle_says(project, bundle):
    found = find_model("models/tintype")
    assert found.bundle == Path("models/tintype")
    info = read_info(bundle)
    assert found.lineage.bundle_sha256 == bundle_digest(info)
    assert found.lineage.manifest_sha256 == info.data.manifest_sha256
    assert (found.lineage.name, found.lineage.version) == ("tintype", "")
    with pytest.raises(UsageError, match="nowhere"):
        find_model("nowhere")


def test_a_folder_has_the_version_that_its_pipeline_registered(project):
    digest = find_model("models/tintype").lineage.bundle_sha256
    registered(digest)
    lineage = find_model("models/tintype").lineage
    assert (lineage.name, lineage.version, lineage.run_id) == ("portraits", "7", "abc")
    assert lineage.bundle_sha256 == digest
    assert find_model(str(project / "models/tintype")).lineage == lineage


def test_another_bundles_registration_says_nothing(project):
    registered("0" * 64)
    assert find_model("models/tintype").lineage.version == ""
    Path("reports/register.json").write_text("torn")
    assert find_model("models/tintype").lineage.version == ""
