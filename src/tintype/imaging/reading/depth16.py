"""Sixteen-bit pixels, which Pillow keeps only of gray: OpenCV decodes the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

FULL = 65535
LONGEST_SIDE = 1_000_000  # pixels, of what OpenCV decodes


@dataclass(frozen=True)
class Planes:
    """Decoded pixels: colour of shape (H, W, 3) and opacity of shape (H, W) or None, both uint8 or uint16."""

    pixels: NDArray[Any]
    alpha: NDArray[Any] | None


def is_deep(image: Any) -> bool:
    """Whether an opened PNG or TIFF file has 16-bit gray or RGB, with or without opacity."""
    if image.mode.startswith("I;16"):
        return True
    arguments = image.tile[0][3] if image.tile else ""
    layout = arguments if isinstance(arguments, str) else arguments[0]
    return image.mode in ("RGB", "RGBA") and ";16" in layout


def gray16(image: Any, bits: int = 16, *, white_is_zero: bool = False) -> Planes:
    """A decoded image of one of Pillow's 16-bit modes.

    Parameters
    ----------
    image : PIL.Image.Image
        Of mode ``I;16`` or one of its kin.
    bits : int
        Of each level: fewer than 16 are stretched.
    white_is_zero : bool
        Whether levels run from white to black.
    """
    levels = np.asarray(image).astype(np.uint16)
    alpha = None
    if isinstance(key := image.info.get("transparency"), int):
        alpha = np.where(levels == key, 0, FULL).astype(np.uint16)
    if bits < 16:
        levels = np.rint(levels * (FULL / (2**bits - 1))).astype(np.uint16)
    if white_is_zero:
        levels = FULL - levels
    return Planes(cv2.merge([levels] * 3), alpha)


def colour16(content: bytes, size: tuple[int, int]) -> Planes | None:
    """The pixels of a PNG or TIFF file with 16-bit colours.

    Parameters
    ----------
    content : bytes
        Of the file, its limits checked.
    size : tuple of int
        Width and height that a TIFF's pixels must have, and a PNG's.

    Returns
    -------
    Planes or None
        None if OpenCV cannot decode it to such pixels. A TIFF's are upright already.
    """
    if max(size) > LONGEST_SIDE:
        return None  # libpng, which would tell it on stderr
    try:
        decoded: Any = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    if decoded is None or decoded.dtype != np.uint16 or decoded.shape[:2] != size[::-1]:
        return None
    if decoded.ndim != 3 or decoded.shape[2] not in (3, 4):
        return None
    alpha = decoded[..., 3].copy() if decoded.shape[2] == 4 else None
    code = cv2.COLOR_BGR2RGB if alpha is None else cv2.COLOR_BGRA2RGB
    pixels: Any = cv2.cvtColor(decoded, code)
    return Planes(pixels, alpha)


def unmultiplied(planes: Planes) -> Planes:
    """Colours that were multiplied with opacity, as they were before."""
    if planes.alpha is None:
        return planes
    opacity = np.maximum(planes.alpha, 1)[..., np.newaxis].astype(np.float32) / FULL
    return Planes(np.minimum(np.rint(planes.pixels / opacity), FULL).astype(np.uint16), planes.alpha)
