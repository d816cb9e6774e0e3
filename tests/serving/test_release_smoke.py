"""The last step of a release, asked of a real service."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def _smoke(url: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / ".ci/release.py", "smoke"],
        env=os.environ | {"TINTYPE_URL": url} | environment,
        capture_output=True,
        text=True,
        timeout=240,
    )


@pytest.fixture
def url(server) -> str:
    server.wait_until("/readyz", 200)
    return str(server.url)


def test_a_service_that_works_passes(url: str) -> None:
    done = _smoke(url)
    assert done.returncode == 0, done.stderr
    assert f"{url} is ready and colours black-canyon.jpg with tintype/unregistered" in done.stdout


def test_a_service_with_another_version_does_not(url: str) -> None:
    done = _smoke(url, TINTYPE_VERSION="3")
    assert done.returncode == 1
    assert f"Expected version 3 at {url}. Received: version unregistered." in done.stderr
