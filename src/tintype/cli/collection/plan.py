"""What a call of `tintype colorize` is to do: its options, and which photo goes where.

All of it is decided and checked before the first photo is coloured.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from tintype.engine.photo_job import RESULT_SUFFIXES, PhotoOptions
from tintype.errors import UsageError
from tintype.imaging.finding import PHOTO_SUFFIXES, WRITABLE, Found, look_below
from tintype.imaging.limits import COLLECTION, MEGA, Limits

LAYER, COMPARE, CONFIDENCE = ".layer.png", ".compare.jpg", ".confidence.png"


@dataclass(frozen=True)
class Options(PhotoOptions):
    """How the photos of a call are coloured and written.

    Attributes
    ----------
    compare : bool
        Whether a picture of before and after is written beside each result.
    confidence : bool
        Whether a picture of the model's confidence is written beside each result.
    limits : Limits
        What one photo may cost.
    force, skip_existing : bool
        What happens to results that are there already.
    """

    compare: bool = False
    confidence: bool = False
    limits: Limits = COLLECTION
    force: bool = False
    skip_existing: bool = False

    @property
    def parameters(self) -> Mapping[str, str]:
        """All that makes one result differ from another of the same photo and model, as the results' log keeps it."""
        return {
            "saturation": f"{self.saturation:.9g}",
            "quality": str(self.quality),
            "metadata": self.metadata,
            "compare": str(self.compare).lower(),
            "layer": str(self.layer).lower(),
            "keep_colour": str(self.keep_colour).lower(),
            "borders": str(self.borders).lower(),
            "abstain": f"{self.abstain:.9g}",
            "confidence": str(self.confidence).lower(),
        }

    @property
    def needs_confidence(self) -> bool:
        """Whether the model must say how sure it is."""
        return self.confidence or self.abstain > 0


def limits_of(megapixels: float, megabytes: float) -> Limits:
    """A collection's limits, with other ceilings for the size of a photo and of its file."""
    return replace(COLLECTION, pixels=round(megapixels * MEGA), bytes=round(megabytes * MEGA))


@dataclass(frozen=True)
class Job:
    """One photo: where its result goes, and its pictures of before and after and of confidence, if wanted."""

    source: Path
    destination: Path
    compare: Path | None = None
    confidence: Path | None = None

    @property
    def outputs(self) -> list[Path]:
        """The files that will be written."""
        return [path for path in (self.destination, self.compare, self.confidence) if path is not None]


@dataclass(frozen=True)
class Plan:
    """What a call is to do.

    Attributes
    ----------
    jobs : list of Job
        In the order of the inputs, a folder's photos sorted by path.
    found : Found
        What else lies in the folders.
    folder : Path or None
        Where results go; None if the output is a file's name.
    collects : bool
        Whether this is about more than a single photo.
    """

    jobs: list[Job]
    found: Found
    folder: Path | None
    collects: bool


def plan(inputs: Sequence[Path], output: Path, options: Options = Options()) -> Plan:
    """Find the photos and give each its destination.

    Parameters
    ----------
    inputs : sequence of Path
        Photos and folders. A photo goes to its own name in `output`, a folder's photos to their path below the folder.
    output : Path
        A folder, made if need be. With one photo as input also a file, if it has a photo's suffix.
    options : Options
        Its format, `compare`, `layer` and `confidence` make the results' names.

    Returns
    -------
    Plan
        With at least one job.

    Raises
    ------
    UsageError
        If an input does not exist or holds no photo, two photos would get one destination, a destination is itself
        one of the photos, or options exclude each other.
    """
    if options.force and options.skip_existing:
        raise UsageError("--force and --skip-existing exclude each other. Give one of them.")
    if options.layer and options.keep_colour:
        raise UsageError(
            "--layer and --keep-colour exclude each other: colours that are kept are in no layer."
        )
    for path in inputs:
        # A link to nothing passes for a path that does not exist here: nothing was begun yet.
        if not path.exists():
            raise UsageError(f"Expected a photo or a folder of photos at {path}, but there is nothing.")
    found = Found()
    if _is_file_name(output):
        pairs = [_single(inputs, output, options)]
    else:
        pairs = _without_repetitions(pair for path in inputs for pair in _below(path, output, found))
    names = result_names([own for _, own in pairs], options)
    jobs = [Job(source, *outputs) for (source, _), outputs in zip(pairs, names, strict=True)]
    _refuse_collisions(jobs)
    _refuse_photos_as_destinations(jobs)
    folder = None if _is_file_name(output) else output
    return Plan(jobs, found, folder, len(jobs) > 1 or any(path.is_dir() for path in inputs))


def _is_file_name(output: Path) -> bool:
    return not output.is_dir() and (output.is_file() or output.suffix.lower() in PHOTO_SUFFIXES)


def _single(inputs: Sequence[Path], output: Path, options: Options) -> tuple[Path, Path]:
    """The photo whose output is a file."""
    if len(inputs) != 1 or inputs[0].is_dir():
        raise UsageError(f"Expected a folder as output for more than one photo. Received: {output}.")
    suffix = output.suffix.lower()
    if suffix not in WRITABLE:
        raise UsageError(f"Expected an output that ends in one of {', '.join(WRITABLE)}. Received: {output}.")
    if options.layer:
        raise UsageError(f"Expected a folder as output of --layer. Received: {output}.")
    if options.file_format not in (None, WRITABLE[suffix].lower()):
        raise UsageError(f"--format {options.file_format} and the name {output} exclude each other.")
    return inputs[0], output


def _below(path: Path, output: Path, found: Found) -> Iterator[tuple[Path, Path]]:
    """The photos of one input, a photo or a folder, and where they would go under their own names."""
    if not path.is_dir():
        yield path, output / path.name
        return
    if output.resolve() == path.resolve():
        raise UsageError(
            f"{output} is the photos' own folder, and they would be lost. Choose another output."
        )
    below = look_below(path, output)
    if not below.photos and not below.unreadable:
        raise UsageError(
            f"Expected photos in the folder {path}, but there is none ({', '.join(sorted(PHOTO_SUFFIXES))})."
        )
    found.add(below)
    for photo in below.photos:
        yield photo, output / photo.relative_to(path)


def _without_repetitions(pairs: Iterator[tuple[Path, Path]]) -> list[tuple[Path, Path]]:
    """Each photo once, though it may have been named by itself and by its folder."""
    return list({(source.resolve(), own): (source, own) for source, own in pairs}.values())


def _refuse_collisions(jobs: Sequence[Job]) -> None:
    taken: dict[Path, Job] = {}
    for job in jobs:
        for path in job.outputs:
            other = taken.setdefault(path, job)
            if other is not job:
                raise UsageError(
                    f"{other.source} and {job.source} would both become {path}. "
                    "Colour them in two calls with different outputs."
                )


def _refuse_photos_as_destinations(jobs: Sequence[Job]) -> None:
    sources = {job.source.resolve() for job in jobs}
    for job in jobs:
        for path in job.outputs:
            if path.resolve() in sources:
                raise UsageError(f"{path} is one of the photos and would be lost. Choose another output.")


class ResultNames(NamedTuple):
    """Where the files of one photo go; None for those that are not wanted."""

    destination: Path
    compare: Path | None
    confidence: Path | None


def result_names(paths: Sequence[Path], options: Options) -> list[ResultNames]:
    """Where results go.

    Parameters
    ----------
    paths : sequence of Path
        Where the photos would go under their own names, relative to the output or not.
    options : Options
        `file_format`, `compare`, `layer` and `confidence` are used.

    Returns
    -------
    list of ResultNames
        Of each photo. ``boat.jpg`` beside ``boat.tif`` keeps its suffix inside of a new name, as in ``boat.jpg.png``.
    """
    stems = Counter((path.parent, path.stem) for path in paths)

    def with_ending(path: Path, ending: str) -> Path:
        alone = stems[path.parent, path.stem] == 1
        return path.with_name((path.stem if alone else path.name) + ending)

    return [
        ResultNames(
            _result(path, options, with_ending),
            with_ending(path, COMPARE) if options.compare else None,
            with_ending(path, CONFIDENCE) if options.confidence else None,
        )
        for path in paths
    ]


def _result(path: Path, options: Options, with_ending: Callable[[Path, str], Path]) -> Path:
    if options.layer:
        return with_ending(path, LAYER)
    suffix = path.suffix.lower()
    if options.file_format is None:
        # As PNG where the photo's own format is not one that is written.
        return path if suffix in WRITABLE else path.with_name(path.name + ".png")
    if WRITABLE.get(suffix) == options.file_format.upper():
        return path
    return with_ending(path, RESULT_SUFFIXES[options.file_format])
