"""The corpus, one test for each of its cases, and the running service.

What the tests of several areas need is no package of the project, so it is loaded from its path, once.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

TESTS = Path(__file__).parents[1]


def load(name: str, path: Path) -> ModuleType:
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            name, path, submodule_search_locations=[str(path.parent)] if path.stem == "__init__" else None
        )
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


def load_corpus() -> ModuleType:
    return load("corpus", TESTS / "support/corpus/__init__.py")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    corpus = load_corpus()
    parameters = {"file_case": corpus.FILES, "kind_case": corpus.KINDS, "request_case": corpus.REQUESTS}
    for name, cases in parameters.items():
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, cases, ids=str)


@pytest.fixture(scope="session")
def corpus() -> ModuleType:
    return load_corpus()


@pytest.fixture(scope="session")
def clients() -> ModuleType:
    """Clients that keep a service busy; from the benchmarks."""
    return load("clients", TESTS.parent / "benchmarks/clients.py")


@pytest.fixture(scope="session")
def serving() -> Any:
    """`serving(folder, settings)` starts the real service; from the tests of the service."""
    return load("serving_of_tests", TESTS / "serving/conftest.py").serving


@pytest.fixture(scope="session")
def server(serving: Any, bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The service with its settings as they come, but for the patience with a slow sender."""
    settings = {"TINTYPE_BUNDLE": str(bundle), "TINTYPE_READ_SECONDS": "5"}
    with serving(tmp_path_factory.mktemp("hostile"), settings) as running:
        running.wait_until("/readyz", 200)
        yield running
