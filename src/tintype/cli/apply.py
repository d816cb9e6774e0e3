"""`tintype apply`: a master and its colour layer joined again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tintype.cli.arguments import Force, Metadata, OutputFile, Quality
from tintype.cli.console import print_line

if TYPE_CHECKING:
    from tintype.formats.layer import Layer
    from tintype.formats.photo import Photo


def apply(
    master: Annotated[
        Path,
        typer.Argument(metavar="MASTER", help="The photo that the layer was made from.", show_default=False),
    ],
    layer: Annotated[
        Path,
        typer.Argument(
            metavar="LAYER", help="Its colours, by `tintype colorize --layer`.", show_default=False
        ),
    ],
    output: OutputFile,
    quality: Quality = 95,
    metadata: Metadata = "keep",
    any_master: Annotated[
        bool,
        typer.Option("--any-master", help="Take another file than the layer's own, such as a better scan."),
    ] = False,
    force: Force = False,
) -> None:
    """Join an untouched photo and its colour layer.

    The result has the same pixels as from colouring it.

    Exit code: 0 written, 1 a file cannot be read or written or is another one, 2 wrong usage.
    """
    from tintype.engine.result_file import notes_on, result_path
    from tintype.formats.layer import INSIDE, read_layer
    from tintype.formats.photo import read_photo, write_photo
    from tintype.imaging.merge import merge

    destination = result_path(output, master, [master, layer], force=force)
    colours = read_layer(layer)
    photo = read_photo(master)
    if not any_master:
        _refuse_other(master, photo, colours)
    inside, provenance = colours.inside, replace(colours.provenance, input_sha256=photo.sha256)
    if inside is not None:  # of another master, the part at the same place
        height, width = photo.pixels.shape[:2]
        inside = inside.scaled(colours.master_size[::-1], (height, width))
        provenance = replace(provenance, parameters={**provenance.parameters, INSIDE: str(inside)})
    coloured, receipt = merge(
        photo.pixels, colours.ab, colours.saturation, edges=colours.edges, inside=inside
    )
    write_photo(destination, coloured, like=photo, quality=quality, provenance=provenance, metadata=metadata)
    print_line(
        f"Joined {master} and {layer} in {destination}; "
        f"mean |dL*| {receipt.mean_dl:.3f}, max {receipt.max_dl:.2f}."
    )
    for note in notes_on(photo, destination):
        print_line(f"note: {note}")


def _refuse_other(master: Path, photo: Photo, layer: Layer) -> None:
    from tintype.formats.layer import LayerError

    expected = layer.provenance.input_sha256
    if photo.sha256 != expected:
        raise LayerError(
            f"Expected the master of this layer, with SHA-256 {expected}. Received: {master}, with {photo.sha256}. "
            "Give the file that the layer was made from, or --any-master to colour this one nevertheless."
        )
    height, width = photo.pixels.shape[:2]
    if (width, height) != layer.master_size:
        raise LayerError(
            f"Expected a master of {layer.master_size[0]} x {layer.master_size[1]} pixels. "
            f"Received: {width} x {height}, in {master}. The layer is damaged: make it anew."
        )
