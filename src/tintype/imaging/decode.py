"""A file's content to pixels and what is said about them: limits first, then the header, then the picture."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from PIL import Image, features

from tintype.imaging.budget import BLOCK, Budgeted
from tintype.imaging.depth16 import Planes, colour16, gray16, is_deep, unmultiplied
from tintype.imaging.frames import count_frames
from tintype.imaging.icc import ProfileError, parse_profile, to_srgb16
from tintype.imaging.jpeg_segments import count_scans
from tintype.imaging.limits import Limits
from tintype.imaging.photo_error import PhotoError
from tintype.imaging.png_chunks import read_chunks
from tintype.imaging.said import Said, said_by
from tintype.imaging.srgb import gray8, is_usable, rgb8_and_alpha, shown
from tintype.imaging.tiff_header import TiffHeader, read_tiff_header
from tintype.imaging.turn import upright

Image.MAX_IMAGE_PIXELS = None  # the ceiling is in `Limits`, checked here before anything is decoded

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
        _refuse_scans(count_scans(content, budget.check), limits, name)
    header = read_tiff_header(content, name) if file_format == "TIFF" else None
    _require_decoder(file_format, name)
    with Image.open(budget, formats=[file_format]) as image:
        _refuse_pixels(image.size, limits, name)
        frames = count_frames(content, image, limits.frames, budget.check)
        _refuse_frames(frames, limits, name)
        mode = image.mode
        planes, notes = _picture(content, image, header, budget, name)
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
        raise PhotoError(
            f"{name} is a photo in {file_format}, for which no decoder is installed here. Install the package "
            "pillow-heif, or save the photo as JPEG.",
            "unsupported",
        )


def _has_heif() -> bool:
    try:
        import_module("pillow_heif").register_heif_opener()
    except ModuleNotFoundError:
        return False
    return True


def _refuse_scans(scans: int, limits: Limits, name: str) -> None:
    if scans > limits.scans:
        raise PhotoError(
            f"Expected at most {limits.scans} scans in the JPEG file {name}. Received: {scans}. "
            "Save it again in an image editor.",
            "too_slow",
        )


def _refuse_pixels(size: tuple[int, int], limits: Limits, name: str) -> None:
    width, height = size
    if width * height > limits.pixels:
        raise PhotoError(
            f"Expected at most {limits.pixels / 1e6:.0f} megapixels in {name}. "
            f"Received: {width} x {height}, {width * height / 1e6:.0f} megapixels.",
            "too_many_pixels",
        )


def _refuse_frames(frames: int, limits: Limits, name: str) -> None:
    if frames > limits.frames:
        raise PhotoError(
            f"Expected at most {limits.frames} pictures in {name}, but it has more. Give it a single one.",
            "too_many_frames",
        )


def _picture(
    content: bytes, image: Any, header: TiffHeader | None, budget: Budgeted, name: str
) -> tuple[Planes, list[str]]:
    """The pixels in sRGB, a TIFF's upright, and notes on what was lost."""
    if header is not None:
        _refuse_planes(header, name)
    profile, notes = image.info.get("icc_profile"), list[str]()
    image.decodermaxblock = BLOCK
    if is_deep(image):
        gray = image.mode.startswith("I")
        planes = _deep(content, image, header, budget, name)
        if planes is not None:
            return _deep_in_srgb(planes, profile, gray, notes), notes
    image.load()
    if header is not None and header.bits == 16 and image.mode in ("RGB", "RGBA", "CMYK"):
        notes.append("It has 16 bits a channel, of which 8 were taken: its kind of pixels is kept with 8.")
    if image.mode == "F":
        raise PhotoError(
            f"Expected whole numbers as pixels in {name}. Received: floating point. Save it with 8 or 16 bits.",
            "unsupported",
        )
    if image.mode.startswith("I"):
        image = gray8(image)
    return Planes(*rgb8_and_alpha(image, profile)), notes


def _refuse_planes(header: TiffHeader, name: str) -> None:
    """Neither Pillow nor OpenCV decodes such a file to its picture, and neither says so."""
    if header.planar and header.bits > 8:
        raise PhotoError(
            f"Expected the channels of {name} side by side. Received: {header.bits}-bit channels, each in a plane of "
            "its own. Save it with interleaved channels.",
            "unsupported",
        )


def _deep(
    content: bytes, image: Any, header: TiffHeader | None, budget: Budgeted, name: str
) -> Planes | None:
    """Pixels with 16 bits a channel in the file's colour space; None if they can be had with 8 only."""
    if image.mode.startswith("I"):
        image.load()
        return gray16(image, header.bits, white_is_zero=header.white_is_zero) if header else gray16(image)
    if header is None:
        for _ in read_chunks(content, budget.check):  # OpenCV would tell of broken ones on stderr
            pass
        return colour16(content, image.size)
    planes = colour16(content, image.size)
    if planes is None or not header.has_alpha:
        return planes and Planes(planes.pixels, None)
    return unmultiplied(planes) if header.premultiplied else planes


def _deep_in_srgb(planes: Planes, profile: bytes | None, gray: bool, notes: list[str]) -> Planes:
    """Sixteen-bit pixels in sRGB; with 8 bits where the profile can be applied with no more."""
    if not profile:
        return planes
    try:
        parsed = parse_profile(profile)
    except ProfileError:
        if not is_usable(profile, "L" if gray else "RGB"):
            return planes  # a broken or foreign profile says nothing about the pixels
        notes.append("It has 16 bits a channel, of which 8 were taken: its colour profile is a table.")
        return _shallow(planes, profile, gray)
    if (parsed.matrix is None) == gray:
        to_srgb16(planes.pixels, parsed)
    return planes


def _shallow(planes: Planes, profile: bytes, gray: bool) -> Planes:
    levels = shown(planes.pixels)
    rgb8, _ = rgb8_and_alpha(Image.fromarray(levels[..., 0] if gray else levels), profile)
    return Planes(rgb8, None if planes.alpha is None else shown(planes.alpha))
