"""The state of the pipeline that a version came from: its dvc.lock, the commit that says the same, and its photos.

DVC completes dvc.lock after each stage. While `register` makes a version, the entry of that stage is still missing, so
the file whose hash the version carries is in no commit. It is kept with the run. What people commit afterwards differs
from it in `register` alone.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from tintype.files.digest import sha256_of
from tintype.registry.lineage import git
from tintype.registry.store import RegistryError

if TYPE_CHECKING:
    import pandas as pd

LOCK = "dvc.lock"
_WRITTEN_LATER = "register"
_TRAINED_BY = "train"  # the stage whose result no other state of the pipeline has
_CHECKED_BY = "validate"  # the stage that makes the manifest
_MANIFEST = "manifest.parquet"
_FOLDER = ".dir"  # how DVC's hash of a folder ends
_MOST = 20  # commits that are looked into; each costs a quarter of a second
_COMMIT = re.compile(r"[0-9a-f]{7,64}")


@dataclass(frozen=True)
class FoundLock:
    """A version's dvc.lock.

    Attributes
    ----------
    text : str
        Its content, with exactly the hash that the version carries.
    kept : bool
        Whether it was taken from the run's files; else from the version's commit.
    commit : str
        The oldest commit whose dvc.lock says the same of all stages but `register`; empty if there is none here.
    in_workspace : bool
        Whether the dvc.lock that lies in the project now says the same.
    differing : tuple of str
        The stages of which the dvc.lock of the version's own commit, if it has one, says something else; sorted.
    """

    text: str
    kept: bool
    commit: str
    in_workspace: bool
    differing: tuple[str, ...]


@dataclass(frozen=True)
class FoundManifest:
    """A manifest that was found.

    Attributes
    ----------
    file : Path
        With the SHA-256 that was looked for.
    in_cache : bool
        Whether it was found in DVC's cache; else it lies in the project.
    in_lock : bool
        Whether the version's dvc.lock names it.
    """

    file: Path
    in_cache: bool
    in_lock: bool

    def photos(self) -> pd.DataFrame:
        """Path, content hash (SHA-256 of the file) and split of each photo, sorted by split and path.

        Raises
        ------
        RegistryError
            If the file is no manifest, even if its hash is right.
        """
        import pandas as pd
        import pyarrow

        try:
            table = pd.read_parquet(self.file, columns=["path", "content_hash", "split"])
        except (OSError, ValueError, pyarrow.ArrowException) as error:
            raise RegistryError(f"Expected a manifest of photos in {self.file}. Received: {error}.") from None
        return table.sort_values(["split", "path"], ignore_index=True)


def find_lock(project: Path, digest: str, commit: str, kept: str) -> FoundLock | None:
    """A version's dvc.lock, and where else it is.

    Parameters
    ----------
    project : Path
        The folder of dvc.lock, in a git repository or not.
    digest : str
        The SHA-256 that the version carries.
    commit : str
        The commit that it was made from.
    kept : str
        The content of the run's copy, checked; empty if there is none.

    Returns
    -------
    FoundLock or None
        None if neither the run nor the commit has it.
    """
    committed = _committed(project, commit)
    text = kept or committed
    if not text or hashlib.sha256(text.encode()).hexdigest() != digest:
        return None
    lying = project / LOCK
    in_workspace = lying.is_file() and not differing_stages(text, read_lock(lying))
    differing = differing_stages(text, committed) if committed else ()
    same = commit if committed and not differing else _first_with(project, text)
    return FoundLock(text, bool(kept), same, in_workspace, differing)


def find_manifest(project: Path, digest: str, lock: str) -> FoundManifest | None:
    """Look for a manifest in the project, then by dvc.lock in DVC's cache.

    Parameters
    ----------
    project : Path
        The folder of dvc.yaml.
    digest : str
        The manifest's SHA-256.
    lock : str
        The content of the version's dvc.lock; empty if it is not known.

    Returns
    -------
    FoundManifest or None
        None if it is in neither.
    """
    outs = {path: md5 for path, md5 in outs_of(lock, _CHECKED_BY).items() if md5.endswith(_FOLDER)}
    for path in outs or _places(project):
        file = project / path / _MANIFEST
        if file.is_file() and sha256_of(file) == digest:
            return FoundManifest(file, in_cache=False, in_lock=_folder_hash(file.parent) == outs.get(path))
    cached = next(_in_cache(project, list(outs.values())), None)
    if cached is not None and sha256_of(cached) == digest:
        return FoundManifest(cached, in_cache=True, in_lock=True)
    return None


def read_lock(file: Path) -> str:
    """The content of a dvc.lock, byte for byte if it is text."""
    return file.read_bytes().decode("utf-8", "replace")


def stages_of(text: str) -> dict[str, Any]:
    """The stages of a dvc.lock by their names; none if it is no dvc.lock."""
    try:
        content = YAML(typ="safe").load(text)
    except YAMLError:
        return {}
    stages = content.get("stages") if isinstance(content, dict) else None
    return stages if isinstance(stages, dict) else {}


def outs_of(text: str, stage: str) -> dict[str, str]:
    """What a stage of a dvc.lock made: paths, and DVC's hash of each."""
    entry = stages_of(text).get(stage)
    outs = entry.get("outs", []) if isinstance(entry, dict) else []
    return {str(out["path"]): str(out["md5"]) for out in outs if {"path", "md5"} <= set(out)}


def differing_stages(text: str, other: str) -> tuple[str, ...]:
    """The stages of which two dvc.lock say different things, sorted; `register` does not count."""
    if text == other:
        return ()
    ours, theirs = stages_of(text), stages_of(other)
    names = {*ours, *theirs} - {_WRITTEN_LATER}
    return tuple(sorted(name for name in names if ours.get(name) != theirs.get(name)))


def _first_with(project: Path, text: str) -> str:
    """The oldest commit, on any branch, whose dvc.lock says the same."""
    for commit in _commits_with(project, text):
        committed = _committed(project, commit)
        if committed and not differing_stages(text, committed):
            return commit
    return ""


def _commits_with(project: Path, text: str) -> Iterator[str]:
    """Commits, oldest first, whose change of dvc.lock has to do with what was trained."""
    for made in outs_of(text, _TRAINED_BY).values():
        found = git(project, "log", "--all", "--reverse", "--format=%H", f"-S{made}", "--", LOCK)
        yield from (found or "").split()[:_MOST]
        return


def _committed(project: Path, commit: str) -> str:
    return (git(project, "show", f"{commit}:./{LOCK}") or "") if _COMMIT.fullmatch(commit) else ""


def _places(project: Path) -> list[str]:
    """Where the project's own dvc.lock says it is, if the version's is not known."""
    lock = project / LOCK
    return list(outs_of(read_lock(lock), _CHECKED_BY)) if lock.is_file() else []


def _folder_hash(folder: Path) -> str:
    """DVC's hash of a folder: MD5 of the list of its files' hashes."""
    listed = [
        {"md5": _md5(path), "relpath": path.relative_to(folder).as_posix()}
        for path in folder.rglob("*")
        if path.is_file()
    ]
    listed.sort(key=lambda entry: entry["relpath"])
    return (
        hashlib.md5(json.dumps(listed, sort_keys=True).encode(), usedforsecurity=False).hexdigest() + _FOLDER
    )


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _in_cache(project: Path, folders: list[str]) -> Iterator[Path]:
    """Manifests in DVC's cache, by the hashes of folders that may hold one."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    if not folders:
        return
    try:
        cache = Repo(str(project)).cache.local
    except DvcException:  # the project is not under DVC
        return
    for folder in folders:
        listing = Path(cache.oid_to_path(folder))
        if not listing.is_file() or _md5(listing) + _FOLDER != folder:
            continue
        found = (
            Path(cache.oid_to_path(entry["md5"]))
            for entry in json.loads(listing.read_bytes())
            if entry["relpath"] == _MANIFEST
        )
        yield from (file for file in found if file.is_file())
