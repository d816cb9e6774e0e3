"""An opened file to pixels in sRGB, with as many bits as can be had."""

from __future__ import annotations

from typing import Any

from PIL import Image

from tintype.imaging.codec.budget import BLOCK, Budgeted
from tintype.imaging.codec.depth16 import Planes, colour16, gray16, is_deep, unmultiplied
from tintype.imaging.codec.icc import ProfileError, parse_profile, to_srgb16
from tintype.imaging.codec.png_chunks import read_chunks
from tintype.imaging.codec.srgb import gray8, is_usable, rgb8_and_alpha, shown
from tintype.imaging.codec.tiff_header import TiffHeader
from tintype.imaging.photo_error import PhotoError

_PULLING = {"JPEG", "MPO", "PNG", "GIF"}  # whose decoders take any number of bytes; others want whole rows


def picture_of(
    content: bytes, image: Any, header: TiffHeader | None, budget: Budgeted, name: str
) -> tuple[Planes, list[str]]:
    """An opened file's pixels in sRGB, a TIFF's upright, and notes on what was lost.

    Parameters
    ----------
    content : bytes
        Of the file, its limits checked.
    image : PIL.Image.Image
        The same file, opened by way of `budget`.
    header : TiffHeader or None
        Of a TIFF file.
    name : str
        What the file is called in errors.

    Raises
    ------
    PhotoError
        If its kind of pixels is not read.
    """
    if header is not None:
        _refuse_planes(header, name)
    profile, notes = image.info.get("icc_profile"), list[str]()
    if image.format in _PULLING:
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
