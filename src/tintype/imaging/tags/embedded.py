"""XMP in files: finding the packet without decoding a pixel."""

from __future__ import annotations

import io
import struct
import warnings
from typing import Any

from PIL.AvifImagePlugin import AvifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from tintype.imaging.codec.png_chunks import ChunkError, read_chunks, xmp_of_text
from tintype.imaging.codec.sniff import sniff

_HEADERS: dict[str, Any] = {
    "JPEG": JpegImageFile,
    "TIFF": TiffImageFile,
    "WEBP": WebPImageFile,
    "AVIF": AvifImageFile,
}


def xmp_of(content: bytes) -> bytes | None:
    """The XMP packet of a file.

    Parameters
    ----------
    content : bytes
        Of a JPEG, PNG, TIFF, WebP or AVIF file.

    Returns
    -------
    bytes or None
        The packet as it stands there, unchecked; None if there is none, or the file is broken before it, or of
        another format.
    """
    file_format = sniff(content)
    if file_format == "PNG":
        return _xmp_of_png(content)
    return _xmp_of_header(_HEADERS[file_format], content) if file_format in _HEADERS else None


def _xmp_of_header(header: Any, content: bytes) -> bytes | None:
    """What Pillow's readers of headers find; `Image.open` would do the same, but refuses large photos."""
    try:
        # They also warn of each broken tag, to whoever is at the keyboard.
        with warnings.catch_warnings(action="ignore"), header(io.BytesIO(content)) as image:
            packet = image.info.get("xmp")
    # Pillow's readers answer broken files with all of these.
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, struct.error):
        return None
    return packet if isinstance(packet, bytes) else None


def _xmp_of_png(content: bytes) -> bytes | None:
    """Pillow knows the texts behind the pixels only after it decoded these."""
    try:
        for kind, data in read_chunks(content, lambda: None):
            packet = xmp_of_text(bytes(data)) if kind == b"iTXt" else None
            if packet is not None:
                return packet
    except ChunkError:
        return None
    return None
