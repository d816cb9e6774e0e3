"""`tintype serve --follow` with two workers, from a registry on a server that comes and goes."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from mlflow import MlflowClient

from tintype.params import RegisterParams
from tintype.registry.register import register

AREA = Path(__file__).parents[1] / "registry"
PARAMS = RegisterParams(experiment="tests", model_name="tintype")
IN_A_ROW = 40  # answers; by two workers in turns, one of them would have shown itself


@pytest.fixture(scope="module")
def following() -> ModuleType:
    """The helpers of the registry's tests of the same command."""
    spec = importlib.util.spec_from_file_location("follow_of_registry", AREA / "test_follow.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def running(following: ModuleType, folder: Path, registry: str, port: int | None = None) -> Iterator[Any]:
    folder.mkdir(exist_ok=True)
    service = following.Service(folder, registry, "--workers", "2", port=port)
    try:
        yield service
    finally:
        service.stop()


def settled(service: Any, is_there: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The facts when whichever worker answers has them."""
    row = 0

    def so(facts: dict[str, Any]) -> bool:
        nonlocal row
        row = row + 1 if is_there(facts) else 0
        return row >= IN_A_ROW

    facts: dict[str, Any] = service.wait(so)
    return facts


@pytest.mark.timeout(600)
def test_two_workers_follow_and_outlive_the_registry(
    following: ModuleType,
    startable: Any,
    bundle: Path,
    pyramid_bundle: Path,
    reports: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    monkeypatch.chdir(tmp_path)
    home = tmp_path / "service"
    with ExitStack() as up:
        registry = up.enter_context(startable())
        monkeypatch.setenv("MLFLOW_TRACKING_URI", registry)
        client = MlflowClient(registry, registry_uri=registry)
        first, second = (
            str(register(one, *reports, PARAMS, "sample").version) for one in (bundle, pyramid_bundle)
        )
        client.set_registered_model_alias("tintype", "champion", first)
        with running(following, home, registry) as service:
            settled(service, lambda facts: facts["version"] == first)
            client.set_registered_model_alias("tintype", "champion", second)
            settled(service, lambda facts: facts["version"] == second)
            up.close()  # the registry is down
            facts = settled(service, lambda facts: facts["following"]["error"] != "")
            assert facts["version"] == second
            assert f"MLflow store at {registry}" in facts["following"]["error"]
            with startable():
                client.set_registered_model_alias("tintype", "champion", first)
                facts = settled(service, lambda facts: facts["version"] == first)
                assert facts["following"]["error"] == ""
            port = service.port
    # It starts while there is no registry: with what it answered with last, and says so.
    with running(following, home, registry, port) as service:
        facts = settled(service, lambda facts: facts["version"] == first)
        assert facts["following"]["error"] != ""
        assert "Beginning with " in service.log.read_text()
