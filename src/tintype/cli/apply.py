"""`tintype apply`: a master and its colour layer joined again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

from tintype.cli.console import print_error, print_line
from tintype.cli.result import notes_on, result_path
from tintype.errors import TintypeError, UsageError
from tintype.formats.layer import Layer, LayerError, read_layer
from tintype.formats.photo import Photo, read_photo, write_photo
from tintype.imaging.merge import merge


def run(
    master: Path,
    layer_file: Path,
    output: Path,
    *,
    quality: int = 95,
    metadata: Literal["keep", "no-gps", "strip"] = "keep",
    any_master: bool = False,
    force: bool = False,
) -> int:
    """Write the photo that colouring the master gave.

    Parameters
    ----------
    master : Path
        The photo that nobody touched.
    layer_file : Path
        Its colour layer.
    output : Path
        A file or a folder.
    quality : int
        Of JPEG and WebP, 1 to 100.
    metadata : str
        What the result takes over from the master.
    any_master : bool
        Whether another photo than the layer's own is taken, such as a better scan of it.
    force : bool
        Whether a file may be replaced.

    Returns
    -------
    int
        Exit code: 0 written, 1 a file cannot be read, is another one, or the result not be written, 2 the command
        makes no sense.
    """
    try:
        destination = result_path(output, master, [master, layer_file], force=force)
        layer = read_layer(layer_file)
        photo = read_photo(master)
        if not any_master:
            _refuse_other(master, photo, layer)
        coloured, receipt = merge(photo.pixels, layer.ab, layer.saturation, edges=layer.edges)
        provenance = replace(layer.provenance, input_sha256=photo.sha256)
        write_photo(
            destination, coloured, like=photo, quality=quality, provenance=provenance, metadata=metadata
        )
    except TintypeError as error:
        print_error(f"error: {error}")
        return 2 if isinstance(error, UsageError) else 1
    print_line(
        f"Joined {master} and {layer_file} in {destination}; "
        f"mean |dL*| {receipt.mean_dl:.3f}, max {receipt.max_dl:.2f}."
    )
    for note in notes_on(photo, destination):
        print_line(f"note: {note}")
    return 0


def _refuse_other(master: Path, photo: Photo, layer: Layer) -> None:
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
