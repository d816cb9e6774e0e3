"""Photos: a file's bytes to upright sRGB pixels, and back.

The door for everyone who reads or writes photos. The format is told from the bytes (`sniff`), limits hold before and
while a file is decoded (`decode`), what goes into a new file is chosen by a policy (`metadata`) and written by
`encode`. Whatever cannot be decoded is a `PhotoError` with a sentence and a code.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import UnidentifiedImageError

from tintype.files.atomic import new_file
from tintype.imaging.codec.decode import decode
from tintype.imaging.codec.encode import WRITERS, encode
from tintype.imaging.codec.refusals import refuse_bytes
from tintype.imaging.codec.sniff import FORMATS, sniff
from tintype.imaging.codec.srgb import shown
from tintype.imaging.finding import PHOTO_SUFFIXES, WRITABLE, find_photos
from tintype.imaging.limits import COLLECTION, Limits
from tintype.imaging.photo_error import PhotoError, reason
from tintype.imaging.provenance import Provenance
from tintype.imaging.tags.metadata import Metadata, carried

__all__ = [
    "FORMATS",
    "PHOTO_SUFFIXES",
    "WRITABLE",
    "Metadata",
    "Photo",
    "PhotoError",
    "encode_photo",
    "find_photos",
    "read_photo",
    "sniff",
    "write_photo",
]


@dataclass(frozen=True)
class Photo:
    """A decoded photo.

    Attributes
    ----------
    pixels : ndarray of shape (H, W, 3), uint8 or uint16
        sRGB, upright; 16 bits where the file has more than 8.
    alpha : ndarray of shape (H, W), same dtype, or None
        Opacity, if the file has it.
    format : str
        The file's format: one of `FORMATS`.
    mode : str
        How the file kept its pixels, in Pillow's words, such as ``"CMYK"``.
    sha256 : str
        Of the file, 64 hex digits.
    exif : bytes or None
        A TIFF structure without orientation, thumbnail and what describes the file's own pixels.
    xmp : bytes or None
        An XMP packet.
    iptc : bytes or None
        Captions as a row of IPTC-IIM datasets.
    dpi : tuple of float or None
        Resolution across and down.
    notes : tuple of str
        A sentence on each thing that was left behind.
    """

    pixels: NDArray[Any]
    alpha: NDArray[Any] | None
    format: str
    mode: str
    sha256: str
    exif: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    dpi: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()

    @cached_property
    def rgb8(self) -> NDArray[np.uint8]:
        """The pixels with 8 bits, of shape (H, W, 3)."""
        return shown(self.pixels) if self.pixels.dtype == np.uint16 else self.pixels


def read_photo(source: Path | bytes, limits: Limits = COLLECTION) -> Photo:
    """Decode a photo.

    Parameters
    ----------
    source : Path or bytes
        A file, or a file's content.
    limits : Limits
        What it may cost.

    Returns
    -------
    Photo
        Upright, in sRGB whatever the file's colour space.

    Raises
    ------
    PhotoError
        If there is no such file, it is no photo, broken, or beyond the limits.
    """
    name = str(source) if isinstance(source, Path) else "the photo"
    content = _content(source, limits, name)
    file_format = sniff(content)
    if file_format is None:
        raise PhotoError(
            f"Expected {name} to be one of {', '.join(FORMATS)}, but its content is none of them.",
            "unknown_format",
        )
    try:
        decoded = decode(content, file_format, limits, name)
    except (PhotoError, MemoryError):
        raise
    except UnidentifiedImageError:
        raise PhotoError(
            f"Expected {name} to be a whole photo, but it cannot be decoded: its header is broken, or says of its "
            f"pixels what no decoder for {file_format} here knows.",
            "broken",
        ) from None
    # Decoders answer broken files with exceptions of every kind, and none of them is a mistake of ours to hide: the
    # sentence carries it.
    except Exception as error:
        raise PhotoError(
            f"Expected {name} to be a whole photo, but it cannot be decoded: {reason(error)}.", "broken"
        ) from None
    said = decoded.said
    return Photo(
        pixels=decoded.planes.pixels,
        alpha=decoded.planes.alpha,
        format=decoded.format,
        mode=decoded.mode,
        sha256=hashlib.sha256(content).hexdigest(),
        exif=said.exif,
        xmp=said.xmp,
        iptc=said.iptc,
        dpi=said.dpi,
        notes=decoded.notes,
    )


def _content(source: Path | bytes, limits: Limits, name: str) -> bytes:
    """The file's bytes, which are not read if there are too many."""
    try:
        size = source.stat().st_size if isinstance(source, Path) else len(source)
        refuse_bytes(size, limits, name)
        content = source.read_bytes() if isinstance(source, Path) else source
    except OSError as error:
        raise PhotoError(
            f"Expected a readable photo at {name}. Received: {error.strerror}.", "missing"
        ) from None
    refuse_bytes(len(content), limits, name)  # what is no regular file has no size before
    if not content:
        raise PhotoError(f"Expected a photo in {name}, but it is empty.", "empty")
    return content


def encode_photo(
    pixels: NDArray[Any],
    file_format: str,
    *,
    like: Photo | None = None,
    quality: int = 95,
    provenance: Provenance | None = None,
    metadata: Metadata = "keep",
) -> bytes:
    """A photo as a file's content, with an sRGB profile.

    Parameters
    ----------
    pixels : ndarray of shape (H, W, 3), uint8 or uint16
        sRGB. PNG and TIFF keep 16 bits, the others are given 8.
    file_format : str
        One of the values of `WRITABLE`.
    like : Photo, optional
        Where opacity and all that is said beside the pixels are taken from, as far as the format can hold it: JPEG
        has no opacity, and no more than 64 KB of XMP, beyond which only the provenance is written.
    quality : int
        For JPEG, WebP and AVIF, 1 to 100.
    provenance : Provenance, optional
        Where the colours come from: written as XMP, and as IPTC into JPEG and TIFF.
    metadata : {"keep", "no-gps", "strip"}
        Of what `like` says: EXIF, XMP, captions and resolution; the same without where it was taken; the resolution
        only. Thumbnails, comments and what stands behind the picture are never carried on.

    Raises
    ------
    PhotoError
        If the format is not one of `WRITABLE` or cannot hold the photo.
    """
    _require_pixels(pixels, like)
    if file_format not in WRITERS:
        raise PhotoError(
            f"Expected one of {', '.join(WRITERS)} as format. Received: {file_format}.", "not_writable"
        )
    said = carried(
        exif=like.exif if like else None,
        xmp=like.xmp if like else None,
        iptc=like.iptc if like else None,
        dpi=like.dpi if like else None,
        provenance=provenance,
        metadata=metadata,
    )
    return encode(pixels, _alpha_for(pixels, like), file_format, quality, said)


def _require_pixels(pixels: NDArray[Any], like: Photo | None) -> None:
    if pixels.dtype not in (np.uint8, np.uint16) or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise ValueError(
            f"Expected uint8 or uint16 RGB of shape (H, W, 3). Received: {pixels.dtype} {pixels.shape}"
        )
    if like is not None and like.alpha is not None and like.alpha.shape != pixels.shape[:2]:
        raise ValueError(f"Expected pixels of the photo's shape {like.alpha.shape}. Received: {pixels.shape}")


def _alpha_for(pixels: NDArray[Any], like: Photo | None) -> NDArray[Any] | None:
    """The photo's opacity with as many bits as the pixels."""
    if like is None or like.alpha is None or like.alpha.dtype == pixels.dtype:
        return like.alpha if like else None
    return like.alpha.astype(np.uint16) * 257 if pixels.dtype == np.uint16 else shown(like.alpha)


def write_photo(
    destination: Path,
    pixels: NDArray[Any],
    *,
    like: Photo | None = None,
    quality: int = 95,
    provenance: Provenance | None = None,
    metadata: Metadata = "keep",
) -> None:
    """Encode a photo into a file, which appears whole or not at all.

    Parameters
    ----------
    destination : Path
        Its suffix decides the format: one of `WRITABLE`.
    pixels, like, quality, provenance, metadata
        As for `encode_photo`.

    Raises
    ------
    PhotoError
        If the format is not one of `WRITABLE` or the file cannot be written.
    """
    file_format = WRITABLE.get(destination.suffix.lower())
    if file_format is None:
        raise PhotoError(
            f"Expected a name that ends in one of {', '.join(WRITABLE)}. Received: {destination.name}.",
            "not_writable",
        )
    content = encode_photo(
        pixels, file_format, like=like, quality=quality, provenance=provenance, metadata=metadata
    )
    try:
        with new_file(destination) as part:
            part.write_bytes(content)
    except OSError as error:
        raise PhotoError(
            f"Expected to write {destination}. Received: {reason(error)}.", "not_writable"
        ) from None
