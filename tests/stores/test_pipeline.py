"""The pipeline with data in S3 and versions on the server: what one machine made, another need not make again."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.timeout(1200)

GIT = ("git", "-c", "user.name=Test", "-c", "user.email=test@example.org")


def test_what_was_pushed_is_pulled_into_a_fresh_clone_where_nothing_is_left_to_do(
    fresh_project: Any, s3: Any, server: str, tmp_path: Path
) -> None:
    project = fresh_project
    project.environment |= s3.environment | {"MLFLOW_TRACKING_URI": server}
    for command in (
        ("dvc", "remote", "add", "--default", "store", "s3://dvc/tintype"),
        ("dvc", "remote", "modify", "store", "endpointurl", s3.url),
        ("dvc", "repro"),
        ("dvc", "push"),
        ("git", "add", "."),
        (*GIT, "commit", "-qm", "A model"),
        ("git", "clone", "-q", str(project.root), str(tmp_path / "clone")),
    ):
        _run(project, project.root, *command)
    made = json.loads((project.root / "reports/register.json").read_text())
    assert (made["name"], made["version"] >= 1) == ("tintype", True)
    assert ("challenger" in made["aliases"]) == (made["verdict"] != "fail")
    assert any(made["model_id"] in key for key in s3.keys("mlflow"))
    assert all(key.startswith("tintype/files/md5/") for key in s3.keys("dvc"))
    config = (tmp_path / "clone/.dvc/config").read_text()
    assert s3.environment["AWS_SECRET_ACCESS_KEY"] not in config, "credentials stay out of git"

    _run(project, tmp_path / "clone", "dvc", "pull")
    output = _run(project, tmp_path / "clone", "dvc", "repro")

    assert "Data and pipelines are up to date." in output
    assert "Running stage" not in output
    assert json.loads((tmp_path / "clone/reports/register.json").read_text()) == made
    for name in ("models/tintype/bundle.json", "reports/evaluate/grid.jpg", "reports/train/run.json"):
        assert (tmp_path / "clone" / name).read_bytes() == (project.root / name).read_bytes()
    assert _run(project, tmp_path / "clone", "git", "status", "--porcelain") == ""


def _run(project: Any, folder: Path, *command: str) -> str:
    done = subprocess.run(
        command, cwd=folder, env=project.environment, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return str(done.stdout + done.stderr)
