"""The vocabulary of commands."""

import re
import subprocess

import pytest


@pytest.fixture
def make(root):
    return lambda *arguments: (
        subprocess.run(
            ["make", "--no-print-directory", *arguments], cwd=root, capture_output=True, text=True, check=True
        ).stdout
    )


def test_make_alone_lists_every_command(make, root):
    listed = re.findall(r"^  make (\S+) +\S", make(), re.M)
    phony = re.search(r"^\.PHONY: (.*)$", (root / "Makefile").read_text(), re.M).group(1).split()
    assert set(phony) - set(listed) == {"env-pipeline", "env-serve", "in-git"}
    assert {"demo", "test", "check", "pipeline", "mlflow", "serve", "bento", "container", "bench"} <= set(
        listed
    )


def test_every_command_is_what_make_can_run(make):
    for target in re.findall(r"^  make (\S+)", make(), re.M):
        assert make("--dry-run", target)


def test_hooks_and_make_check_run_the_same_tools(make, root):
    tools = {"ruff format", "ruff check", "mypy", "lint-imports", "check-jsonschema", "zizmor"}
    checked = set(re.findall(r"run --no-sync (ruff \w+|[a-z-]+)", make("--dry-run", "check")))
    hooked = set(
        re.findall(r"run --no-sync (ruff \w+|[a-z-]+)", (root / ".pre-commit-config.yaml").read_text())
    )
    assert checked == hooked == tools
