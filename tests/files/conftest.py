"""A server that fails on demand; see tests/support/kaggle_server.py."""

import random

import pytest


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
