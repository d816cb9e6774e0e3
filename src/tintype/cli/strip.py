"""`tintype strip`: the photo without its colours."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from tintype.cli.console import print_error, print_line
from tintype.cli.result import notes_on, result_path
from tintype.errors import TintypeError, UsageError
from tintype.formats import iptc, xmp
from tintype.formats.photo import Photo, read_photo, write_photo
from tintype.formats.xmp import ProvenanceError, read_provenance
from tintype.imaging.merge import merge

_NO_COLOUR = np.zeros((1, 1, 2), np.float32)


def run(source: Path, output: Path, *, quality: int, force: bool) -> int:
    """Write the lightness of a photo alone: same size, same bits, its own metadata, no word of AI-made colours.

    Parameters
    ----------
    source : Path
        The coloured photo.
    output : Path
        A file or a folder.
    quality : int
        Of JPEG and WebP, 1 to 100.
    force : bool
        Whether a file may be replaced.

    Returns
    -------
    int
        Exit code: 0 written, 1 the photo cannot be read or the result not be written, 2 the command makes no sense.
    """
    try:
        destination = result_path(output, source, [source], force=force)
        photo = read_photo(source)
        gray, receipt = merge(photo.pixels, _NO_COLOUR)
        write_photo(destination, gray, like=_silent(photo), quality=quality)
    except TintypeError as error:
        print_error(f"error: {error}")
        return 2 if isinstance(error, UsageError) else 1
    print_line(f"Wrote the lightness of {source} to {destination}; mean |dL*| {receipt.mean_dl:.3f}.")
    for note in (*notes_on(photo, destination), *_doubts(source)):
        print_line(f"note: {note}")
    return 0


def _silent(photo: Photo) -> Photo:
    """The photo with metadata that says nothing of AI-made colours."""
    return replace(
        photo,
        xmp=xmp.without_provenance(photo.xmp) if photo.xmp else None,
        iptc=(iptc.without_provenance(photo.iptc) or None) if photo.iptc else None,
    )


def _doubts(source: Path) -> list[str]:
    try:
        read_provenance(source)
    except ProvenanceError:
        return [f"{source} did not say that its colours are AI-made: they may have been its own."]
    return []
