"""Photos: bytes to upright 8-bit sRGB, and back.

The format is told from the bytes, never from the name. Whatever cannot be decoded is a `PhotoError` with a sentence.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, ImageOps, UnidentifiedImageError

from tintype.errors import TintypeError
from tintype.files.atomic import new_file

FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF")
PHOTO_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".bmp", ".gif"})
WRITABLE = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".tif": "TIFF", ".tiff": "TIFF", ".webp": "WEBP"}
MAX_PIXELS = 200_000_000

Image.MAX_IMAGE_PIXELS = None  # the ceiling is MAX_PIXELS, checked here before anything is decoded


class PhotoError(TintypeError):
    """A photo cannot be read or written.

    Attributes
    ----------
    code : str
        What is wrong, for programs: ``missing``, ``empty``, ``unknown_format``, ``broken``, ``too_many_bytes``,
        ``too_many_pixels``, ``too_many_frames``, ``too_slow``, ``unsupported`` or ``not_writable``.
    """

    def __init__(self, message: str, code: str = "broken") -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Photo:
    """A decoded photo.

    Attributes
    ----------
    rgb8 : ndarray of shape (H, W, 3), uint8
        sRGB, upright.
    alpha : ndarray of shape (H, W), uint8, or None
        Opacity, if the file has it.
    format : str
        The file's format in Pillow's words, such as ``"JPEG"``.
    mode : str
        How the file kept its pixels, in Pillow's words, such as ``"CMYK"``.
    exif : bytes or None
        EXIF block with its orientation set upright.
    dpi : tuple of float or None
        Resolution.
    """

    rgb8: NDArray[np.uint8]
    alpha: NDArray[np.uint8] | None
    format: str
    mode: str
    exif: bytes | None
    dpi: tuple[float, float] | None


def find_photos(folder: Path) -> list[Path]:
    """Files with a photo's suffix below `folder`, sorted by path; hidden files and folders are left out."""
    found = (path for path in folder.rglob("*") if path.suffix.lower() in PHOTO_SUFFIXES and path.is_file())
    return sorted(path for path in found if not _hidden(path.relative_to(folder).parts))


def _hidden(parts: Iterable[str]) -> bool:
    return any(part.startswith(".") for part in parts)


def read_photo(source: Path | bytes) -> Photo:
    """Decode a photo.

    Parameters
    ----------
    source : Path or bytes
        A file, or a file's content.

    Returns
    -------
    Photo
        Upright, in sRGB whatever the file's colour space.

    Raises
    ------
    PhotoError
        If there is no such file, it is no photo, broken, or larger than `MAX_PIXELS`.
    """
    name = str(source) if isinstance(source, Path) else "the photo"
    try:
        content = source.read_bytes() if isinstance(source, Path) else source
    except OSError as error:
        raise PhotoError(f"Expected a readable photo at {name}. Received: {error.strerror}.") from None
    if not content:
        raise PhotoError(f"Expected a photo in {name}, but it is empty.")
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            return _decode(image, name)
    except PhotoError:
        raise
    except UnidentifiedImageError:
        raise PhotoError(
            f"Expected {name} to be one of {', '.join(FORMATS)}, but its content is none of them."
        ) from None
    # Pillow's decoders answer broken files with all of these.
    except (
        OSError,
        SyntaxError,
        ValueError,
        NotImplementedError,
        EOFError,
        IndexError,
        KeyError,
        TypeError,
    ) as error:
        raise PhotoError(
            f"Expected {name} to be a whole photo, but it cannot be decoded: {_reason(error)}."
        ) from None


def _reason(error: Exception) -> str:
    return str(error).rstrip(".") or type(error).__name__


def _decode(image: Any, name: str) -> Photo:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise PhotoError(
            f"Expected at most {MAX_PIXELS / 1e6:.0f} megapixels in {name}. "
            f"Received: {width} x {height}, {width * height / 1e6:.0f} megapixels."
        )
    file_format, mode = image.format, image.mode
    if file_format == "MPO":
        file_format = "JPEG"  # a phone's JPEG with a second picture behind the first
    image.load()
    upright = ImageOps.exif_transpose(image)
    rgb, alpha = _planes(upright, image.info.get("icc_profile"), name)
    exif = upright.getexif()
    exif.pop(ExifTags.Base.Orientation, None)
    dpi = image.info.get("dpi")
    return Photo(
        rgb8=rgb,
        alpha=alpha,
        format=file_format,
        mode=mode,
        exif=exif.tobytes() if len(exif) else None,
        dpi=(float(dpi[0]), float(dpi[1])) if dpi else None,
    )


def _planes(
    image: Any, profile: bytes | None, name: str
) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
    """Colour as sRGB and opacity, from any of Pillow's modes."""
    if image.mode.startswith("I"):  # 16 bits a pixel, which Pillow keeps in 16 or 32
        image = Image.fromarray(np.rint(np.clip(np.asarray(image), 0, 65535) / 257).astype(np.uint8))
    if image.mode == "F":
        raise PhotoError(
            f"Expected whole numbers as pixels in {name}. Received: floating point. Save it with 8 or 16 bits."
        )
    alpha = None
    if image.has_transparency_data:
        image = image.convert("RGBA")
        alpha = np.asarray(image.getchannel("A")).copy()
        image = image.convert("RGB")
    elif image.mode in ("1", "P"):
        image = image.convert("RGB")
    return np.array(_to_srgb(image, profile)), alpha


def _to_srgb(image: Any, profile: bytes | None) -> Any:
    """The image in sRGB; one without a usable profile is taken to be sRGB already."""
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(
                image, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
        except (ImageCms.PyCMSError, OSError):
            converted = None  # a broken or foreign profile says nothing about the pixels
        if converted is not None:
            return converted
    return image.convert("RGB")


def write_photo(
    destination: Path, rgb8: NDArray[np.uint8], *, like: Photo | None = None, quality: int = 95
) -> None:
    """Encode a photo; the file appears whole or not at all.

    Parameters
    ----------
    destination : Path
        Its suffix decides the format: one of `WRITABLE`.
    rgb8 : ndarray of shape (H, W, 3), uint8
        sRGB.
    like : Photo, optional
        Where opacity, EXIF and resolution are taken from, as far as the format can hold them.
    quality : int
        For JPEG and WebP, 1 to 100.

    Raises
    ------
    PhotoError
        If the format is not one of `WRITABLE` or the file cannot be written.
    """
    file_format = WRITABLE.get(destination.suffix.lower())
    if file_format is None:
        raise PhotoError(
            f"Expected a name that ends in one of {', '.join(WRITABLE)}. Received: {destination.name}."
        )
    image = Image.fromarray(rgb8)
    options: dict[str, Any] = {"icc_profile": _srgb_profile()}
    if like is not None and like.alpha is not None and file_format != "JPEG":
        image.putalpha(Image.fromarray(like.alpha))
    if like is not None and like.exif:
        options["exif"] = like.exif
    if like is not None and like.dpi:
        options["dpi"] = like.dpi
    if file_format in ("JPEG", "WEBP"):
        options["quality"] = quality
    if file_format == "JPEG":
        options["subsampling"] = 0  # chroma is what this is about
    try:
        with new_file(destination) as part:
            image.save(part, format=file_format, **options)
    except OSError as error:
        raise PhotoError(f"Expected to write {destination}. Received: {_reason(error)}.") from None


@cache
def _srgb_profile() -> bytes:
    """An sRGB profile without the time of its making (ICC.1:2022, 7.2.8), so that equal photos are equal files."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile[:24] + bytes([0x07, 0xD0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0]) + profile[36:]  # 2000-01-01
