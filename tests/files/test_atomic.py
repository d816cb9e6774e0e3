"""What is replaced is the old content or the new one, whenever the process dies."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tintype.files import atomic
from tintype.files.atomic import new_file, new_folder, write_json

# Replaces a folder again and again in child processes; the n-th is killed right before its n-th step on the disk,
# until one gets to its end. After each death: what is at the destination, and what is there after the next start.
KILLED = """
import json, os, shutil, signal, sys
from itertools import count
from pathlib import Path
from tintype.files import atomic

place, exchange = Path(sys.argv[1]), sys.argv[2] == "True"
bundle = place / "bundle"
if not exchange:
    atomic._exchange = lambda one, other: False

def fill(folder, content):
    (folder / "deep").mkdir(parents=True)
    for name in ("one", "deep/two"):
        (folder / name).write_text(content)

def content():
    if not bundle.exists():
        return None
    files = [path for path in bundle.rglob("*") if path.is_file()]
    return {path.relative_to(bundle).as_posix(): path.read_text() for path in files}

def replace_and_die_before(step):
    steps = count(1)
    def hook(event, arguments):
        if event.startswith(("os.", "shutil.", "ctypes.")) and next(steps) == step:
            os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(hook)
    with atomic.new_folder(bundle, durable=True) as part:
        fill(part, "new")
    os._exit(0)

found = []
for step in count(1):
    shutil.rmtree(place)
    fill(bundle, "old")
    child = os.fork()
    if not child:
        replace_and_die_before(step)
    died = os.WIFSIGNALED(os.waitpid(child, 0)[1])
    at_once = content()
    try:
        with atomic.new_folder(bundle):
            raise InterruptedError  # a start that gets nowhere
    except InterruptedError:
        found.append((died, at_once, content()))
    if not died:
        break
print(json.dumps(found))
"""


def after_each_death(
    folder: Path, *, exchange: bool
) -> list[tuple[bool, dict[str, str] | None, dict[str, str]]]:
    (folder / "place").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(folder / "place"), str(exchange)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [(died, at_once, later) for died, at_once, later in json.loads(done.stdout)]


OLD, NEW = ({"one": content, "deep/two": content} for content in ("old", "new"))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux exchanges two folders in one step")
def test_a_folder_is_the_old_or_the_new_one_at_every_moment(tmp_path: Path) -> None:
    *deaths, (died, at_once, _) = after_each_death(tmp_path, exchange=True)
    assert not died
    assert at_once == NEW
    assert len(deaths) > 5
    assert all(content in (OLD, NEW) for _, content, _ in deaths)
    # The new one never gives way to the old one again.
    assert [later for _, _, later in deaths] == [content for _, content, _ in deaths]


def test_where_folders_cannot_be_exchanged_the_next_start_brings_the_old_one_back(tmp_path: Path) -> None:
    *deaths, (died, at_once, _) = after_each_death(tmp_path, exchange=False)
    assert not died
    assert at_once == NEW
    assert sum(content is None for _, content, _ in deaths) == 1  # between the two renames
    assert all(later in (OLD, NEW) for _, _, later in deaths)


def test_nothing_is_left_beside_a_folder_that_took_its_place(tmp_path: Path) -> None:
    for content in ("old", "new"):
        with new_folder(tmp_path / "bundle") as part:
            (part / "file").write_text(content)
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]
    assert (tmp_path / "bundle/file").read_text() == "new"


@pytest.mark.parametrize("kind", ["a file", "a link to a folder"])
def test_what_is_no_folder_is_not_replaced_by_one(kind: str, tmp_path: Path) -> None:
    destination = tmp_path / "bundle"
    if kind == "a file":
        destination.write_text("mine")
    else:
        (tmp_path / "mine").mkdir()
        destination.symlink_to(tmp_path / "mine")
    before = destination.lstat()
    with pytest.raises(NotADirectoryError, match="Expected a folder"), new_folder(destination):
        pass
    assert destination.lstat().st_ino == before.st_ino
    assert stat.S_IFMT(destination.lstat().st_mode) == stat.S_IFMT(before.st_mode)
    assert not list(tmp_path.glob(".*"))


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What is synced and what is renamed, in order, by name."""
    seen: list[tuple[str, str]] = []
    names: dict[int, str] = {}
    open_, sync, rename = os.open, os.fsync, os.rename

    def opened(path: Path, *arguments: int, **options: int) -> int:
        handle = open_(path, *arguments, **options)
        names[handle] = Path(path).name
        return handle

    def synced(handle: int) -> None:
        seen.append(("sync", names[handle]))
        sync(handle)

    def renamed(source: Path, destination: Path) -> None:
        seen.append(("rename", Path(destination).name))
        rename(source, destination)

    monkeypatch.setattr(os, "open", opened)
    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "rename", renamed)
    monkeypatch.setattr(os, "replace", renamed)
    monkeypatch.setattr(atomic, "_exchange", lambda one, other: bool(seen.append(("exchange", other.name))))
    return seen


def test_a_durable_file_is_on_the_disk_before_it_has_its_name_and_its_name_after(
    events: list[tuple[str, str]], tmp_path: Path
) -> None:
    write_json(tmp_path / "state.json", {}, durable=True)
    assert events == [
        ("sync", f".state-{os.getpid()}.part.json"),
        ("rename", "state.json"),
        ("sync", tmp_path.name),
    ]


def test_a_durable_folder_is_on_the_disk_with_all_that_is_in_it(
    events: list[tuple[str, str]], tmp_path: Path
) -> None:
    (tmp_path / "bundle").mkdir()
    with new_folder(tmp_path / "bundle", durable=True) as part:
        (part / "deep").mkdir()
        (part / "one").write_text("1")
        (part / "deep/two").write_text("2")
    taking_place = events.index(("exchange", "bundle"))
    assert sorted(events[:taking_place]) == sorted(
        [("sync", "one"), ("sync", "deep"), ("sync", "two"), ("sync", part.name)]
    )
    assert events[-1] == ("sync", tmp_path.name)


def test_what_can_be_made_again_does_not_wait_for_the_disk(
    events: list[tuple[str, str]], tmp_path: Path
) -> None:
    with new_file(tmp_path / "page.html") as part:
        part.write_text("a page")
    assert events == [("rename", "page.html")]
