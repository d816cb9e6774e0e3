"""Pixels to a file's content, in each of the formats that are written."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tintype.formats.iptc import photoshop_block
from tintype.formats.metadata import OutputMetadata
from tintype.formats.tiff import encode_tiff
from tintype.imaging.geometry import Crop, resize, resize_axis, rows_between, strips
from tintype.imaging.limits import PhotoError, reason
from tintype.imaging.reading.png import SIGNATURE, XMP_KEYWORD
from tintype.imaging.reading.srgb import srgb_profile, to_8_bits

LONGEST_SIDE = {"JPEG": 65_500, "PNG": 1_000_000, "WEBP": 16_383, "AVIF": 65_536}  # pixels
_MOST_XMP_IN_JPEG = 65_502  # bytes, in a segment of its own


def encode(
    pixels: NDArray[Any], alpha: NDArray[Any] | None, file_format: str, quality: int, beside: OutputMetadata
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
    beside : OutputMetadata
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
            f"Received: {pixels.shape[1]} x {pixels.shape[0]}. Choose {'PNG or ' if longest < 1e6 else ''}TIFF.",
            "not_writable",
        )
    try:
        return WRITERS[file_format](pixels, alpha, quality, beside)
    except (OSError, ValueError, cv2.error) as error:
        raise PhotoError(
            f"Expected to write a photo in {file_format}. Received: {reason(error)}.", "not_writable"
        ) from None


def _jpeg(pixels: NDArray[Any], _alpha: NDArray[Any] | None, quality: int, beside: OutputMetadata) -> bytes:
    xmp = beside.xmp if len(beside.xmp or b"") <= _MOST_XMP_IN_JPEG else beside.xmp_alone
    block = beside.exif_block(with_resolution=False)
    return _by_pillow(
        "JPEG",
        Image.fromarray(_eight_bits(pixels)),
        quality=quality,
        subsampling=0,  # chroma is what this is about
        exif=b"Exif\0\0" + block if block else b"",
        xmp=xmp,
        extra=_app13(beside.iptc) if beside.iptc else b"",
        **({"dpi": beside.dpi} if beside.dpi else {}),
    )


def _app13(record: bytes) -> bytes:
    """The segment for IPTC captions, which `FileMetadata` keeps short enough for it."""
    block = photoshop_block(record)
    return b"\xff\xed" + (len(block) + 2).to_bytes(2, "big") + block


def _webp(pixels: NDArray[Any], alpha: NDArray[Any] | None, quality: int, beside: OutputMetadata) -> bytes:
    block = beside.exif_block(with_resolution=True)
    return _by_pillow(
        "WEBP", _with_alpha8(pixels, alpha), quality=quality, exif=block or b"", xmp=beside.xmp or b""
    )


def _avif(pixels: NDArray[Any], alpha: NDArray[Any] | None, quality: int, beside: OutputMetadata) -> bytes:
    block = beside.exif_block(with_resolution=True)
    image = _with_alpha8(pixels, alpha)
    options = {"exif": block} if block else {}
    return _by_pillow("AVIF", image, quality=quality, subsampling="4:4:4", xmp=beside.xmp or b"", **options)


def _by_pillow(file_format: str, image: Any, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format=file_format, icc_profile=srgb_profile(), **options)
    return stream.getvalue()


def _png(pixels: NDArray[Any], alpha: NDArray[Any] | None, _quality: int, beside: OutputMetadata) -> bytes:
    """A PNG by OpenCV, which is faster than Pillow and knows 16-bit colours; the other chunks are ours."""
    if alpha is None:
        ordered: Any = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    else:
        ordered = np.dstack([pixels[..., ::-1], alpha])
    done, png = cv2.imencode(".png", ordered)
    if not done:
        raise ValueError("OpenCV could not encode it")
    block = beside.exif_block(with_resolution=False)
    chunks = [profile_chunk(srgb_profile())]
    chunks += [resolution_chunk(beside.dpi)] if beside.dpi else []
    chunks += [exif_chunk(block)] if block else []
    chunks += [xmp_chunk(beside.xmp)] if beside.xmp else []
    return insert_chunks(png.data, chunks)


def _tiff(pixels: NDArray[Any], alpha: NDArray[Any] | None, _quality: int, beside: OutputMetadata) -> bytes:
    return encode_tiff(pixels if alpha is None else np.dstack([pixels, alpha]), srgb_profile(), beside)


def _with_alpha8(pixels: NDArray[Any], alpha: NDArray[Any] | None) -> Any:
    image = Image.fromarray(_eight_bits(pixels))
    if alpha is not None:
        image.putalpha(Image.fromarray(_eight_bits(alpha)))
    return image


def _eight_bits(levels: NDArray[Any]) -> NDArray[np.uint8]:
    return to_8_bits(levels) if levels.dtype == np.uint16 else np.ascontiguousarray(levels)


WRITERS: dict[str, Callable[[NDArray[Any], NDArray[Any] | None, int, OutputMetadata], bytes]] = {
    "JPEG": _jpeg,
    "PNG": _png,
    "TIFF": _tiff,
    "WEBP": _webp,
    "AVIF": _avif,
}


def confidence_png(
    confidence: NDArray[np.float32], height: int, width: int, inside: Crop | None = None
) -> bytes:
    """Confidence as a picture to lay beside a photo.

    Parameters
    ----------
    confidence : ndarray of shape (h, w), float32
        In [0, 1].
    height, width : int
        The photo's size in pixels.
    inside : Crop, optional
        The part of the photo that it is about; around it nothing is claimed, and it is black.

    Returns
    -------
    bytes
        A PNG of that size in 8 bits of gray, black for 0 and white for 1; equal inputs give equal files.
    """
    picture = np.zeros((height, width), np.uint8)
    part_of_it = picture if inside is None else inside.cut(picture)
    height, width = part_of_it.shape
    few = resize(confidence, min(len(confidence), height), min(confidence.shape[1], width))[..., np.newaxis]
    for rows in strips(height, width):
        part = resize_axis(rows_between(few, height, rows), width=width)[..., 0]
        part_of_it[rows] = np.rint(np.clip(part, 0, 1) * 255)
    _, png = cv2.imencode(".png", picture)
    return png.tobytes()


def insert_chunks(png: memoryview, chunks: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A PNG file with chunks put behind its header, where all of ours may stand."""
    behind = len(SIGNATURE) + 12 + 13  # IHDR
    return b"".join([png[:behind], *(_chunk(kind, data) for kind, data in chunks), png[behind:]])


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def profile_chunk(profile: bytes) -> tuple[bytes, bytes]:
    """The ICC profile of the pixels."""
    return b"iCCP", b"ICC Profile\0\0" + zlib.compress(profile)


def resolution_chunk(dpi: tuple[float, float]) -> tuple[bytes, bytes]:
    """Pixels to a metre."""
    across, down = (round(value / 0.0254) for value in dpi)
    return b"pHYs", struct.pack(">IIB", across, down, 1)


def xmp_chunk(packet: bytes) -> tuple[bytes, bytes]:
    """An XMP packet; never compressed (ISO 16684-3)."""
    return b"iTXt", XMP_KEYWORD + bytes(4) + packet


def exif_chunk(block: bytes) -> tuple[bytes, bytes]:
    """An EXIF block."""
    return b"eXIf", block
