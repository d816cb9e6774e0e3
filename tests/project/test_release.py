"""A release: what somebody sends is never a command, and what goes wrong is a sentence."""

import os
import subprocess
import sys

import pytest


@pytest.fixture
def release(root):
    def run(step: str, **environment: str) -> subprocess.CompletedProcess[str]:
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("TINTYPE", "MLFLOW"))
        }
        return subprocess.run(
            [sys.executable, root / ".ci/release.py", step],
            env=kept | environment,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


def test_the_command_of_the_deployment_gets_image_and_version(release, tmp_path):
    done = release(
        "deploy",
        TINTYPE_IMAGE="example.org/tintype:v3-cpu-0123",
        TINTYPE_VERSION="3",
        TINTYPE_DEPLOY=f'echo "$TINTYPE_IMAGE is $TINTYPE_VERSION" > {tmp_path}/told',
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "told").read_text() == "example.org/tintype:v3-cpu-0123 is 3\n"


def test_a_deployment_that_fails_is_reported(release):
    done = release("deploy", TINTYPE_IMAGE="i", TINTYPE_DEPLOY="exit 7")
    assert (done.returncode, "It ended with 7." in done.stderr) == (1, True)


@pytest.mark.parametrize(
    "version", ["1; touch {}", "$(touch {})", "champion && touch {}", "../1", "Champion", "-1"]
)
def test_a_version_is_a_number_or_an_alias(release, tmp_path, version, monkeypatch):
    for program in ("docker", "buildah", "podman"):  # so that it is the version which is refused
        (tmp_path / program).write_text("#!/bin/sh\nexit 1\n")
        (tmp_path / program).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    done = release("image", TINTYPE_VERSION=version.format(tmp_path / "made"))
    assert done.returncode == 1
    assert "Expected a version's number or an alias in TINTYPE_VERSION" in done.stderr
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("registry", ["tintype", "--all/x", "ghcr.io/", "ghcr.io/a b", "ghcr.io/o/t;id"])
def test_a_registry_is_a_host_and_a_name(release, registry):
    done = release("push", TINTYPE_BUILT="localhost/tintype:v1-cpu-0", TINTYPE_REGISTRY=registry)
    assert (done.returncode, "Expected HOST/NAME in TINTYPE_REGISTRY" in done.stderr) == (1, True)


def test_what_is_missing_is_named(release):
    for step, name in {"push": "TINTYPE_BUILT", "deploy": "TINTYPE_DEPLOY", "smoke": "TINTYPE_URL"}.items():
        done = release(step)
        assert (done.returncode, f"Expected {name} in the environment" in done.stderr) == (1, True)
    assert "Expected one of image, push, deploy, smoke" in release("sing").stderr


def test_a_service_that_does_not_come_is_a_sentence_in_bounded_time(release):
    done = release("smoke", TINTYPE_URL="http://127.0.0.1:9", TINTYPE_READY_SECONDS="1")
    assert (done.returncode, "Expected http://127.0.0.1:9/readyz to answer 200." in done.stderr) == (1, True)
