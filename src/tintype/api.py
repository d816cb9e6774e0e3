"""What `import tintype` offers to programs and notebooks: models, and photos from file to file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tintype.colorize import Colorizer
from tintype.engine.photo_job import PhotoOptions, colour_photo, encode_coloured, open_photo
from tintype.engine.result_file import notes_on, result_path, write_result
from tintype.errors import UsageError
from tintype.find_model import find_model
from tintype.formats.metadata import Policy
from tintype.imaging.finding import WRITABLE
from tintype.imaging.limits import COLLECTION


@dataclass(frozen=True)
class ColouredFile:
    """A photo in colour, as a file.

    Attributes
    ----------
    path : Path
        The file.
    mean_dl, max_dl : float
        Mean and largest change of lightness, in units of L* (0 to 100).
    notes : tuple of str
        What the photo's file or the result's format left behind, and what became of colours that the photo had, a
        sentence each.
    """

    path: Path
    mean_dl: float
    max_dl: float
    notes: tuple[str, ...]


def load(model: str | Path | None = None) -> Colorizer:
    """Load a model.

    Parameters
    ----------
    model : str, Path or None
        A bundle's folder, ``models:/NAME@ALIAS`` or ``models:/NAME/VERSION`` of the registry, or ``"starter"`` for the
        model that comes along. None, as for the commands: the registry's champion where there is a registry, else the
        starter.

    Returns
    -------
    Colorizer
        Its `colorize` takes and gives arrays of shape (H, W, 3), uint8 or uint16.

    Raises
    ------
    TintypeError
        If there is no such model, it is damaged, or a package for it is missing.
    """
    found = find_model(model)
    return Colorizer.load(found.bundle, lineage=found.lineage)


def colorize_file(
    source: str | Path,
    destination: str | Path,
    *,
    model: str | Path | Colorizer | None = None,
    saturation: float = 1.0,
    abstain: float = 0.0,
    quality: int = 95,
    metadata: Policy = "keep",
    keep_colour: bool = False,
    borders: bool = True,
    overwrite: bool = False,
) -> ColouredFile:
    """Colour a photo as `tintype colorize` does: at its size, depth and lightness, with captions and provenance.

    Parameters
    ----------
    source : str or Path
        The photo, in any format that the command reads.
    destination : str or Path
        A file, whose suffix chooses the format, or a folder that exists.
    model : str, Path, Colorizer or None
        As `load` takes it, or what `load` gave, which saves loading it for each photo.
    saturation : float
        Factor on the colours, 0 to 2.
    abstain : float
        Leave gray what the model is less sure of than this, 0 to 1; 0 leaves nothing.
    quality : int
        Of JPEG, WebP and AVIF, 1 to 100.
    metadata : str
        What is taken over of EXIF and XMP: ``"keep"``, ``"no-gps"`` or ``"strip"``.
    keep_colour : bool
        Leave a photo that has colours of its own as it is, where sepia and other toning are none. Without it such a
        photo is coloured anew, and a note says so.
    borders : bool
        Look for a border or mount around the picture, which becomes gray; the picture is coloured as without it.
    overwrite : bool
        Whether a file at `destination` may be replaced. The photo itself never is.

    Returns
    -------
    ColouredFile

    Raises
    ------
    UsageError
        If an argument is out of its range, or the destination is there already or has no photo's suffix.
    PhotoError
        If the photo cannot be read or the result not be written.
    TintypeError
        If there is no such model, the model does not say how sure it is (`abstain`), or the disk is full.
    """
    _check_range("saturation", saturation, 0, 2)
    _check_range("abstain", abstain, 0, 1)
    _check_range("quality", quality, 1, 100)
    if metadata not in ("keep", "no-gps", "strip"):
        raise UsageError(f"Expected metadata to be keep, no-gps or strip. Received: {metadata!r}.")
    source = Path(source)
    path = result_path(Path(destination), source, [source], force=overwrite, to_replace="Use overwrite=True")
    colorizer = model if isinstance(model, Colorizer) else load(model)
    if abstain > 0:
        colorizer.check_confidence()
    options = PhotoOptions(
        saturation, abstain, quality=quality, metadata=metadata, keep_colour=keep_colour, borders=borders
    )
    opened = open_photo(source, COLLECTION, colorizer, options)
    colours = None
    if opened.kept is None:
        [colours] = colorizer.colours(opened.l8[None], opened.gray8[None])
    coloured = colour_photo(opened, colours, options, colorizer.lineage)
    write_result(path, encode_coloured(coloured, WRITABLE[path.suffix.lower()], options))
    receipt = coloured.receipt
    return ColouredFile(path, receipt.mean_dl, receipt.max_dl, tuple(notes_on(opened.photo, path)))


def _check_range(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise UsageError(f"Expected {name} from {least} to {most}. Received: {value}.")
