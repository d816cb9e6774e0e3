"""A server that fails on demand; see tests/support/kaggle_server.py."""

import importlib.util
import random
import sys
from pathlib import Path

import pytest

SUPPORT = next(parent for parent in Path(__file__).parents if parent.name == "tests") / "support"


@pytest.fixture(scope="session")
def kaggle_server():
    """The module `kaggle_server`."""
    if "kaggle_server" not in sys.modules:
        spec = importlib.util.spec_from_file_location("kaggle_server", SUPPORT / "kaggle_server.py")
        sys.modules["kaggle_server"] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules["kaggle_server"]


@pytest.fixture
def server(kaggle_server, tmp_path):
    """A running server that hands out 1 MB of noise; its faults are where "storage"."""
    archive = tmp_path / "served" / "noise.bin"
    archive.parent.mkdir()
    archive.write_bytes(random.Random(1).randbytes(1_000_000))
    with kaggle_server.running(kaggle_server.KaggleServer(archive)) as running:
        yield running


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")  # whoever runs the tests may sit behind one
