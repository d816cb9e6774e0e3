"""The way back from what a photo says of its model: registry, git, dvc.lock, manifest and photos."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tintype.cli.console import counted
from tintype.errors import TintypeError, missing_package
from tintype.imaging.provenance import Lineage

if TYPE_CHECKING:
    import pandas as pd

    from tintype.registry.dvc_state import FoundLock, FoundManifest
    from tintype.registry.trace import Trace

_FIRST = 3  # photos of each split
_WORDS = {"git_commit": "commit", "dvc_lock_sha256": "dvc.lock", "manifest_sha256": "manifest"}


@dataclass(frozen=True)
class TrainingPhoto:
    """A photo of the manifest.

    Attributes
    ----------
    path : str
        Below the folder of the photos, data/raw/photos.
    sha256 : str
        Of the file's content.
    split : str
        ``train``, ``validation`` or ``test``.
    """

    path: str
    sha256: str
    split: str


@dataclass(frozen=True)
class LineageWalk:
    """How far the lineage could be followed.

    Attributes
    ----------
    trace : Trace or None
        The version in the registry.
    subject : str or None
        Of the git commit.
    problems : list of str
        A sentence for each thing that could not be reached or does not agree.
    lock : FoundLock or None
        The version's dvc.lock.
    manifest : FoundManifest or None
        The manifest of the version's hash.
    photos : list of TrainingPhoto
        What the manifest lists.
    starter : str
        For the model that comes along, which was trained elsewhere: on what, how well it does, and where its card is.
        Then nothing is missing, whatever of its training is not here.
    """

    trace: Trace | None
    subject: str | None
    problems: list[str]
    lock: FoundLock | None = None
    manifest: FoundManifest | None = None
    photos: list[TrainingPhoto] = field(default_factory=list)
    starter: str = ""


def walk_back(stated: Lineage) -> LineageWalk:
    """Follow the lineage as far back as possible from here.

    Parameters
    ----------
    stated : Lineage
        What the photo says of its model.
    """
    from tintype.models.lineage import starter_story

    starter = starter_story(stated.bundle_sha256)
    try:
        from tintype.registry.lineage import commit_subject
        from tintype.registry.trace import trace_version
    except ModuleNotFoundError as error:
        missing = str(missing_package("The registry", error.name, "pipeline"))
        return LineageWalk(None, None, [] if starter else [missing], starter=starter)
    problems: list[str] = []
    said: list[str] = []
    try:
        trace = trace_version(stated)
        # The starter has no number until it is registered: to have one then is no contradiction.
        said += _contradictions(replace(stated, version="") if starter else stated, trace.lineage)
    except TintypeError as error:
        trace = None
        problems.append(f"The registry's version was not reached. {error}")
    commit = stated.git_commit or (trace.lineage.git_commit if trace else "")
    subject = commit_subject(commit, Path.cwd()) if commit else None
    if commit and subject is None:
        problems.append(
            f"The commit {commit} is in no git repository here. Run this in the project's folder."
        )
    walk = _with_data(stated, LineageWalk(trace, subject, said + problems, starter=starter))
    return replace(walk, problems=said) if starter and walk.manifest is None else walk


def _with_data(stated: Lineage, walk: LineageWalk) -> LineageWalk:
    """The walk from the commit on to dvc.lock, manifest and photos."""
    from tintype.registry.dvc_state import find_lock, find_manifest
    from tintype.registry.store import find_project

    known = completed(stated, walk.trace.lineage if walk.trace else stated)
    try:
        project = find_project(Path.cwd())
    except TintypeError:
        walk.problems.append(
            "dvc.lock and manifest are in no project here. Run this in the project's folder."
        )
        return walk
    kept = walk.trace.kept_lock if walk.trace else ""
    lock = find_lock(project, known.dvc_lock_sha256, known.git_commit, kept)
    if lock is None and known.dvc_lock_sha256:
        walk.problems.append(
            f"The dvc.lock {known.dvc_lock_sha256} is neither kept with the run nor that of the commit."
        )
    manifest = find_manifest(project, known.manifest_sha256, lock.text if lock else "")
    if manifest is None:
        if known.manifest_sha256:
            walk.problems.append(
                f"The manifest {known.manifest_sha256} is neither in this project nor in DVC's cache. `dvc fetch` may "
                "bring it, at the commit whose dvc.lock names it."
            )
        return replace(walk, lock=lock)
    if lock is not None and not manifest.in_lock:
        walk.problems.append(
            f"The version's dvc.lock does not name {manifest.file}, though it has the right hash."
        )
    try:
        photos = training_photos(manifest.photos())
    except TintypeError as error:
        walk.problems.append(str(error))
        photos = []
    return replace(walk, lock=lock, manifest=manifest, photos=photos)


def _contradictions(stated: Lineage, known: Lineage) -> Iterator[str]:
    for fact in fields(Lineage):
        ours, theirs = getattr(stated, fact.name), getattr(known, fact.name)
        if ours and theirs and ours != theirs:
            word = _WORDS.get(fact.name, fact.name)
            yield f"The photo says {word} {ours}, the registry says {theirs}."


def completed(stated: Lineage, known: Lineage) -> Lineage:
    """What the photo says, and where it says nothing, what the registry knows."""
    return Lineage(
        **{fact.name: getattr(stated, fact.name) or getattr(known, fact.name) for fact in fields(Lineage)}
    )


def training_photos(table: pd.DataFrame) -> list[TrainingPhoto]:
    """The rows of a manifest, in their order."""
    return [
        TrainingPhoto(str(path), str(sha256), str(split))
        for path, sha256, split in zip(table["path"], table["content_hash"], table["split"], strict=True)
    ]


def counts_by_split(photos: list[TrainingPhoto]) -> dict[str, int]:
    """How many photos each split has, the largest first."""
    return dict(Counter(photo.split for photo in photos).most_common())


def photo_lines(photos: list[TrainingPhoto], *, everything: bool) -> Iterator[str]:
    """How many there are, and the first of each split, or all.

    Parameters
    ----------
    photos : list of TrainingPhoto
        An empty list gives no lines.
    everything : bool
        Whether all are listed.

    Yields
    ------
    str
        A line each.
    """
    if not photos:
        return
    splits = counts_by_split(photos)
    shares = ", ".join(f"{number:,} {split}" for split, number in splits.items())
    yield f"  photos      {counted(len(photos), 'photo')}: {shares}; each with its content's SHA-256"
    listed = [photo for split in splits for photo in _first(photos, split, everything=everything)]
    for photo in listed:
        yield f"    {photo.sha256}  {photo.split}  {photo.path}"
    if len(listed) < len(photos):
        yield f"    and {len(photos) - len(listed):,} more: --photos lists all"


def _first(photos: list[TrainingPhoto], split: str, *, everything: bool) -> list[TrainingPhoto]:
    found = [photo for photo in photos if photo.split == split]
    return found if everything else found[:_FIRST]
