"""A file's content to pixels and what is said about them: limits first, then the header, then the picture."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from importlib import import_module

from PIL import Image, features

from tintype.errors import install_command
from tintype.imaging.codec.budget import Budgeted
from tintype.imaging.codec.depth16 import Planes
from tintype.imaging.codec.frames import count_frames
from tintype.imaging.codec.jpeg_segments import count_scans
from tintype.imaging.codec.picture import picture_of
from tintype.imaging.codec.refusals import refuse_frames, refuse_pixels, refuse_scans
from tintype.imaging.codec.tiff_header import read_tiff_header
from tintype.imaging.codec.turn import upright
from tintype.imaging.limits import Limits
from tintype.imaging.photo_error import PhotoError
from tintype.imaging.tags.said import Said, said_by

Image.MAX_IMAGE_PIXELS = None  # the ceiling is in `Limits`, checked here before anything is decoded
# Pillow's remarks on broken tags, for which there are notes and errors here.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")

_PAGES = {"TIFF": "pages", "JPEG": "pictures", "HEIF": "pictures"}  # what is animated has frames


@dataclass(frozen=True)
class Decoded:
    """An upright picture in sRGB, in the format and mode that the file has, and what the file says of it."""

    planes: Planes
    format: str
    mode: str
    said: Said
    notes: tuple[str, ...]


def decode(content: bytes, file_format: str, limits: Limits, name: str) -> Decoded:
    """Decode a file.

    Parameters
    ----------
    content : bytes
        Of the file.
    file_format : str
        What `sniff` says of it.
    limits : Limits
        What it may cost.
    name : str
        What it is called in errors.

    Raises
    ------
    PhotoError
        If it goes beyond the limits, or cannot be decoded here.
    Exception
        Whatever a decoder throws at a broken file.
    """
    budget = Budgeted(content, limits.seconds, name)
    if file_format == "JPEG":
        refuse_scans(count_scans(content, budget.check), limits, name)
    header = read_tiff_header(content, name) if file_format == "TIFF" else None
    _require_decoder(file_format, name)
    with Image.open(budget, formats=[file_format]) as image:
        refuse_pixels(image.size, limits, name)
        frames = count_frames(content, image, limits.frames, budget.check)
        refuse_frames(frames, limits, name)
        mode = image.mode
        planes, notes = picture_of(content, image, header, budget, name)
        said = said_by(content, image, file_format)
    if frames > 1:
        notes.append(f"It has {frames} {_PAGES.get(file_format, 'frames')}; the first was taken.")
    turned = Planes(
        upright(planes.pixels, said.orientation),
        None if planes.alpha is None else upright(planes.alpha, said.orientation),
    )
    return Decoded(turned, file_format, mode, said, (*notes, *said.notes))


def _require_decoder(file_format: str, name: str) -> None:
    available = {"AVIF": lambda: features.check("avif"), "HEIF": _has_heif}.get(file_format, lambda: True)
    if not available():
        heif = f"pillow-heif (`{install_command('heif')}`)"
        package = heif if file_format == "HEIF" else "pillow with its AVIF decoder"
        raise PhotoError(
            f"Expected {name} in a format that can be decoded here. Received: {file_format}. Install the package "
            f"{package}, or save the photo as JPEG.",
            "unsupported",
        )


def _has_heif() -> bool:
    try:
        import_module("pillow_heif").register_heif_opener()
    except ModuleNotFoundError:
        return False
    return True
