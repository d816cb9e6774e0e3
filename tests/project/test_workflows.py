"""Workflows: what runs there runs here, with the least rights. `make check` has zizmor look for the rest."""

import re
import subprocess
from typing import Any

import pytest
from ruamel.yaml import YAML

# A step that is no make target, and why it may be
NOT_MAKE = {"bash .ci/run": "make check and make test, after the browser that they need"}
WRITES = {  # the only jobs that may change anything, and what
    ("pipeline.yml", "comment"): {"pull-requests"},
    ("release.yml", "image"): {"packages"},
}


@pytest.fixture(scope="module")
def workflows(root) -> dict[str, dict[str, Any]]:
    folder = root / ".github/workflows"
    return {path.name: YAML(typ="safe").load(path) for path in sorted(folder.glob("*.y*ml"))}


@pytest.fixture(scope="module")
def jobs(workflows) -> dict[tuple[str, str], dict[str, Any]]:
    return {(name, job): content for name, flow in workflows.items() for job, content in flow["jobs"].items()}


@pytest.fixture(scope="module")
def steps(jobs) -> list[dict[str, Any]]:
    return [step for job in jobs.values() for step in job["steps"]]


def test_every_step_is_a_command_that_people_have(root, steps):
    commands = [step["run"].strip() for step in steps if "run" in step]
    assert len(commands) > 8
    for command in set(commands) - set(NOT_MAKE):
        assert re.fullmatch(r"make [a-z-]+", command), command
        subprocess.run(["make", "--dry-run", *command.split()[1:]], cwd=root, check=True, capture_output=True)


def test_rights_are_none_but_what_a_job_says_it_needs(workflows, jobs):
    for flow in workflows.values():
        assert flow["permissions"] == {}
    for name, job in jobs.items():
        writes = {right for right, level in job["permissions"].items() if level != "read"}
        assert writes == WRITES.get(name, set()), name
        assert job["timeout-minutes"] <= 60


def test_no_credentials_stay_in_a_checkout(steps):
    checkouts = [step for step in steps if "actions/checkout@" in step.get("uses", "")]
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_who_may_write_does_not_run_what_a_pull_request_brings(jobs):
    checkout = jobs["pipeline.yml", "comment"]["steps"][0]
    assert checkout["with"]["ref"] == "${{ github.event.pull_request.base.sha }}"
