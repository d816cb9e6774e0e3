"""`tintype colorize`: photos from files to files through the `Colorizer`."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from tintype.cli.jobs import Job, UsageError, plan
from tintype.errors import TintypeError
from tintype.imaging.photo import read_photo, write_photo

if TYPE_CHECKING:
    from tintype.colorize import Colorizer

PIPELINE_BUNDLE = Path("models/tintype")
CHAMPION = "models:/tintype@champion"


def run(photos: Sequence[Path], output: Path, model: str | None, *, force: bool, skip_existing: bool) -> int:
    """Colour photos and say how it went.

    Parameters
    ----------
    photos : sequence of Path
        Photos and folders of photos.
    output : Path
        A folder, or a file for one photo.
    model : str or None
        A bundle's folder or a ``models:/`` address; None takes the pipeline's bundle, else the champion.
    force, skip_existing : bool
        What happens to results that exist.

    Returns
    -------
    int
        Exit code: 0 all were coloured, 1 some failed or there is no model, 2 the command makes no sense.
    """
    try:
        jobs = plan(photos, output, force=force, skip_existing=skip_existing)
        if not jobs:
            print_line("Nothing to do: every photo has its result already.")
            return 0
        colorizer = _load(find_bundle(model))
    except TintypeError as error:
        print_error(f"error: {error}")
        return 2 if isinstance(error, UsageError) else 1
    return colour_all(colorizer, jobs, output)


def find_bundle(model: str | None) -> Path:
    """The folder of the bundle that `--model` means.

    Raises
    ------
    TintypeError
        If there is no such folder or version.
    """
    if model is None:
        model = str(PIPELINE_BUNDLE) if PIPELINE_BUNDLE.is_dir() else CHAMPION
    if not model.startswith("models:/"):
        if not Path(model).is_dir():
            raise UsageError(f"Expected a bundle's folder or a models:/ address as model. Received: {model}.")
        return Path(model)
    try:
        from tintype.registry.resolve import resolve
    except ModuleNotFoundError as error:
        raise TintypeError(
            f"{model} is in the registry, which needs the package {error.name}: run `uv sync --group pipeline`. "
            "Or name a bundle's folder with --model."
        ) from None
    return resolve(model)


def _load(bundle: Path) -> Colorizer:
    if sys.stderr.isatty():
        print_error(f"Loading {bundle} ...")
    from tintype.colorize import Colorizer

    return Colorizer.load(bundle)


def colour_all(colorizer: Colorizer, jobs: Sequence[Job], output: Path) -> int:
    """Colour each photo, name those that fail, and sum up.

    Parameters
    ----------
    colorizer : Colorizer
        Or whatever has its method `colorize`.
    jobs : sequence of Job
        At least one.
    output : Path
        What the user called the output.

    Returns
    -------
    int
        0 all were coloured, 1 some failed.
    """
    start, failed = time.monotonic(), 0
    for job in tqdm(jobs, unit=" photos", disable=None):
        try:
            photo = read_photo(job.source)
            write_photo(job.destination, colorizer.colorize(photo.rgb8), like=photo)
        except (TintypeError, MemoryError) as error:
            failed += 1
            reason = (
                "Not enough memory for a photo of this size." if isinstance(error, MemoryError) else error
            )
            print_error(f"failed: {job.source}: {reason}")
    seconds = time.monotonic() - start
    done = len(jobs) - failed
    print_line(
        f"Coloured {done} of {len(jobs)} {'photo' if len(jobs) == 1 else 'photos'} into {output} "
        f"in {seconds:.1f} s ({done / seconds:.1f} photos/s)."
    )
    return 1 if failed else 0


def print_line(text: str) -> None:
    """A line on stdout, clear of the progress bar."""
    tqdm.write(text, file=sys.stdout)


def print_error(text: str) -> None:
    """A line on stderr, clear of the progress bar."""
    tqdm.write(text, file=sys.stderr)
