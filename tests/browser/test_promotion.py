"""A person promotes a version in MLflow's own pages; the history notices it, and the shell takes it back."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient
from playwright.sync_api import Browser, Page, expect
from tests.support import desk as hands
from typer.testing import CliRunner

from tintype.cli import app
from tintype.files.atomic import write_json
from tintype.models.bundle import read_info
from tintype.models.starter import starter_bundle
from tintype.params import RegisterParams
from tintype.registry.history import notice, read
from tintype.registry.register import register, register_starter
from tintype.registry.store import connect, find_store

pytestmark = pytest.mark.timeout(600)
ROOT = Path(__file__).parents[2]
PARAMS = RegisterParams(model_name="tintype", experiment="photos")
PATIENCE = hands.PATIENCE_MS


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The current folder: a project whose registry has the starter as champion and a challenger of other colours."""
    folder = tmp_path_factory.mktemp("promotion") / "project"
    folder.mkdir()
    (folder / "dvc.yaml").write_text("stages: {}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.chdir(folder)
        register_starter(PARAMS)
        evaluation = starter_bundle().parent  # with the figures that come along
        register(_challenger(folder), _train_report(folder), evaluation, PARAMS, "sample")
        yield folder


def _challenger(folder: Path) -> Path:
    """The starter with stronger colours: whole, and another bundle."""
    bundle = folder / "models/tintype"
    shutil.copytree(starter_bundle(), bundle)
    info = read_info(bundle)
    stronger = info.decoding.model_copy(update={"gain": info.decoding.gain * 1.1})
    write_json(bundle / "bundle.json", info.model_copy(update={"decoding": stronger}).model_dump(mode="json"))
    return bundle


def _train_report(folder: Path) -> Path:
    report = folder / "reports/train"
    write_json(report / "run.json", {"run_id": "0" * 32, "tracking_uri": "", "experiment": "photos"})
    shutil.copy(ROOT / "reports/train/history.csv", report)
    return report


@pytest.fixture(scope="module")
def mlflow_pages(project: Path) -> Iterator[str]:
    """The address of what `make mlflow` starts."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = project.parent / "server.log"
    with log.open("w") as output:
        command = ["make", "-f", str(ROOT / "Makefile"), "mlflow", f"PORT={port}", "UV=true"]
        command.append(f"RUN={sys.executable} -m")
        process = subprocess.Popen(command, cwd=project, stdout=output, stderr=output)
    address = f"http://127.0.0.1:{port}"
    try:
        while not _is_healthy(address):
            assert process.poll() is None, log.read_text()
            time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(30)


def _is_healthy(address: str) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/health", timeout=5):
        return True
    return False


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A window of a desk."""
    with hands.desk(chromium) as page:
        yield page


def _champion(client: MlflowClient) -> str:
    return str(client.get_registered_model("tintype").aliases.get("champion", ""))


def _picture(page: Page, tmp_path: Path, name: str) -> None:
    page.screenshot(path=tmp_path / name, type="jpeg", quality=80)


def test_a_person_promotes_in_the_browser_and_the_shell_takes_it_back(
    project: Path, mlflow_pages: str, page: Page, tmp_path: Path
) -> None:
    client = connect(find_store())
    assert _champion(client) == "1"

    hands.open_version(page, mlflow_pages, "2")
    expect(page.get_by_text("Read each figure beside all-gray photos").first).to_be_visible(timeout=PATIENCE)
    _picture(page, tmp_path, "version.jpg")
    dialog = hands.add_champion(page, "1")
    _picture(page, tmp_path, "dialog.jpg")
    hands.save(dialog)
    _picture(page, tmp_path, "promoted.jpg")
    # Asked of the server, not of the page.
    server = MlflowClient(mlflow_pages, registry_uri=mlflow_pages)
    assert server.get_registered_model("tintype").aliases["champion"] == "2"

    seen = notice(client, "tintype", "tintype watch")
    assert seen is not None
    assert (seen.version, seen.previous, seen.by) == ("2", "1", "MLflow, seen by tintype watch")

    done = CliRunner().invoke(app, ["rollback", "--reason", "too strong"])
    assert done.stdout == "Version 1 of tintype is the champion now; before it was version 2.\n", done.stderr
    assert _champion(client) == "1"
    listed = CliRunner().invoke(app, ["history", "--json"])
    assert listed.exit_code == 0, listed.output
    assert [(change["version"], change["by"]) for change in json.loads(listed.stdout)] == [
        ("1", "tintype register"),
        ("2", "MLflow, seen by tintype watch"),
        ("1", "tintype rollback"),
    ]
    assert read(client, "tintype")[-1].reason == "too strong"

    hands.open_version(page, mlflow_pages, "1")
    expect(page.get_by_text("@ champion").first).to_be_visible(timeout=PATIENCE)
    _picture(page, tmp_path, "back.jpg")
