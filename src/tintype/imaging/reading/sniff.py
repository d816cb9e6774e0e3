"""A file's format, recognized by its first bytes: never by its name or a declared type."""

from __future__ import annotations

FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF", "AVIF", "HEIF")

_MAGIC = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",  # BigTIFF
    b"MM\0+": "TIFF",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
}
_BMP_HEADERS = {12, 16, 40, 52, 56, 64, 108, 124}  # bytes; "BM" alone begins many a text
_BRANDS = {
    **dict.fromkeys((b"avif", b"avis"), "AVIF"),
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"), "HEIF"),
}
_GENERIC_BRANDS = {b"mif1", b"msf1", b"miaf"}  # the compatible brands behind it tell which


def sniff(content: bytes) -> str | None:
    """The format of a photo's content.

    Parameters
    ----------
    content : bytes
        A file's first 64 bytes, or more.

    Returns
    -------
    str or None
        One of `FORMATS`; None for all that is no photo: EPS, PDF, SVG, PSD and all the others that no parser gets to
        see.
    """
    for magic, file_format in _MAGIC.items():
        if content.startswith(magic):
            return file_format
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WEBP"
    if content[:2] == b"BM" and int.from_bytes(content[14:18], "little") in _BMP_HEADERS:
        return "BMP"
    return _sniff_boxes(content) if content[4:8] == b"ftyp" else None


def _sniff_boxes(content: bytes) -> str | None:
    """AVIF or HEIF, which name their brands in a first box `ftyp`: the major one, a version, compatible ones."""
    major, end = content[8:12], min(int.from_bytes(content[:4], "big"), 256)
    if major in _BRANDS:
        return _BRANDS[major]
    if major not in _GENERIC_BRANDS:
        return None
    compatible = [content[at : at + 4] for at in range(16, end, 4)]
    return next((_BRANDS[brand] for brand in compatible if brand in _BRANDS), "HEIF")
