"""Photos whose shape trips up careless code, in several formats."""

from __future__ import annotations

from functools import partial

import numpy as np
from PIL import Image

from corpus.case import Cases, good
from corpus.picture import image, saved

case = Cases("png")
FORMATS = {"png": "PNG", "jpg": "JPEG", "webp": "WEBP", "tif": "TIFF"}


def shaped(file_format: str, mode: str, width: int, height: int) -> bytes:
    return saved(image(mode, width, height), file_format)


for suffix, file_format in FORMATS.items():
    for width, height in ((1, 1), (1, 5000), (5000, 1), (2, 3), (127, 251)):
        name = f"{file_format.lower()}_shape_{width}_by_{height}"
        case.add(name, good(width, height), partial(shaped, file_format, "RGB", width, height), suffix=suffix)
case.add("png_shape_1_by_1_bilevel", good(1, 1), partial(shaped, "PNG", "1", 1, 1))
case.add("png_shape_1_by_1_transparent", good(1, 1), partial(shaped, "PNG", "LA", 1, 1))
case.add("png_shape_3000_by_7", good(3000, 7), partial(shaped, "PNG", "RGBA", 3000, 7))


@case(good())
def png_all_black() -> bytes:
    return saved(Image.new("L", (64, 48), 0), "PNG")


@case(good())
def png_all_white() -> bytes:
    return saved(Image.new("L", (64, 48), 255), "PNG")


@case(good())
def png_wholly_transparent() -> bytes:
    return saved(Image.new("RGBA", (64, 48), (9, 99, 199, 0)), "PNG")


@case(good(200, 150))
def png_noise() -> bytes:
    y, x = np.mgrid[0:150, 0:200].astype(np.uint64)
    mixed = (x * 2_654_435_761 + y * 2_246_822_519) ^ (x * y * 3_266_489_917)
    return saved(Image.fromarray((mixed >> 7).astype(np.uint8)), "PNG")
