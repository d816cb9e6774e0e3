"""Eight-bit pixels of any colour space as sRGB, block by block, and the profile that says so in a file."""

from __future__ import annotations

import hashlib
import io
import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import cache
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

_BLOCK = 1 << 20  # pixels converted at once: a second and third copy of a large photo never exist
_MOST_TRANSFORMS = 16
_transforms: OrderedDict[tuple[str, bytes], Any] = OrderedDict()
_lock = threading.Lock()


def rgb8_and_alpha(image: Any, profile: bytes | None) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
    """Colour as sRGB, and opacity.

    Parameters
    ----------
    image : PIL.Image.Image
        Decoded, of a mode with 8 bits a channel or less.
    profile : bytes, optional
        Its ICC profile. Without a usable one the pixels are taken to be sRGB already.

    Returns
    -------
    rgb8 : ndarray of shape (H, W, 3), uint8
    alpha : ndarray of shape (H, W), uint8, or None
    """
    width, height = image.size
    transparent = image.has_transparency_data
    rgb8 = np.empty((height, width, 3), np.uint8)
    alpha = np.empty((height, width), np.uint8) if transparent else None
    to_srgb = _conversion(_colour(image.crop((0, 0, 1, 1))).mode, profile)
    columns = min(width, _BLOCK)
    rows = max(1, _BLOCK // width)
    for top, left in product(range(0, height, rows), range(0, width, columns)):
        bottom, right = min(top + rows, height), min(left + columns, width)
        block = image.crop((left, top, right, bottom))
        rgb8[top:bottom, left:right] = _array(to_srgb(_colour(block)), 3)
        if alpha is not None:
            alpha[top:bottom, left:right] = _array(_with_alpha(block).getchannel("A"), 1)
    return rgb8, alpha


def _array(image: Any, channels: int) -> NDArray[np.uint8]:
    shape = (image.height, image.width) if channels == 1 else (image.height, image.width, channels)
    return np.frombuffer(image.tobytes(), np.uint8).reshape(shape)


def _colour(image: Any) -> Any:
    """The image without opacity, in the colour space that its profile speaks of."""
    if image.mode in ("L", "LA", "La"):
        return _with_alpha(image).convert("L") if image.mode != "L" else image
    if image.has_transparency_data:
        return _with_alpha(image).convert("RGB")
    return image.convert("RGB") if image.mode in ("1", "P") else image


def _with_alpha(image: Any) -> Any:
    """The image in a mode that has a channel for opacity, not multiplied with it."""
    return image.convert("LA" if image.mode in ("LA", "La") else "RGBA")


def is_usable(profile: bytes, mode: str) -> bool:
    """Whether a profile can convert images of `mode` to sRGB."""
    return _transform(mode, profile) is not None


def _conversion(mode: str, profile: bytes | None) -> Callable[[Any], Any]:
    """From images of `mode` to sRGB."""
    transform = _transform(mode, profile) if profile and not _is_ours(profile) else None
    if transform is None:
        return lambda image: image.convert("RGB")
    return lambda image: ImageCms.applyTransform(image, transform)


def _transform(mode: str, profile: bytes) -> Any:
    """LittleCMS's conversion; None for a broken or foreign profile, which says nothing about the pixels.

    Building one takes longer than a small photo's pixels, and most photos share a few profiles. The latest are kept
    by a digest: the bytes are a stranger's, and may be many.
    """
    key = mode, hashlib.sha256(profile).digest()
    with _lock:
        if key in _transforms:
            _transforms.move_to_end(key)
            return _transforms[key]
    transform = _built(mode, profile)
    with _lock:
        _transforms[key] = transform
        while len(_transforms) > _MOST_TRANSFORMS:
            _transforms.popitem(last=False)
    return transform


def _built(mode: str, profile: bytes) -> Any:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError):
        return None


def _is_ours(profile: bytes) -> bool:
    """Whether it is `srgb_profile`, by which LittleCMS changes no pixel, but takes its time."""
    ours = srgb_profile()
    return profile[36:] == ours[36:] and profile[:24] == ours[:24]


@cache
def srgb_profile() -> bytes:
    """An sRGB profile without the time of its making (ICC.1:2022, 7.2.8), so that equal photos are equal files."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile[:24] + bytes([0x07, 0xD0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0]) + profile[36:]  # 2000-01-01


def to_8_bits(levels: NDArray[Any]) -> NDArray[np.uint8]:
    """Levels of 16 bits in 8, of shape (H, W) or (H, W, 3)."""
    table = ((np.arange(65536) + 128) // 257).astype(np.uint8)  # each to the nearest
    result = np.empty(levels.shape, np.uint8)
    rows = max(1, _BLOCK // max(1, levels[0].size))
    for top in range(0, len(levels), rows):  # NumPy makes indices of 8 bytes
        result[top : top + rows] = table[levels[top : top + rows]]
    return result


def gray8(image: Any) -> Any:
    """An image of whole numbers beyond 8 bits as one with 8; what lies beyond 16 bits is cut off."""
    return Image.fromarray(to_8_bits(np.clip(np.asarray(image), 0, 65535).astype(np.uint16)))
