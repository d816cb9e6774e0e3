"""Pixels to a file's content, in each of the formats that are written."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tintype.imaging.codec.png_chunks import (
    exif_chunk,
    insert_chunks,
    profile_chunk,
    resolution_chunk,
    xmp_chunk,
)
from tintype.imaging.codec.srgb import shown, srgb_profile
from tintype.imaging.codec.tiff_file import encode_tiff
from tintype.imaging.photo_error import PhotoError, reason
from tintype.imaging.tags.iptc import photoshop_block
from tintype.imaging.tags.metadata import Carried

LONGEST_SIDE = {"JPEG": 65_500, "WEBP": 16_383, "AVIF": 65_536}  # pixels
_MOST_XMP_IN_JPEG = 65_502  # bytes, in a segment of its own


def encode(
    pixels: NDArray[Any], alpha: NDArray[Any] | None, file_format: str, quality: int, said: Carried
) -> bytes:
    """A file's content.

    Parameters
    ----------
    pixels : ndarray of shape (H, W, 3), uint8 or uint16
        sRGB. PNG and TIFF keep 16 bits, the others are given 8.
    alpha : ndarray of shape (H, W), uint8 or uint16, or None
        Opacity, which JPEG does not have.
    file_format : str
        A key of `WRITERS`.
    quality : int
        For JPEG, WebP and AVIF, 1 to 100.
    said : Carried
        What goes into it beside the pixels.

    Raises
    ------
    PhotoError
        If the format cannot hold the photo.
    """
    longest = LONGEST_SIDE.get(file_format)
    if longest is not None and max(pixels.shape[:2]) > longest:
        raise PhotoError(
            f"Expected at most {longest} pixels along each side for {file_format}. "
            f"Received: {pixels.shape[1]} x {pixels.shape[0]}. Choose PNG or TIFF.",
            "not_writable",
        )
    try:
        return WRITERS[file_format](pixels, alpha, quality, said)
    except (OSError, ValueError, cv2.error) as error:
        raise PhotoError(
            f"Expected to write a photo in {file_format}. Received: {reason(error)}.", "not_writable"
        ) from None


def _jpeg(pixels: NDArray[Any], _alpha: NDArray[Any] | None, quality: int, said: Carried) -> bytes:
    xmp = said.xmp if len(said.xmp or b"") <= _MOST_XMP_IN_JPEG else said.xmp_alone
    block = said.exif_block(with_resolution=False)
    return _by_pillow(
        "JPEG",
        Image.fromarray(_eight_bits(pixels)),
        quality=quality,
        subsampling=0,  # chroma is what this is about
        exif=b"Exif\0\0" + block if block else b"",
        xmp=xmp,
        extra=_app13(said.iptc) if said.iptc else b"",
        **({"dpi": said.dpi} if said.dpi else {}),
    )


def _app13(record: bytes) -> bytes:
    """The segment for IPTC captions, which `said` keeps short enough for it."""
    block = photoshop_block(record)
    return b"\xff\xed" + (len(block) + 2).to_bytes(2, "big") + block


def _webp(pixels: NDArray[Any], alpha: NDArray[Any] | None, quality: int, said: Carried) -> bytes:
    block = said.exif_block(with_resolution=True)
    return _by_pillow(
        "WEBP", _with_alpha8(pixels, alpha), quality=quality, exif=block or b"", xmp=said.xmp or b""
    )


def _avif(pixels: NDArray[Any], alpha: NDArray[Any] | None, quality: int, said: Carried) -> bytes:
    block = said.exif_block(with_resolution=True)
    image = _with_alpha8(pixels, alpha)
    options = {"exif": block} if block else {}
    return _by_pillow("AVIF", image, quality=quality, subsampling="4:4:4", xmp=said.xmp or b"", **options)


def _by_pillow(file_format: str, image: Any, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format=file_format, icc_profile=srgb_profile(), **options)
    return stream.getvalue()


def _png(pixels: NDArray[Any], alpha: NDArray[Any] | None, _quality: int, said: Carried) -> bytes:
    """By OpenCV, which is faster than Pillow and knows 16-bit colours; the other chunks are ours."""
    if alpha is None:
        ordered: Any = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    else:
        ordered = np.dstack([pixels[..., ::-1], alpha])
    done, png = cv2.imencode(".png", ordered)
    if not done:
        raise ValueError("OpenCV could not encode it")
    block = said.exif_block(with_resolution=False)
    chunks = [profile_chunk(srgb_profile())]
    chunks += [resolution_chunk(said.dpi)] if said.dpi else []
    chunks += [exif_chunk(block)] if block else []
    chunks += [xmp_chunk(said.xmp)] if said.xmp else []
    return insert_chunks(png.data, chunks)


def _tiff(pixels: NDArray[Any], alpha: NDArray[Any] | None, _quality: int, said: Carried) -> bytes:
    return encode_tiff(pixels if alpha is None else np.dstack([pixels, alpha]), srgb_profile(), said)


def _with_alpha8(pixels: NDArray[Any], alpha: NDArray[Any] | None) -> Any:
    image = Image.fromarray(_eight_bits(pixels))
    if alpha is not None:
        image.putalpha(Image.fromarray(_eight_bits(alpha)))
    return image


def _eight_bits(levels: NDArray[Any]) -> NDArray[np.uint8]:
    return shown(levels) if levels.dtype == np.uint16 else np.ascontiguousarray(levels)


WRITERS: dict[str, Callable[[NDArray[Any], NDArray[Any] | None, int, Carried], bytes]] = {
    "JPEG": _jpeg,
    "PNG": _png,
    "TIFF": _tiff,
    "WEBP": _webp,
    "AVIF": _avif,
}
