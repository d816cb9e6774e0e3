"""Shards made on a cluster: the bytes, the loss of a node or of the driver, and what a refusal says."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

ROOT = Path(__file__).parents[2]
JOURNALLED = Path(__file__).with_name("journalled.py")
pytestmark = pytest.mark.timeout(600)


Digests = Callable[[Path], dict[str, str]]


def test_a_cluster_gives_the_bytes_of_one_process(
    cluster: Any, make_project: Callable[[int], Any], backbone_folder: Path, digests: Digests
) -> None:
    project = make_project(24)
    root = project.root
    project.engine("local")
    for stage, places in (("lab", ["lab"]), ("embed", [backbone_folder, "embeddings"])):
        done = project.run(stage, *places)
        assert done.returncode == 0, done.stderr
    project.engine("ray", cluster.address)

    for stage, places in (("lab", ["ray/lab"]), ("embed", [backbone_folder, "ray/embeddings"])):
        done = project.run(stage, *places)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "of the cluster." in done.stdout  # how many nodes came in time is up to the machine
        assert f"{stage}: 24 photos computed, 0 kept from earlier runs" in done.stdout

    for kind in ("lab", "embeddings"):
        local = digests(root / kind)
        assert len(local) > 20
        assert digests(root / "ray" / kind) == local
    again = project.run("embed", backbone_folder, "ray/embeddings")
    assert "embed: 0 photos computed, 24 kept from earlier runs" in again.stdout


def test_a_node_that_dies_costs_its_running_buckets(
    cluster: Any, make_project: Callable[[int], Any], digests: Digests
) -> None:
    project = make_project(120)
    project.engine("local")
    assert project.run("lab", "local").returncode == 0
    victim = cluster.start()
    driver = _start_journalled(project, cluster.address, "lab")
    journal = project.root / "journal"
    _wait_until(lambda: _nodes_that(journal, "end", at_least=2) == 3, driver)

    before = _entries(journal)
    victim.kill()
    output, errors = driver.communicate(timeout=300)

    assert driver.returncode == 0, errors
    after = _entries(journal)
    buckets = {name for _, _, name in after}
    assert len(buckets) == len(list((project.root / "local").rglob("*.npy")))
    # It was in the middle: every node had finished some, and the survivors went on.
    ended_before, ended = _ends(before), _ends(after)
    assert len(ended_before) == 3
    assert sum(ended_before.values()) < len(buckets)
    dead = _victim_of(before, after)
    assert ended[dead] - ended_before[dead] <= 1  # one may end between the look and the kill
    assert all(ended[node] > ended_before[node] for node in ended_before if node != dead)
    # Only what ran on the dead node, whose one worker has one bucket at a time, ran twice.
    starts = Counter(name for event, _, name in after if event == "start")
    twice = [name for name, count in starts.items() if count > 1]
    assert twice == _unfinished(_of_node(after, dead))
    assert len(twice) == 1
    assert sum(starts.values()) == len(buckets) + len(twice)
    assert set(starts.values()) <= {1, 2}
    assert digests(project.root / "out") == digests(project.root / "local")
    counts = (
        f"{dict(ended_before)} ended before, {dict(ended)} in all; {len(buckets)} buckets, twice: {twice}"
    )
    sys.stdout.write(f"\n{counts}\n{output}\n")


def test_a_node_that_was_given_up_and_comes_back_spoils_nothing(
    cluster: Any, make_project: Callable[[int], Any], digests: Digests
) -> None:
    project = make_project(60)
    project.engine("local")
    assert project.run("lab", "local").returncode == 0
    victim = cluster.start()
    driver = _start_journalled(project, cluster.address, "lab")
    journal = project.root / "journal"
    _wait_until(lambda: _nodes_that(journal, "end", at_least=1) == 3, driver)

    frozen = victim.freeze()
    output, errors = driver.communicate(timeout=400)
    assert driver.returncode == 0, errors
    assert "went to another worker after theirs was lost" in output
    expected = digests(project.root / "local")
    assert digests(project.root / "out") == expected

    for member in frozen:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.resume()
    _settled(journal)
    shards = {name: digest for name, digest in digests(project.root / "out").items() if ".part" not in name}
    assert shards == expected


def test_a_driver_that_is_killed_goes_on_where_it_was(
    cluster: Any, make_project: Callable[[int], Any], digests: Digests
) -> None:
    project = make_project(60)
    project.engine("local")
    assert project.run("lab", "local").returncode == 0
    driver = _start_journalled(project, cluster.address, "lab")
    journal = project.root / "journal"
    _wait_until(lambda: sum(_ends(_entries(journal)).values()) >= 5, driver)
    os.kill(driver.pid, signal.SIGKILL)
    driver.communicate()
    _settled(journal)
    finished = _ends(_entries(journal)).total()
    kept = sum(1 for _ in (project.root / "out").rglob("*.json"))
    assert 5 <= finished <= kept < len(digests(project.root / "local")) // 2

    project.engine("ray", cluster.address)
    done = project.run("lab", "out")

    assert done.returncode == 0, done.stderr
    words = done.stdout.split()
    computed, photos_kept = int(words[1]), int(words[4])
    assert computed + photos_kept == 60
    assert photos_kept >= kept  # no bucket is empty
    assert computed > 0
    assert digests(project.root / "out") == digests(project.root / "local")


def test_a_damaged_photo_is_refused_in_the_same_words(
    cluster: Any, make_project: Callable[[int], Any], backbone_folder: Path
) -> None:
    project = make_project(6)
    (project.root / "raw/photos/cat.jpg").write_bytes(b"\xff\xd8\xff\xe0 no photo any more")
    for stage, before in (("lab", []), ("embed", [backbone_folder])):
        project.engine("local")
        local = project.run(stage, *before, "here")
        project.engine("ray", cluster.address)
        there = project.run(stage, *before, "there")
        assert (local.returncode, there.returncode) == (1, 1)
        assert "cat.jpg" in local.stderr
        assert "Traceback" not in there.stderr
        assert _sentence(there.stderr) == _sentence(local.stderr)


def test_an_address_where_nothing_listens_is_refused_at_once(make_project: Callable[[int], Any]) -> None:
    project = make_project(2)
    project.engine("ray", "127.0.0.1:9")
    began = time.monotonic()
    done = project.run("lab", "out")
    assert done.returncode == 1
    assert "error: Expected a Ray cluster at 127.0.0.1:9, but nothing answers there" in done.stderr
    assert "Traceback" not in done.stderr
    assert time.monotonic() - began < 20


def test_a_wrong_token_is_refused_in_a_sentence(cluster: Any, make_project: Callable[[int], Any]) -> None:
    project = make_project(2)
    project.engine("ray", cluster.address)
    done = project.run("lab", "out", RAY_AUTH_TOKEN="0" * 64)
    assert done.returncode == 1
    assert "RAY_AUTH_TOKEN" in done.stderr
    assert "Traceback" not in done.stderr


Entry = tuple[str, str, str]


def _start_journalled(project: Any, address: str, stage: str) -> subprocess.Popen[str]:
    project.engine("ray", address)
    arguments = [project.root / "raw", project.root / "manifest", project.root / "out"]
    return subprocess.Popen(
        [sys.executable, str(JOURNALLED), *map(str, arguments), str(project.root / "journal")],
        cwd=project.root,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _entries(journal: Path) -> list[Entry]:
    """Event, node and bucket, in order of time."""
    lines = [line.split() for file in journal.glob("*") for line in file.read_text().splitlines()]
    return [(event, node, name) for _, event, node, name in sorted(lines)]


def _of_node(entries: list[Entry], node: str) -> list[Entry]:
    return [entry for entry in entries if entry[1] == node]


def _ends(entries: list[Entry]) -> Counter[str]:
    return Counter(node for event, node, _ in entries if event == "end")


def _unfinished(entries: list[Entry]) -> list[str]:
    ended = {(node, name) for event, node, name in entries if event == "end"}
    return [name for event, node, name in entries if event == "start" and (node, name) not in ended]


def _victim_of(before: list[Entry], after: list[Entry]) -> str:
    """The node that ended least after the kill."""
    more = {node: _ends(after)[node] - count for node, count in _ends(before).items()}
    return min(more, key=lambda node: more[node])


def _nodes_that(journal: Path, event: str, at_least: int) -> int:
    counts = Counter(node for seen, node, _ in _entries(journal) if seen == event)
    return sum(count >= at_least for count in counts.values())


def _settled(journal: Path) -> None:
    """Workers of a killed driver end a moment after it."""
    before = None
    while before != (before := _entries(journal)) or time.sleep(2) or before != _entries(journal):
        time.sleep(1)


def _wait_until(true: Callable[[], bool], driver: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 180
    while not true():
        if driver.poll() is not None or time.monotonic() > end:
            driver.kill()
            raise AssertionError(driver.communicate())
        time.sleep(0.05)


def _sentence(text: str) -> str:
    return next(line for line in text.splitlines() if line.startswith("error: "))
