"""A server that fails on demand; see tests/support/kaggle_server.py."""

import importlib.util
import sys
from pathlib import Path

import pytest

from tintype.params import FetchParams

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
def params():
    """Make the block `fetch` of params.yaml."""

    def make(source, **changes):
        defaults = {
            "directory": "mine",
            "kaggle_dataset": "ifigotin/imagenetmini-1000",
            "kaggle_version": 1,
            "photos_per_class": None,
            "photos": None,
        }
        return FetchParams(source=source, **(defaults | changes))

    return make


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")  # whoever runs the tests may sit behind one
