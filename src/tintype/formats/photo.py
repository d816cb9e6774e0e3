"""Photos as files: bytes to pixels with their metadata, and back.

All that passes a person's photos on reads and writes them here. Pixels are decoded by `tintype.imaging.picture`; what
goes into a new file is chosen by a policy (`metadata`) and written by `encode`. A file that cannot be decoded or
written is a `PhotoError` with a sentence and a code.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tintype.files.atomic import new_file
from tintype.formats.encode import WRITERS, encode
from tintype.formats.metadata import Policy, output_metadata, read_metadata
from tintype.imaging.finding import WRITABLE
from tintype.imaging.limits import COLLECTION, Limits, PhotoError, reason
from tintype.imaging.picture import Picture, broken_photo_errors, decode_file
from tintype.imaging.provenance import Provenance
from tintype.imaging.reading.srgb import to_8_bits

__all__ = ["WRITABLE", "Photo", "PhotoError", "Policy", "encode_photo", "read_photo", "write_photo"]


@dataclass(frozen=True)
class Photo(Picture):
    """A picture, and what its file says of it beside the pixels.

    Attributes
    ----------
    exif : bytes or None
        A TIFF structure without orientation, thumbnail and what describes the file's own pixels.
    xmp : bytes or None
        An XMP packet.
    iptc : bytes or None
        Captions as a row of IPTC-IIM datasets.
    dpi : tuple of float or None
        Resolution across and down.
    """

    exif: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    dpi: tuple[float, float] | None = None


def read_photo(source: Path | bytes, limits: Limits = COLLECTION) -> Photo:
    """Decode a photo and read what its file says of it.

    Parameters
    ----------
    source : Path or bytes
        A file, or a file's content.
    limits : Limits
        What it may cost.

    Returns
    -------
    Photo
        Upright, in sRGB from any colour space of the file.

    Raises
    ------
    PhotoError
        If there is no such file, it is no photo, broken, or beyond the limits.
    """
    name, picture, content, info = decode_file(source, limits)
    with broken_photo_errors(name):
        metadata = read_metadata(content, info, picture.format)
    return Photo(
        pixels=picture.pixels,
        alpha=picture.alpha,
        format=picture.format,
        mode=picture.mode,
        sha256=picture.sha256,
        notes=(*picture.notes, *metadata.notes),
        exif=metadata.exif,
        xmp=metadata.xmp,
        iptc=metadata.iptc,
        dpi=metadata.dpi,
    )


def encode_photo(
    pixels: NDArray[Any],
    file_format: str,
    *,
    like: Photo | None = None,
    quality: int = 95,
    provenance: Provenance | None = None,
    metadata: Policy = "keep",
) -> bytes:
    """A photo as a file's content, with an sRGB profile.

    Parameters
    ----------
    pixels : ndarray of shape (H, W, 3), uint8 or uint16
        sRGB. PNG and TIFF keep 16 bits, the others are given 8.
    file_format : str
        One of the values of `WRITABLE`.
    like : Photo, optional
        Whose opacity and metadata are written too, as far as the format can hold them: JPEG
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
    beside = output_metadata(
        exif=like.exif if like else None,
        xmp=like.xmp if like else None,
        iptc=like.iptc if like else None,
        dpi=like.dpi if like else None,
        provenance=provenance,
        metadata=metadata,
    )
    return encode(pixels, _alpha_for(pixels, like), file_format, quality, beside)


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
    return like.alpha.astype(np.uint16) * 257 if pixels.dtype == np.uint16 else to_8_bits(like.alpha)


def write_photo(
    destination: Path,
    pixels: NDArray[Any],
    *,
    like: Photo | None = None,
    quality: int = 95,
    provenance: Provenance | None = None,
    metadata: Policy = "keep",
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
