"""`tintype strip`: the photo without its colours."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tintype.cli.arguments import Force, OutputFile, Quality
from tintype.cli.console import print_line

if TYPE_CHECKING:
    from tintype.formats.photo import Photo


def strip(
    photo: Annotated[Path, typer.Argument(metavar="PHOTO", help="A coloured photo.", show_default=False)],
    output: OutputFile,
    quality: Quality = 95,
    force: Force = False,
) -> None:
    """Take the colours out again.

    What stays is the photo's lightness alone, at the same size and depth.

    Exit code: 0 written, 1 a file cannot be read or written, 2 wrong usage.
    """
    import numpy as np

    from tintype.engine.result_file import notes_on, result_path
    from tintype.formats.photo import read_photo, write_photo
    from tintype.imaging.merge import merge

    destination = result_path(output, photo, [photo], force=force)
    content = read_photo(photo)
    gray, receipt = merge(content.pixels, np.zeros((1, 1, 2), np.float32))
    write_photo(destination, gray, like=_silent(content), quality=quality)
    print_line(f"Wrote the lightness of {photo} to {destination}; mean |dL*| {receipt.mean_dl:.3f}.")
    for note in (*notes_on(content, destination), *_doubts(photo)):
        print_line(f"note: {note}")


def _silent(photo: Photo) -> Photo:
    """The photo with metadata that says nothing of AI-made colours."""
    from tintype.formats import iptc, xmp

    return replace(
        photo,
        xmp=xmp.without_provenance(photo.xmp) if photo.xmp else None,
        iptc=(iptc.without_provenance(photo.iptc) or None) if photo.iptc else None,
    )


def _doubts(source: Path) -> list[str]:
    from tintype.formats.xmp import ProvenanceError, read_provenance

    try:
        read_provenance(source)
    except ProvenanceError:
        return [f"{source} did not say that its colours are AI-made: they may have been its own."]
    return []
