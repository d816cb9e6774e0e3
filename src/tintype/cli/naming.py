"""Names of results: each from its photo's own name, and no two alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from tintype.cli.options import Options
from tintype.imaging.finding import WRITABLE

FORMAT_SUFFIXES = {"jpeg": ".jpg", "png": ".png", "tiff": ".tif", "webp": ".webp", "avif": ".avif"}
LAYER, COMPARE, CONFIDENCE = ".layer.png", ".compare.jpg", ".confidence.png"


class Names(NamedTuple):
    """Where the files of one photo go; None for those that are not wanted."""

    destination: Path
    compare: Path | None
    confidence: Path | None


def result_names(paths: Sequence[Path], options: Options) -> list[Names]:
    """Where results go.

    Parameters
    ----------
    paths : sequence of Path
        Where the photos would go under their own names, relative to the output or not.
    options : Options
        `file_format`, `compare`, `layer` and `confidence` are used.

    Returns
    -------
    list of Names
        Of each photo. ``boat.jpg`` beside ``boat.tif`` keeps its suffix inside of a new name, as in ``boat.jpg.png``.
    """
    stems = Counter((path.parent, path.stem) for path in paths)

    def with_ending(path: Path, ending: str) -> Path:
        alone = stems[path.parent, path.stem] == 1
        return path.with_name((path.stem if alone else path.name) + ending)

    return [
        Names(
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
    return with_ending(path, FORMAT_SUFFIXES[options.file_format])
