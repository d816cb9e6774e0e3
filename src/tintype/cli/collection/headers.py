"""What a file says of a photo without decoding all of it: its first bytes, and a small view."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from tintype.cli.collection.plan import Options
from tintype.engine.photo_job import look_at
from tintype.imaging.picture import read_picture
from tintype.imaging.reading.decode import read_size
from tintype.imaging.reading.sniff import sniff

_HEADER_BYTES = 64  # which `sniff` takes
_VIEW = 384  # pixels a side that a small view has at least


@dataclass(frozen=True)
class Header:
    """Format and size in pixels as the file says them, and its bytes."""

    format: str
    width: int
    height: int
    bytes: int

    @property
    def pixels(self) -> int:
        """Width times height."""
        return self.width * self.height


def read_header(path: Path) -> Header | None:
    """The header of a photo's file.

    Parameters
    ----------
    path : Path
        The file. A pipe has no header that could be read twice.

    Returns
    -------
    Header or None
        None where there is none to be read: decoding the photo will say why.
    """
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file:
            file_format = sniff(file.read(_HEADER_BYTES))
            if file_format is None:
                return None
            file.seek(0)
            width, height = read_size(file, file_format, str(path))
        return Header(file_format, width, height, path.stat().st_size)
    except Exception:  # Pillow's parsers raise what they like, and every one of it means the same here
        return None


def shows_colours(path: Path, header: Header, options: Options) -> bool:
    """Whether a photo has colours of its own; of a JPEG by a small view, for a tenth of what decoding it takes.

    Parameters
    ----------
    header : Header
        By `read_header`.
    options : Options
        Whether a border is no part of it, and what a photo of another format, which is decoded, may cost.
    """
    try:
        if header.format != "JPEG":
            pixels = read_picture(path, options.limits).pixels
        else:
            with Image.open(path) as image:
                image.draft(None, (_VIEW, _VIEW))
                pixels = np.asarray(image.convert("RGB"))
    except Exception:  # as above
        return False
    return look_at(pixels, options).own_colours
