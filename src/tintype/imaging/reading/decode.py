"""A file's content to upright pixels in sRGB: limits first, then the header, then the picture."""

from __future__ import annotations

import struct
import threading
import warnings
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import import_module
from typing import IO, Any

import cv2
from PIL import Image, features
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import jpeg_factory
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from tintype.errors import install_command
from tintype.imaging.limits import (
    BLOCK,
    Limits,
    PhotoError,
    TimedFile,
    refuse_frames,
    refuse_pixels,
    refuse_profile,
    refuse_scans,
)
from tintype.imaging.reading.counting import count_frames, count_scans
from tintype.imaging.reading.depth16 import LONGEST_SIDE, Planes, colour16, gray16, is_deep, unmultiplied
from tintype.imaging.reading.icc import ProfileError, parse_profile, to_srgb16
from tintype.imaging.reading.orientation import read_orientation, upright
from tintype.imaging.reading.png import read_chunks, xmp_in_text
from tintype.imaging.reading.srgb import gray8, is_usable, rgb8_and_alpha, to_8_bits
from tintype.imaging.reading.tiff import TiffHeader, read_tiff_header

# What `Image.open` would find. It also compares a picture's size with a limit of the process, which is not ours to
# change; ours is in `Limits`, and holds before anything is decoded.
_OPENERS: dict[str, Callable[[IO[bytes]], Any]] = {
    "JPEG": jpeg_factory,
    "PNG": PngImageFile,
    "TIFF": TiffImageFile,
    "WEBP": WebPImageFile,
    "BMP": BmpImageFile,
    "GIF": GifImageFile,
    "AVIF": AvifImageFile,
}
_PAGES = {"TIFF": "pages", "JPEG": "pictures", "HEIF": "pictures"}  # what is animated has frames
_PULLING = {"JPEG", "MPO", "PNG", "GIF"}  # whose decoders take any number of bytes; others want whole rows


class _QuietDecoders:
    """A context for any number of threads: the first to enter silences the decoders, the last to leave restores them.

    Pillow warns of broken tags, for which there are notes and errors here, and OpenCV logs broken files on stderr. Both
    settings belong to the whole process, which may be another program's.
    """

    def __init__(self) -> None:
        self._lock, self._inside, self._restore = threading.Lock(), 0, ExitStack()

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._restore.enter_context(warnings.catch_warnings())
                warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
                self._restore.callback(cv2.utils.logging.setLogLevel, cv2.utils.logging.getLogLevel())
                cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._restore.close()


quiet_decoders = _QuietDecoders()


@dataclass(frozen=True)
class Decoded:
    """What a decoder makes of a file.

    Attributes
    ----------
    planes : Planes
        Upright, in sRGB.
    mode : str
        How the file keeps its pixels, in Pillow's words.
    info : dict of str to Any
        What Pillow found beside the pixels: the blocks of metadata as they are.
    notes : list of str
        A sentence on each thing that was lost.
    """

    planes: Planes
    mode: str
    info: dict[str, Any]
    notes: list[str]


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
        Anything that a decoder raises for a broken file.
    """
    file = TimedFile(content, limits.seconds, name)
    if file_format == "JPEG":
        refuse_scans(count_scans(content, file.check), limits, name)
    header = read_tiff_header(content, name) if file_format == "TIFF" else None
    with quiet_decoders, _opened(file, file_format, name) as image:
        refuse_pixels(image.size, limits, name)
        frames = count_frames(content, image, limits.frames, file.check)
        refuse_frames(frames, limits, name)
        mode = image.mode
        planes, notes = _pixels(content, image, header, file, name)
        info = {str(key): value for key, value in image.info.items()}
        if (
            file_format == "PNG" and image.tile
        ):  # what follows the pixels, Pillow knows only once it decoded them
            info |= _metadata_chunks(content)
    if frames > 1:
        notes.append(f"It has {frames} {_PAGES.get(file_format, 'frames')}; the first was taken.")
    if header is None:  # Pillow and OpenCV turn a TIFF's pixels themselves
        planes = _turned(planes, read_orientation(info))
    return Decoded(planes, mode, info, notes)


def _turned(planes: Planes, orientation: int) -> Planes:
    alpha = None if planes.alpha is None else upright(planes.alpha, orientation)
    return Planes(upright(planes.pixels, orientation), alpha)


def _metadata_chunks(content: bytes) -> dict[str, bytes]:
    """EXIF and XMP of a PNG file, wherever they stand in it, under Pillow's names."""
    found: dict[str, bytes] = {}
    for kind, data in read_chunks(content, lambda: None):
        if kind == b"eXIf":
            found["exif"] = bytes(data)
        elif kind == b"iTXt" and (packet := xmp_in_text(bytes(data))):
            found["xmp"] = packet
    return found


def read_size(file: IO[bytes], file_format: str, name: str) -> tuple[int, int]:
    """Width and height in pixels as a file's header says them, before the picture is turned upright.

    Parameters
    ----------
    file : file
        Open for reading.
    file_format, name : str
        As in `decode`.

    Raises
    ------
    PhotoError, Exception
        As in `decode`.
    """
    with quiet_decoders, _opened(file, file_format, name) as image:
        width, height = image.size
    return width, height


def _opened(file: IO[bytes], file_format: str, name: str) -> Any:
    """The file as Pillow's image, of which the header has been read."""
    opener = _heif_opener() if file_format == "HEIF" else _OPENERS[file_format]
    if opener is None or (file_format == "AVIF" and not features.check("avif")):
        heif = f"pillow-heif (`{install_command('heif')}`)"
        package = heif if file_format == "HEIF" else "pillow with its AVIF decoder"
        raise PhotoError(
            f"Expected {name} in a format that can be decoded here. Received: {file_format}. Install the package "
            f"{package}, or save the photo as JPEG.",
            "unsupported",
        )
    try:
        return opener(file)
    except (SyntaxError, IndexError, TypeError, struct.error):  # by which Pillow says no
        raise PhotoError(
            f"Expected {name} to be a whole photo, but it cannot be decoded: its header is broken, or says of its "
            f"pixels what no decoder for {file_format} here knows.",
            "broken",
        ) from None


def _heif_opener() -> Callable[[IO[bytes]], Any] | None:
    try:
        opener: Callable[[IO[bytes]], Any] = import_module("pillow_heif").HeifImageFile
    except ModuleNotFoundError:
        return None
    return opener


def _pixels(
    content: bytes, image: Any, header: TiffHeader | None, file: TimedFile, name: str
) -> tuple[Planes, list[str]]:
    """An opened file's pixels in sRGB, with all its bits, a TIFF's upright; and notes on what was lost."""
    if header is not None:
        _refuse_planes(header, name)
    profile, notes = image.info.get("icc_profile"), list[str]()
    refuse_profile(len(profile or b""), name)
    if image.format in _PULLING:
        image.decodermaxblock = BLOCK
    if is_deep(image):
        gray = image.mode.startswith("I")
        planes = _deep(content, image, header, file, name)
        if planes is not None:
            return _deep_in_srgb(planes, profile, gray, notes), notes
        if header is None:
            notes.append(
                f"It has 16 bits a channel, of which 8 were taken: a side has more than {LONGEST_SIDE:,} pixels."
            )
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
    """Refuse a kind of file that neither Pillow nor OpenCV decodes to its picture, though neither says so."""
    if header.planar and header.bits > 8:
        raise PhotoError(
            f"Expected the channels of {name} side by side. Received: {header.bits}-bit channels, each in a plane of "
            "its own. Save it with interleaved channels.",
            "unsupported",
        )


def _deep(content: bytes, image: Any, header: TiffHeader | None, file: TimedFile, name: str) -> Planes | None:
    """Pixels with 16 bits a channel in the file's colour space; None if they can be had with 8 only."""
    if image.mode.startswith("I"):
        image.load()
        return gray16(image, header.bits, white_is_zero=header.white_is_zero) if header else gray16(image)
    if header is None:
        for _ in read_chunks(content, file.check):  # OpenCV would tell of broken ones on stderr
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
    levels = to_8_bits(planes.pixels)
    rgb8, _ = rgb8_and_alpha(Image.fromarray(levels[..., 0] if gray else levels), profile)
    return Planes(rgb8, None if planes.alpha is None else to_8_bits(planes.alpha))
