"""The one picture that the corpus is made of: shades, edges and a disc, computed."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

WIDTH, HEIGHT = 64, 48


def rgb8(width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """The picture, (height, width, 3) uint8."""
    y, x = np.mgrid[0:height, 0:width]
    across, down = x / max(width - 1, 1), y / max(height - 1, 1)
    disc = np.hypot(across - 0.5, down - 0.5) < 0.3
    red = 255 * across
    green = 255 * down
    blue = np.where(disc, 220, 40)
    return np.stack([red, green, blue], axis=-1).astype(np.uint8)


def gray8(width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """The picture without colour, (height, width) uint8."""
    return rgb8(width, height).mean(axis=2).astype(np.uint8)


def gray16(width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint16]:
    """The picture without colour, finer than 8 bits can say, (height, width) uint16."""
    y, x = np.mgrid[0:height, 0:width]
    return (gray8(width, height).astype(np.uint16) * 257) ^ ((x * 7 + y * 3) % 256).astype(np.uint16)


def image(mode: str = "RGB", width: int = WIDTH, height: int = HEIGHT) -> Any:
    """The picture in one of Pillow's modes."""
    picture = Image.fromarray(rgb8(width, height))
    if mode in ("RGBA", "LA"):
        picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    converted = picture.convert(mode)
    converted.info.pop("icc_profile", None)  # Lab's says when it was made
    return converted


def saved(picture: Any, file_format: str, **options: Any) -> bytes:
    """The bytes of a Pillow image."""
    stream = io.BytesIO()
    picture.save(stream, file_format, **options)
    return stream.getvalue()
