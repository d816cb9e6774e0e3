"""Which photo goes where: decided and checked as a whole before the first one is coloured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tintype.errors import TintypeError
from tintype.imaging.photo import PHOTO_SUFFIXES, WRITABLE, find_photos


class UsageError(TintypeError):
    """A command that cannot be meant as it was written."""


@dataclass(frozen=True)
class Job:
    """One photo and where its coloured version goes."""

    source: Path
    destination: Path


def plan(
    inputs: Sequence[Path], output: Path, *, force: bool = False, skip_existing: bool = False
) -> list[Job]:
    """Find the photos and give each its destination.

    Parameters
    ----------
    inputs : sequence of Path
        Photos and folders. A photo goes to its own name in `output`, a folder's photos to their path below the folder.
    output : Path
        A folder, made if need be. With one photo as input also a file, if it has a photo's suffix.
    force : bool
        Whether files may be replaced.
    skip_existing : bool
        Whether photos are left out whose destination exists.

    Returns
    -------
    list of Job
        In the order of `inputs`, a folder's photos sorted by path. Empty only if all were skipped.

    Raises
    ------
    UsageError
        If an input does not exist or holds no photo, two photos would get one destination, a destination is itself
        one of the photos, or exists and may not be replaced.
    """
    if force and skip_existing:
        raise UsageError("--force and --skip-existing exclude each other. Give one of them.")
    if _is_file_name(output):
        jobs = [_single(inputs, output)]
    else:
        jobs = _without_repetitions(job for path in inputs for job in _below(path, output))
    _refuse_collisions(jobs)
    _refuse_photos_as_destinations(jobs)
    if skip_existing:
        return [job for job in jobs if not job.destination.exists()]
    if not force:
        _refuse_existing(jobs)
    return jobs


def _is_file_name(output: Path) -> bool:
    return not output.is_dir() and (output.is_file() or output.suffix.lower() in PHOTO_SUFFIXES)


def _single(inputs: Sequence[Path], output: Path) -> Job:
    """The job whose output is a file."""
    if len(inputs) != 1 or inputs[0].is_dir():
        raise UsageError(f"Expected a folder as output for more than one photo. Received: {output}.")
    if output.suffix.lower() not in WRITABLE:
        raise UsageError(f"Expected an output that ends in one of {', '.join(WRITABLE)}. Received: {output}.")
    _refuse_missing(inputs[0])
    return Job(inputs[0], output)


def _below(path: Path, output: Path) -> Iterator[Job]:
    """The jobs of one input, a photo or a folder."""
    _refuse_missing(path)
    if not path.is_dir():
        yield Job(path, output / _writable_name(Path(path.name)))
        return
    # An earlier run's results, where the output lies inside of the input, are not photos to colour.
    results = output.resolve()
    if results == path.resolve():
        raise UsageError(
            f"{output} is the photos' own folder, and they would be lost. Choose another output."
        )
    photos = [photo for photo in find_photos(path) if not photo.resolve().is_relative_to(results)]
    if not photos:
        raise UsageError(
            f"Expected photos in the folder {path}, but there is none ({', '.join(sorted(PHOTO_SUFFIXES))})."
        )
    for photo in photos:
        yield Job(photo, output / _writable_name(photo.relative_to(path)))


def _writable_name(path: Path) -> Path:
    """The same name, as PNG where its own format is not one that is written."""
    return path if path.suffix.lower() in WRITABLE else path.with_name(path.name + ".png")


def _without_repetitions(jobs: Iterable[Job]) -> list[Job]:
    """Each photo once, though it may have been named by itself and by its folder."""
    return list({(job.source.resolve(), job.destination): job for job in jobs}.values())


def _refuse_missing(path: Path) -> None:
    if not path.exists():
        raise UsageError(f"Expected a photo or a folder of photos at {path}, but there is nothing.")


def _refuse_collisions(jobs: Sequence[Job]) -> None:
    taken: dict[Path, Job] = {}
    for job in jobs:
        other = taken.setdefault(job.destination, job)
        if other is not job:
            raise UsageError(
                f"{other.source} and {job.source} would both become {job.destination}. "
                "Colour them in two calls with different outputs."
            )


def _refuse_photos_as_destinations(jobs: Sequence[Job]) -> None:
    sources = {job.source.resolve() for job in jobs}
    for job in jobs:
        if job.destination.resolve() in sources:
            raise UsageError(
                f"{job.destination} is one of the photos and would be lost. Choose another output."
            )


def _refuse_existing(jobs: Sequence[Job]) -> None:
    existing = [job.destination for job in jobs if job.destination.exists()]
    if existing:
        more = f" and {len(existing) - 1} more" if len(existing) > 1 else ""
        verb = "exist" if more else "exists"
        raise UsageError(
            f"{existing[0]}{more} already {verb}. Use --force to replace, or --skip-existing to colour only the others."
        )
