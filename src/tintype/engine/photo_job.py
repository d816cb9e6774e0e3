"""The steps of one photo: open, (colours by the network), colour, encode.

Command line, service and MLflow model all take these steps, each in its own threads. What is read, how colours join the
photo and what a result says of its origin is therefore the same everywhere. Colours come from a `Colorizer`; the order
in which they are treated is that of `tintype.colorize.Colours`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from tintype.formats.layer import INSIDE, encode_layer
from tintype.formats.metadata import Policy
from tintype.formats.photo import Photo, encode_photo, read_photo
from tintype.imaging.album import pictures_on_page
from tintype.imaging.border import find_border, small_lightness
from tintype.imaging.finding import WRITABLE
from tintype.imaging.geometry import Crop
from tintype.imaging.limits import Limits
from tintype.imaging.merge import Receipt
from tintype.imaging.own_colours import has_own_colours
from tintype.imaging.picture import read_content
from tintype.imaging.provenance import Lineage, Provenance

if TYPE_CHECKING:
    from tintype.colorize import Colours

# The formats that a result can have, and the suffix that each gets: the first of those that are known for it.
RESULT_SUFFIXES = {name.lower(): suffix for suffix, name in reversed(WRITABLE.items())}


@dataclass(frozen=True)
class PhotoOptions:
    """What can be chosen for one photo.

    Attributes
    ----------
    saturation : float
        Factor on the colours, 0 to 2.
    abstain : float
        Colours of less confidence fade to gray, 0 to 1; 0 keeps all.
    file_format : str or None
        Of the result, one of `RESULT_SUFFIXES`; None for the photo's own, as far as it can be written.
    quality : int
        Of JPEG, WebP and AVIF, 1 to 100.
    metadata : str
        What a result takes over from its photo.
    layer : bool
        Whether only the colours are written, to be joined with the untouched photo.
    keep_colour : bool
        Whether a photo that has colours of its own is left as it is. Without a layer: there would be none.
    borders : bool
        Whether a border around a picture is looked for (`tintype.imaging.border`). It becomes gray, and the picture is
        coloured as without it.
    """

    saturation: float = 1.0
    abstain: float = 0.0
    file_format: str | None = None
    quality: int = 95
    metadata: Policy = "keep"
    layer: bool = False
    keep_colour: bool = False
    borders: bool = True

    @property
    def colour_parameters(self) -> Mapping[str, str]:
        """What changes colours, as coloured files say it; an option that is off is left out."""
        chosen = {"saturation": self.saturation} | ({"abstain": self.abstain} if self.abstain > 0 else {})
        return {name: f"{value:.9g}" for name, value in chosen.items()}


class PreparesInputs(Protocol):
    """What opening a photo needs of a `Colorizer`."""

    def prepare(self, pixels: NDArray[Any]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """What network and backbone see of a photo."""


@dataclass(frozen=True)
class OpenPhoto:
    """A decoded photo and what the network needs of it.

    Attributes
    ----------
    l8 : ndarray of shape (size, size, 1), uint8
    gray8 : ndarray of shape (S, S, 1), uint8
        As `Colorizer.prepare` gives them.
    inside : Crop or None
        What is inside of the photo's border, and all that the network sees; None if it has no border.
    own_colours : bool
        Whether the photo has colours of its own, by `tintype.imaging.own_colours`.
    kept : bytes or None
        The file of a photo that is left as it is; the network need not be asked about it.
    """

    photo: Photo
    l8: NDArray[np.uint8]
    gray8: NDArray[np.uint8]
    inside: Crop | None = None
    own_colours: bool = False
    kept: bytes | None = None


@dataclass(frozen=True)
class ColouredPhoto:
    """A photo in colour, not yet in a file.

    Attributes
    ----------
    photo : Photo
        As it was read.
    pixels : ndarray of shape (H, W, 3), uint8 or uint16
        In colour, with as many bits as the photo's.
    ab : ndarray of shape (h, w, 2), float32
        a* and b* as a colour layer keeps them: before saturation.
    receipt : Receipt
        How well the lightness was kept.
    provenance : Provenance or None
        What the file will say of its origin; None if the colours are the photo's own.
    kept : bytes or None
        The photo's file, if it is left as it is.
    """

    photo: Photo
    pixels: NDArray[Any]
    ab: NDArray[np.float32]
    receipt: Receipt
    provenance: Provenance | None
    kept: bytes | None = None


_REPLACED = "Had colours of its own, which were replaced."
_KEPT = "Has colours of its own, and was left as it is."


def open_photo(
    source: Path | bytes, limits: Limits, colorizer: PreparesInputs, options: PhotoOptions = PhotoOptions()
) -> OpenPhoto:
    """Decode a photo and prepare what the network sees of it. Needs no network and runs in any thread.

    Parameters
    ----------
    source : Path or bytes
        A file, or a file's content.
    limits : Limits
        What it may cost.

    Raises
    ------
    PhotoError
        If it cannot be read.
    """
    photo = read_photo(source, limits)
    inside, own_colours, pictures = look_at(photo.pixels, options)
    picture = photo.pixels if inside is None else inside.cut(photo.pixels)
    kept = None
    if own_colours and options.keep_colour:
        kept = read_content(source, limits, str(source) if isinstance(source, Path) else "the photo")
    notes = list(photo.notes)
    if own_colours:
        notes.append(_REPLACED if kept is None else _KEPT)
    if pictures:
        notes.append(
            f"Seems to show {pictures} pictures on a page. In files of their own they get better colours."
        )
    photo = replace(photo, notes=tuple(notes))
    return OpenPhoto(photo, *colorizer.prepare(picture), inside, own_colours, kept)


class Look(NamedTuple):
    """What a photo shows before it is coloured.

    Attributes
    ----------
    inside : Crop or None
        The picture inside of a border, if there is one and that is asked for.
    own_colours : bool
        Whether the picture is in colour already.
    pictures : int
        How many there are on a page, if it is one of several and borders are asked for; else 0.
    """

    inside: Crop | None
    own_colours: bool
    pictures: int


def look_at(pixels: NDArray[Any], options: PhotoOptions) -> Look:
    """Look for a border, for colours and for pictures on a page.

    Parameters
    ----------
    pixels : ndarray of shape (H, W, 3), uint8 or uint16
        sRGB, at any size that is not very small.
    """
    if not options.borders:
        return Look(None, has_own_colours(pixels), 0)
    view = small_lightness(pixels)
    inside = find_border(pixels, view)
    own_colours = has_own_colours(pixels if inside is None else inside.cut(pixels))
    return Look(inside, own_colours, pictures_on_page(view))


def colour_photo(
    opened: OpenPhoto, colours: Colours | None, options: PhotoOptions, lineage: Lineage
) -> ColouredPhoto:
    """Join a photo with its colours.

    Parameters
    ----------
    colours : Colours or None
        What the network says of it; None for a photo that is left as it is.
    lineage : Lineage
        Of the model.
    """
    photo = opened.photo
    if colours is None:
        none = np.zeros((1, 1, 2), np.float32)
        return ColouredPhoto(photo, photo.pixels, none, Receipt(0, 0, 0, "kept"), None, opened.kept)
    joined = colours.join(photo.pixels, options.saturation, options.abstain, opened.inside)
    receipt = replace(joined.receipt, own_colours="replaced" if opened.own_colours else "")
    inside = {} if opened.inside is None else {INSIDE: str(opened.inside)}
    provenance = Provenance(lineage, photo.sha256, {**options.colour_parameters, **inside})
    return ColouredPhoto(photo, joined.pixels, joined.ab, receipt, provenance)


def encode_coloured(coloured: ColouredPhoto, file_format: str, options: PhotoOptions) -> bytes:
    """The content of the result's file: the coloured photo, or its colour layer.

    Parameters
    ----------
    file_format : str
        One of the values of `WRITABLE`, such as ``"JPEG"``. A colour layer is always a PNG.

    Raises
    ------
    PhotoError
        If the format cannot hold the photo.
    """
    if coloured.kept is not None and (file_format, options.metadata) == (coloured.photo.format, "keep"):
        return coloured.kept
    if options.layer and coloured.provenance is not None:
        height, width = coloured.pixels.shape[:2]
        return encode_layer(coloured.ab, coloured.provenance, (width, height))
    return encode_photo(
        coloured.pixels,
        file_format,
        like=coloured.photo,
        quality=options.quality,
        provenance=coloured.provenance,
        metadata=options.metadata,
    )


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory was short; OpenCV has an exception of its own for it."""
    return isinstance(error, MemoryError) or "Insufficient memory" in str(error)
