"""Registrations that are killed, slow, or two at once: one version, whole, and no alias before that."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tintype.models.bundle import bundle_digest, read_info
from tintype.params import RegisterParams
from tintype.registry import store
from tintype.registry.backfill import ensure_run
from tintype.registry.register import ensure_model, register
from tintype.registry.resolve import resolve
from tintype.registry.runs import experiment_id
from tintype.registry.store import RegistryError, as_default, connect, find_store
from tintype.registry.versions import check_files, create_version, missing_files

pytestmark = pytest.mark.timeout(600)  # a server starts in between

PARAMS = RegisterParams(model_name="tintype", experiment="photos")
MakeBundle = Callable[[str], Path]
Reports = tuple[Path, Path]

SLOW = RegisterParams(model_name="slow", experiment="slow")  # the server is one for all tests
KILLED = RegisterParams(model_name="killed", experiment="killed")

REGISTER = """
import sys
from pathlib import Path
from tintype.params import RegisterParams
from tintype.registry.register import register
name, experiment, *paths = sys.argv[1:]
bundle, train, evaluation = map(Path, paths)
params = RegisterParams(model_name=name, experiment=experiment)
print(register(bundle, train, evaluation, params, "sample").version)
"""


def _start(bundle: Path, reports: Reports, params: RegisterParams = PARAMS) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", REGISTER, params.model_name, params.experiment, bundle, *reports],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _all_that_is_there(client: Any, params: RegisterParams = PARAMS) -> tuple[int, list[str], int]:
    """How many versions, the states of logged models, how many runs."""
    experiment = client.get_experiment_by_name(params.experiment).experiment_id
    models = client.search_logged_models([experiment])
    return (
        len(client.search_model_versions(f"name = '{params.model_name}'")),
        [model.status.name for model in models],
        len(client.search_runs([experiment])),
    )


def test_two_processes_with_one_bundle_make_one_version_in_a_store_that_they_make(
    project: Path, make_bundle: MakeBundle, reports: Reports
) -> None:
    shutil.rmtree(project / ".mlflow")  # they are the first, and both want to make its tables
    bundle = make_bundle("first")
    both = [_start(bundle, reports) for _ in range(2)]
    for process in both:
        out, err = process.communicate(timeout=240)
        assert (process.returncode, out) == (0, "1\n"), err
    assert _all_that_is_there(connect(find_store())) == (1, ["READY"], 1)


def test_two_machines_with_one_bundle_make_one_version(
    project: Path, make_bundle: MakeBundle, reports: Reports
) -> None:
    """Where no lock is shared: both have looked, neither has found a version, both make one."""
    bundle = make_bundle("first")
    info, store = read_info(bundle), find_store()
    client, digest = connect(store), bundle_digest(info)
    experiment = experiment_id(client, store, "photos")
    run_id = ensure_run(client, experiment, reports[0], digest, "sample")
    one = ensure_model(client, run_id, "tintype", bundle, info, digest)
    client.finalize_logged_model(one, "FAILED")  # as the other machine sees it while it is uploaded
    two = client.create_logged_model(experiment, "tintype", run_id, tags={"bundle_sha256": digest}).model_id
    with as_default(store):
        tags = {"bundle_sha256": digest}
        made = [create_version(client, "tintype", model, run_id, tags) for model in (one, two)]
    assert [str(version.version) for version in made] == ["1", "1"]
    assert len(client.search_model_versions()) == 1


def test_a_registration_killed_during_its_upload_is_finished_by_the_next(
    way: Any, shared_server: str, make_bundle: MakeBundle, reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = make_bundle("first")
    way.hold_uploads()
    process = _start(bundle, reports, KILLED)
    assert way.uploading.wait(120), process.poll()
    process.kill()
    process.wait()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", shared_server)
    client = connect(find_store())
    assert client.search_model_versions("name = 'killed'") == [], "a version is made only of what is there"
    assert [state for state in _all_that_is_there(client, KILLED)[1] if state == "READY"] == []

    made = register(bundle, *reports, KILLED, "sample")

    assert (made.version, made.aliases) == (1, ["challenger", "champion"])
    assert _all_that_is_there(client, KILLED) == (1, ["READY"], 1)
    assert missing_files(client, find_store(), client.get_model_version("killed", "1")) == []
    assert read_info(resolve("models:/killed@champion")) == read_info(bundle)


def test_a_server_that_takes_its_time_for_a_file_is_waited_for(
    way: Any, make_bundle: MakeBundle, reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "MLFLOW_HTTP_REQUEST_TIMEOUT"
    monkeypatch.setitem(store._BOUNDS, name, "5")
    monkeypatch.setenv(name, "5")
    way.delay_first_upload(7.0)  # longer than any other answer may take
    begun = time.monotonic()
    made = register(make_bundle("first"), *reports, SLOW, "sample")
    assert made.version == 1
    assert time.monotonic() - begun > 7
    assert way.delayed == 1, "once is enough"


def test_files_that_were_lost_are_put_back_before_an_alias_moves(
    project: Path, make_bundle: MakeBundle, reports: Reports
) -> None:
    bundle, other = make_bundle("first"), make_bundle("second")
    register(bundle, *reports, PARAMS, "sample")
    register(other, *reports, PARAMS, "sample")
    client, store = connect(find_store()), find_store()
    first = client.get_model_version("tintype", "1")
    lost = resolve("models:/tintype/1") / "network.keras"
    lost.unlink()
    assert missing_files(client, store, first) == ["artifacts/bundle-first/network.keras"]
    with pytest.raises(RegistryError, match="No alias is moved to it"):
        check_files(client, store, first)

    made = register(bundle, *reports, PARAMS, "sample")

    assert (made.version, "challenger" in made.aliases) == (1, True)
    assert lost.is_file()
    assert missing_files(client, store, first) == []


def test_a_version_without_its_files_gets_no_alias(
    project: Path, make_bundle: MakeBundle, reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store loses a file between the upload and the alias."""
    from tintype.registry import register as registration

    def lose(*arguments: Any) -> None:
        next((project / ".mlflow/artifacts").rglob("network.keras")).unlink()

    monkeypatch.setattr(registration, "ensure_judged", lose)
    with pytest.raises(RegistryError, match="Expected the files of version 1 of tintype, whole"):
        register(make_bundle("first"), *reports, PARAMS, "sample")
    assert connect(find_store()).get_registered_model("tintype").aliases == {}


def test_a_registration_that_never_ends_is_not_waited_for_for_ever(
    project: Path, make_bundle: MakeBundle, reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tintype.files.lock import locked
    from tintype.registry import register as registration

    monkeypatch.setattr(registration, "_LOCK_SECONDS", 0.2)
    with (
        locked(project / ".mlflow/.registering", 1),
        pytest.raises(RegistryError, match=r"It registers a version\. Wait until it is done"),
    ):
        register(make_bundle("first"), *reports, PARAMS, "sample")
