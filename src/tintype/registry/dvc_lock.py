"""The state of the pipeline that a version came from: which dvc.lock it was, and which commit says the same.

DVC completes dvc.lock after each stage. While `register` makes a version, that stage's own entry is still to come: so
the file whose hash the version carries is in no commit. It is kept with the run, and what people commit afterwards
differs from it in `register` alone.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

LOCK = "dvc.lock"
_WRITTEN_LATER = "register"
_MADE_BY = "train"  # the stage whose result no other state of the pipeline has
_MOST = 20  # commits that are looked into; each costs a quarter of a second
_COMMIT = re.compile(r"[0-9a-f]{7,64}")


@dataclass(frozen=True)
class Lock:
    """A version's dvc.lock.

    Attributes
    ----------
    text : str
        Its content, of the very hash that the version carries.
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


def find_lock(project: Path, digest: str, commit: str, kept: str) -> Lock | None:
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
    Lock or None
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
    return Lock(text, bool(kept), same, in_workspace, differing)


def read_lock(file: Path) -> str:
    """The content of a dvc.lock, byte for byte where it is text at all."""
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
    for made in outs_of(text, _MADE_BY).values():
        found = _git(project, "log", "--all", "--reverse", "--format=%H", f"-S{made}", "--", LOCK)
        yield from found.split()[:_MOST]
        return


def _committed(project: Path, commit: str) -> str:
    return _git(project, "show", f"{commit}:./{LOCK}") if _COMMIT.fullmatch(commit) else ""


def _git(project: Path, *arguments: str) -> str:
    """What git answers; empty without git, without a repository, or without what was asked for."""
    try:
        done = subprocess.run(
            ["git", "-C", str(project), *arguments], capture_output=True, timeout=60, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode("utf-8", "replace")
