"""XMP in files: finding the packet without decoding a pixel."""

from __future__ import annotations

import io
import struct
import warnings
from typing import Any

from PIL.JpegImagePlugin import JpegImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

_PNG = b"\x89PNG\r\n\x1a\n"
_XMP_KEYWORD = b"XML:com.adobe.xmp\0"
_HEADERS: dict[bytes, Any] = {
    b"\xff\xd8\xff": JpegImageFile,
    b"II": TiffImageFile,
    b"MM": TiffImageFile,
    b"RIFF": WebPImageFile,
}


def xmp_of(content: bytes) -> bytes | None:
    """The XMP packet of a file.

    Parameters
    ----------
    content : bytes
        Of a JPEG, PNG, TIFF or WebP file.

    Returns
    -------
    bytes or None
        The packet as it stands there, unchecked; None if there is none, or the file is broken before it, or of
        another format.
    """
    if content.startswith(_PNG):
        return _xmp_of_png(content)
    for magic, header in _HEADERS.items():
        if content.startswith(magic):
            return _xmp_of_header(header, content)
    return None


def _xmp_of_header(header: Any, content: bytes) -> bytes | None:
    """What Pillow's readers of headers find; `Image.open` would do the same, but refuses large photos."""
    try:
        # It also warns of each broken tag, to whoever is at the keyboard.
        with warnings.catch_warnings(action="ignore"), header(io.BytesIO(content)) as image:
            packet = image.info.get("xmp")
    # Pillow's readers answer broken files with all of these.
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, struct.error):
        return None
    return packet if isinstance(packet, bytes) else None


def _xmp_of_png(content: bytes) -> bytes | None:
    """Pillow knows the texts behind the pixels only after it decoded these."""
    for kind, data in _png_chunks(content):
        if kind == b"iTXt" and data.startswith(_XMP_KEYWORD):
            # Compression flag and method, language and translated keyword; XMP is never compressed (ISO 16684-3).
            flags, rest = data[len(_XMP_KEYWORD) :][:2], data[len(_XMP_KEYWORD) + 2 :]
            parts = rest.split(b"\0", 2)
            return parts[2] if flags[:1] == b"\0" and len(parts) == 3 else None
    return None


def _png_chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    """The chunks that lie within the file, IDAT left out."""
    chunks, at = [], len(_PNG)
    while at + 8 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        if kind != b"IDAT":
            chunks.append((kind, content[at + 8 : at + 8 + length]))
        at += 12 + length
    return chunks
