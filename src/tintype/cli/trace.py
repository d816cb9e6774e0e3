"""`tintype trace`: from a coloured photo back to the model, the run, the code and the data."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tintype.cli.console import print_error, print_line
from tintype.cli.training_photos import counts_by_split, photo_lines
from tintype.cli.walk import Walk, completed, walk_back
from tintype.errors import TintypeError
from tintype.files.digest import sha256_of
from tintype.formats.layer import is_layer
from tintype.formats.xmp import ProvenanceError, read_provenance
from tintype.imaging.provenance import Lineage, Provenance

if TYPE_CHECKING:
    from tintype.registry.dvc_lock import Lock
    from tintype.registry.trace import Trace


def run(photo: Path, original: Path | None, *, all_photos: bool, as_json: bool) -> int:
    """Say where a photo's colours come from.

    Parameters
    ----------
    photo : Path
        A coloured photo or a colour layer.
    original : Path or None
        The file that it is said to be made from.
    all_photos : bool
        Whether to list every photo that the model was made with, not only the first.
    as_json : bool
        For programs instead of people.

    Returns
    -------
    int
        Exit code: 0 the photo says where its colours come from, whatever else was reached; 1 it does not, or
        `original` is another file.
    """
    try:
        said = read_provenance(photo)
        is_original = None if original is None else _digest(original) == said.input_sha256
    except TintypeError as error:
        print_error(f"error: {error}")
        return 1
    walk = walk_back(said.lineage)
    if as_json:
        print_line(
            json.dumps(
                _for_programs(photo, said, walk, is_original, all_photos), indent=2, ensure_ascii=False
            )
        )
    else:
        for line in _for_people(photo, said, walk, all_photos):
            print_line(line)
    if original is not None and not as_json:
        print_line(f"{original} is {'the' if is_original else 'not the'} original.")
    return 1 if is_original is False else 0


def _digest(file: Path) -> str:
    try:
        return sha256_of(file)
    except OSError as error:
        raise ProvenanceError(f"Expected a readable file at {file}. Received: {error.strerror}.") from None


def _for_people(photo: Path, said: Provenance, walk: Walk, all_photos: bool) -> Iterator[str]:
    lineage = said.lineage
    if is_layer(said):
        yield f"{photo} is a colour layer: its colours are AI-made."
    else:
        yield f"The colours of {photo} are AI-made; its lightness is the original's."
    version = f"version {lineage.version}" if lineage.version else "never registered"
    yield f"  model       {lineage.name}, {version}, bundle {lineage.bundle_sha256 or 'unknown'}"
    yield f"  run         {lineage.run_id or 'unknown'}"
    yield f"  original    SHA-256 {said.input_sha256}"
    yield f"  parameters  {', '.join(f'{key} {value}' for key, value in said.parameters.items()) or 'none'}"
    if walk.trace is not None:
        yield from _registry(walk.trace)
    yield from _origin(lineage, walk)
    yield from photo_lines(walk.photos, everything=all_photos)
    yield from walk.problems


def _registry(trace: Trace) -> Iterator[str]:
    lineage = trace.lineage
    yield f"In the registry at {trace.store}:"
    yield f"  version     {lineage.version} of {lineage.name}, now {' and '.join(trace.aliases) or 'without alias'}"
    yield f"  run         {lineage.run_id or 'none'}{f' ({trace.run_name})' if trace.run_name else ''}"


def _origin(said: Lineage, walk: Walk) -> Iterator[str]:
    """Code, pipeline and data: by the registry, else by the photo."""
    known = completed(said, walk.trace.lineage if walk.trace else said)
    yield "Made from:"
    yield f"  code        commit {known.git_commit or 'unknown'}{f' ({walk.subject})' if walk.subject else ''}"
    yield f"  pipeline    dvc.lock, SHA-256 {known.dvc_lock_sha256 or 'unknown'}"
    if walk.lock is not None:
        yield from (f"              {line}" for line in _lock_lines(walk.lock, known.git_commit))
    yield f"  data        manifest, SHA-256 {known.manifest_sha256 or 'unknown'}"
    if walk.manifest is not None:
        named = ", as dvc.lock names it" if walk.manifest.in_lock else ""
        where = "in DVC's cache as" if walk.manifest.in_cache else "in"
        yield f"              {where} {walk.manifest.file}{named}"


def _lock_lines(lock: Lock, made_from: str) -> Iterator[str]:
    """Which dvc.lock it is, and whether what is committed agrees."""
    if not lock.kept:
        yield f"as committed in {lock.commit}"
        return
    yield "kept with the run as lineage/dvc.lock"
    if lock.commit:
        own = "the same commit" if lock.commit == made_from else f"commit {lock.commit}"
        yield f"{own} agrees, but for the stage register, whose entry DVC writes last"
    elif lock.in_workspace:
        yield "the project's own agrees, but for the stage register; it is not committed yet"
    else:
        yield "no commit here agrees"
    if lock.differing and lock.commit != made_from:
        yield f"the commit above differs in {', '.join(lock.differing)}: the pipeline ran after it"


def _for_programs(
    photo: Path, said: Provenance, walk: Walk, is_original: bool | None, all_photos: bool
) -> dict[str, Any]:
    return {
        "photo": str(photo),
        "ai_made_colours": True,
        "colour_layer": is_layer(said),
        "model": asdict(said.lineage),
        "input_sha256": said.input_sha256,
        "parameters": dict(said.parameters),
        "registry": None if walk.trace is None else _without(asdict(walk.trace), "kept_lock"),
        "commit_subject": walk.subject,
        "dvc_lock": None if walk.lock is None else _without(asdict(walk.lock), "text"),
        "manifest": None
        if walk.manifest is None
        else asdict(walk.manifest) | {"file": str(walk.manifest.file)},
        "photos": counts_by_split(walk.photos),
        "is_original": is_original,
        "problems": walk.problems,
        **({"training_photos": [asdict(one) for one in walk.photos]} if all_photos else {}),
    }


def _without(block: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in block.items() if name != key}
