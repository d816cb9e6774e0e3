"""The model that a person means."""

import json
import shutil
from pathlib import Path

import pytest

from tintype.cli.lineage import find_model
from tintype.errors import UsageError
from tintype.models.bundle import bundle_digest, read_info


@pytest.fixture
def project(here, bundle):
    """The current folder: a project with a trained bundle."""
    shutil.copytree(bundle, "models/tintype")
    return here


def registered(digest):
    Path("reports").mkdir(exist_ok=True)
    said = {"name": "portraits", "version": 7, "run_id": "abc", "bundle_sha256": digest}
    Path("reports/register.json").write_text(json.dumps(said))


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
