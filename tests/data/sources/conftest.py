"""A server that fails on demand; see tests/support/kaggle_server.py."""

import pytest

from tintype.params import FetchParams


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
