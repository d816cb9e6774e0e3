"""Which dvc.lock a version came from, in a real repository."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from tintype.registry.dvc_state import (
    FoundManifest,
    differing_stages,
    find_lock,
    find_manifest,
    outs_of,
    stages_of,
)
from tintype.registry.store import RegistryError

MADE = "a" * 32 + ".dir"


def _lock(train: str = MADE, validate: str = "b" * 32 + ".dir", register: str = "") -> str:
    outs = {"validate": ("data/manifest", validate), "train": ("models/tintype", train)}
    if register:
        outs["register"] = ("reports/register.json", register)
    return "schema: '2.0'\nstages:\n" + "".join(
        f"  {stage}:\n    cmd: run {stage}\n    outs:\n    - path: {path}\n      hash: md5\n      md5: {md5}\n"
        for stage, (path, md5) in outs.items()
    )


class Repository:
    """A project in a git repository, below its root."""

    def __init__(self, root: Path) -> None:
        self.project = root / "below"
        self.project.mkdir(parents=True)
        self.git("init", "-q")

    def git(self, *arguments: str) -> str:
        command = [
            "git",
            "-C",
            str(self.project),
            "-c",
            "user.name=T",
            "-c",
            "user.email=t@example.org",
            *arguments,
        ]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def write(self, lock: str) -> None:
        (self.project / "dvc.lock").write_text(lock)

    def commit(self, lock: str) -> str:
        self.write(lock)
        self.git("add", "dvc.lock")
        self.git("commit", "-qm", "A state")
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "a repository")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_the_commit_that_came_after_the_pipeline_is_found(repository: Repository) -> None:
    before = repository.commit(_lock(train="c" * 32, register="1" * 32))
    kept = _lock(register="1" * 32)  # the entry of the registration before
    after = repository.commit(_lock(register="2" * 32))
    repository.commit(_lock(train="d" * 32, register="3" * 32))
    found = find_lock(repository.project, _sha256(kept), before, kept)
    assert found is not None
    assert (found.text, found.kept) == (kept, True)
    assert found.commit == after
    assert found.differing == ("train",)
    assert not found.in_workspace


def test_one_that_is_not_committed_yet_is_distinguished_from_one_that_is_nowhere(
    repository: Repository,
) -> None:
    before = repository.commit(_lock(train="c" * 32))
    kept = _lock()
    repository.write(_lock(register="2" * 32))
    found = find_lock(repository.project, _sha256(kept), before, kept)
    assert found is not None
    assert (found.commit, found.in_workspace) == ("", True)
    repository.write(_lock(train="e" * 32))
    found = find_lock(repository.project, _sha256(kept), before, kept)
    assert found is not None
    assert (found.commit, found.in_workspace) == ("", False)


def test_a_commit_of_the_same_network_with_other_photos_does_not_agree(repository: Repository) -> None:
    before = repository.commit(_lock(train="c" * 32))
    repository.commit(_lock(validate="f" * 32 + ".dir"))
    found = find_lock(repository.project, _sha256(_lock()), before, _lock())
    assert found is not None
    assert (found.commit, found.differing) == ("", ("train",))


def test_without_a_kept_one_the_commits_own_counts_if_it_has_the_hash(repository: Repository) -> None:
    commit = repository.commit(_lock(register="1" * 32))
    text = _lock(register="1" * 32)
    found = find_lock(repository.project, _sha256(text), commit, "")
    assert found is not None
    assert (found.text, found.kept, found.commit, found.differing) == (text, False, commit, ())
    assert find_lock(repository.project, "0" * 64, commit, "") is None
    assert find_lock(repository.project, _sha256(text), "--help", "") is None


def test_without_a_repository_the_kept_one_is_all_there_is(tmp_path: Path) -> None:
    found = find_lock(tmp_path, _sha256(_lock()), "c" * 40, _lock())
    assert found is not None
    assert (found.kept, found.commit, found.in_workspace, found.differing) == (True, "", False, ())


@pytest.mark.parametrize(
    "text", ["", "a: [", "- a", "stages: 3", "stages:\n  train: 5\n", "stages:\n  train: {}\n"]
)
def test_what_is_no_lock_has_no_outputs(text: str) -> None:
    assert outs_of(text, "train") == {}


def test_stages_are_compared_by_what_they_say_and_not_by_how_it_is_written() -> None:
    assert differing_stages("stages: {a: {cmd: x}}", "schema: '2.0'\nstages:\n  a:\n    cmd: x\n") == ()
    assert differing_stages("stages: {a: {cmd: x}, b: {}}", "stages: {a: {cmd: y}}") == ("a", "b")
    assert set(stages_of(_lock())) == {"validate", "train"}


def test_a_manifest_of_the_right_hash_that_the_lock_does_not_name_is_reported(tmp_path: Path) -> None:
    (tmp_path / "data/manifest").mkdir(parents=True)
    (tmp_path / "data/manifest/manifest.parquet").write_bytes(b"photos")
    digest = hashlib.sha256(b"photos").hexdigest()
    found = find_manifest(tmp_path, digest, _lock())
    assert found is not None
    assert not found.in_lock
    with pytest.raises(RegistryError, match=r"Expected a manifest of photos in .*parquet"):
        found.photos()
    # Another one, and no DVC here that could have it in its cache.
    assert find_manifest(tmp_path, "0" * 64, _lock()) is None
    # Without the version's dvc.lock the project's own says where to look, but not that it is the one.
    assert find_manifest(tmp_path, digest, "") is None
    (tmp_path / "dvc.lock").write_text(_lock())
    found = find_manifest(tmp_path, digest, "")
    assert found is not None
    assert not found.in_lock


PIPELINE = """\
stages:
  validate:
    cmd: mkdir -p data/manifest && cp photos.parquet data/manifest/manifest.parquet && touch data/manifest/rejected.csv
    deps: [photos.parquet]
    outs: [data/manifest]
  train:
    cmd: mkdir -p models && cp data/manifest/manifest.parquet models/tintype
    deps: [data/manifest]
    outs: [models/tintype]
  register:
    cmd: cp dvc.lock seen.lock && date +%N > registered.txt
    deps: [models/tintype]
    outs: [registered.txt: {cache: false}]
"""


@pytest.mark.slow
def test_dvcs_own_lock_and_cache_lead_to_the_photos(tmp_path: Path) -> None:
    """What `register` sees of dvc.lock, what is committed after it, and the manifest when the project has moved on."""
    repository = Repository(tmp_path / "a repository")
    project = repository.project
    dvc = [sys.executable, "-m", "dvc"]
    table = {"path": ["b.jpg", "a.jpg"], "content_hash": ["b" * 64, "a" * 64], "split": ["train", "train"]}
    pd.DataFrame(table).to_parquet(project / "photos.parquet")
    digest = hashlib.sha256((project / "photos.parquet").read_bytes()).hexdigest()
    (project / "dvc.yaml").write_text(PIPELINE)
    repository.git("commit", "-q", "--allow-empty", "-m", "Before")
    before = repository.git("rev-parse", "HEAD")
    for command in (["init", "--quiet", "--subdir"], ["repro", "--quiet"]):
        subprocess.run([*dvc, *command], cwd=project, check=True, capture_output=True)
    seen = (project / "seen.lock").read_text()
    assert set(stages_of(seen)) == {"validate", "train"}
    assert set(stages_of((project / "dvc.lock").read_text())) == {"validate", "train", "register"}

    lock = find_lock(project, _sha256(seen), before, seen)
    assert lock is not None
    assert (lock.commit, lock.in_workspace) == ("", True)
    manifest = find_manifest(project, digest, lock.text)
    assert manifest == FoundManifest(project / "data/manifest/manifest.parquet", in_cache=False, in_lock=True)

    repository.git("add", "dvc.lock")
    repository.git("commit", "-qm", "After")
    after = repository.git("rev-parse", "HEAD")
    # The project moves on: other photos, another network.
    pd.DataFrame({name: values[:1] for name, values in table.items()}).to_parquet(project / "photos.parquet")
    subprocess.run([*dvc, "repro", "--quiet"], cwd=project, check=True, capture_output=True)
    lock = find_lock(project, _sha256(seen), before, seen)
    assert lock is not None
    assert (lock.commit, lock.in_workspace, lock.differing) == (after, False, ())
    manifest = find_manifest(project, digest, lock.text)
    assert manifest is not None
    assert (manifest.in_cache, manifest.in_lock) == (True, True)
    assert list(manifest.photos()["path"]) == ["a.jpg", "b.jpg"]
    # A listing in the cache that was damaged is not believed.
    (listing,) = (project / ".dvc/cache/files/md5").rglob(f"{outs_of(seen, 'validate')['data/manifest'][2:]}")
    listing.chmod(0o644)
    listing.write_text("torn")
    assert find_manifest(project, digest, lock.text) is None
