"""`tintype trace`: from a coloured photo back to the model, the run, the code and the data."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tintype.cli.arguments import Json
from tintype.cli.console import print_line
from tintype.cli.lineage_walk import LineageWalk, completed, counts_by_split, photo_lines, walk_back

if TYPE_CHECKING:
    from tintype.imaging.provenance import Lineage, Provenance
    from tintype.registry.dvc_state import FoundLock
    from tintype.registry.trace import Trace


def trace(
    photo: Annotated[
        Path, typer.Argument(metavar="PHOTO", help="A coloured photo, or a colour layer.", show_default=False)
    ],
    original: Annotated[
        Path | None,
        typer.Option("--original", metavar="FILE", help="Check that it was made from this file."),
    ] = None,
    photos: Annotated[
        bool,
        typer.Option("--photos", help="List all photos that the model was made with, not only the first."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Say where a photo's colours come from.

    That is the model's version and run, its commit and dvc.lock, and the manifest and photos it was made with.

    Exit code: 0 the photo says it, whatever of the way back can be reached from here; 1 it does not, or it was not
    made from the file of --original.
    """
    from tintype.formats.xmp import read_provenance

    provenance = read_provenance(photo)
    is_original = None if original is None else _digest(original) == provenance.input_sha256
    walk = walk_back(provenance.lineage)
    if as_json:
        answer = _for_programs(photo, provenance, walk, is_original, photos)
        print_line(json.dumps(answer, indent=2, ensure_ascii=False))
    else:
        for line in _for_people(photo, provenance, walk, photos):
            print_line(line)
        if original is not None:
            print_line(f"{original} is {'the' if is_original else 'not the'} original.")
    raise typer.Exit(1 if is_original is False else 0)


def _digest(file: Path) -> str:
    from tintype.files.digest import sha256_of
    from tintype.formats.xmp import ProvenanceError

    try:
        return sha256_of(file)
    except OSError as error:
        raise ProvenanceError(f"Expected a readable file at {file}. Received: {error.strerror}.") from None


def _for_people(photo: Path, provenance: Provenance, walk: LineageWalk, all_photos: bool) -> Iterator[str]:
    from tintype.formats.layer import is_layer

    lineage = provenance.lineage
    if is_layer(provenance):
        yield f"{photo} is a colour layer: its colours are AI-made."
    else:
        yield f"The colours of {photo} are AI-made; its lightness is the original's."
    version = f"version {lineage.version}" if lineage.version else "never registered"
    yield f"  model       {lineage.name}, {version}, bundle {lineage.bundle_sha256 or 'unknown'}"
    yield f"  run         {lineage.run_id or 'unknown'}"
    yield f"  original    SHA-256 {provenance.input_sha256}"
    yield f"  parameters  {', '.join(f'{key} {value}' for key, value in provenance.parameters.items()) or 'none'}"
    if walk.trace is not None:
        yield from _registry(walk.trace)
    yield from _origin(lineage, walk)
    yield from photo_lines(walk.photos, everything=all_photos)
    yield from walk.starter.splitlines()
    yield from walk.problems


def _registry(trace: Trace) -> Iterator[str]:
    lineage = trace.lineage
    yield f"In the registry at {trace.store}:"
    yield f"  version     {lineage.version} of {lineage.name}, now {' and '.join(trace.aliases) or 'without alias'}"
    yield f"  run         {lineage.run_id or 'none'}{f' ({trace.run_name})' if trace.run_name else ''}"


def _origin(stated: Lineage, walk: LineageWalk) -> Iterator[str]:
    """Code, pipeline and data: by the registry, else by the photo."""
    known = completed(stated, walk.trace.lineage if walk.trace else stated)
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


def _lock_lines(lock: FoundLock, made_from: str) -> Iterator[str]:
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
    photo: Path, provenance: Provenance, walk: LineageWalk, is_original: bool | None, all_photos: bool
) -> dict[str, Any]:
    from tintype.formats.layer import is_layer

    return {
        "photo": str(photo),
        "ai_made_colours": True,
        "colour_layer": is_layer(provenance),
        "model": asdict(provenance.lineage),
        "input_sha256": provenance.input_sha256,
        "parameters": dict(provenance.parameters),
        "registry": None if walk.trace is None else _without(asdict(walk.trace), "kept_lock"),
        "commit_subject": walk.subject,
        "dvc_lock": None if walk.lock is None else _without(asdict(walk.lock), "text"),
        "manifest": None
        if walk.manifest is None
        else asdict(walk.manifest) | {"file": str(walk.manifest.file)},
        "photos": counts_by_split(walk.photos),
        "is_original": is_original,
        "starter": walk.starter or None,
        "problems": walk.problems,
        **({"training_photos": [asdict(one) for one in walk.photos]} if all_photos else {}),
    }


def _without(block: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in block.items() if name != key}
