"""What the network and the backbone see of a photo.

Precompute, evaluation, the command line and the service all come through here, so that a network sees the same tensors
as in its training, bit for bit. The planes come from the photo's full-size Lab; of it only lightness reaches an input,
so a colour photo and its gray copy look the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tintype.imaging.geometry import by_strips, resize, resize_axis
from tintype.imaging.lab import decode_l8, encode_l8, encode_lab8, lightness, lightness_to_gray8

# Photos in one call of the network. It is compiled anew for each size, so other numbers are filled up to the next.
SIZES = (1, 2, 4, 8)
BATCH = SIZES[-1]


def network_lab8(lab: NDArray[np.float32], size: int) -> NDArray[np.uint8]:
    """Lab at the network's size: plane 0 is its input, planes 1 and 2 its target.

    Parameters
    ----------
    lab : ndarray of shape (H, W, 3), float32
        A photo or a crop of one.
    size : int
        Side in pixels of the square that the whole of it is scaled to.

    Returns
    -------
    ndarray of shape (size, size, 3), uint8
        Encoded as by `tintype.imaging.lab.encode_lab8`.
    """
    return encode_lab8(resize(lab, size, size))


def backbone_gray8(lightness: NDArray[np.float32], size: int) -> NDArray[np.uint8]:
    """The gray photo at the backbone's size.

    Parameters
    ----------
    lightness : ndarray of shape (H, W), float32
        L* of a photo or a crop of one.
    size : int
        Side in pixels of the square that the whole of it is scaled to.

    Returns
    -------
    ndarray of shape (size, size, 1), uint8
        sRGB gray levels, to be used as R=G=B.
    """
    return _gray8(resize(lightness, size, size))


def network_inputs(
    pixels: NDArray[Any], size: int, backbone_size: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Both inputs of a photo: what `network_lab8` and `backbone_gray8` make of it, without ever holding all of its Lab.

    Parameters
    ----------
    pixels : ndarray of shape (H, W, 3), uint8 or uint16
        sRGB, upright.
    size, backbone_size : int
        Sides in pixels of the network's and of the backbone's square.

    Returns
    -------
    l8 : ndarray of shape (size, size, 1), uint8
        Lightness, 0..255 for L* 0..100.
    gray8 : ndarray of shape (backbone_size, backbone_size, 1), uint8
        sRGB gray levels, to be used as R=G=B.
    """

    def narrowed(rows: slice) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        plane = lightness(pixels[rows])
        return resize_axis(plane, width=size), resize_axis(plane, width=backbone_size)

    height, width = pixels.shape[:2]
    narrow, narrow_for_backbone = zip(*by_strips(height, width, narrowed), strict=True)
    l_plane = resize_axis(np.concatenate(narrow), height=size)
    gray_plane = resize_axis(np.concatenate(narrow_for_backbone), height=backbone_size)
    return encode_l8(l_plane)[..., np.newaxis], _gray8(gray_plane)


def lightness_at(l8: NDArray[np.uint8], height: int, width: int) -> NDArray[np.float32]:
    """L* of photos at the size of a network's output.

    Parameters
    ----------
    l8 : ndarray of shape (n, size, size, 1), uint8
        As `network_inputs` gives them.
    height, width : int
        In pixels.

    Returns
    -------
    ndarray of shape (n, height, width), float32
        In [0, 100].
    """
    return np.stack([resize(plane, height, width) for plane in decode_l8(l8[..., 0])])


def _gray8(plane: NDArray[np.float32]) -> NDArray[np.uint8]:
    return lightness_to_gray8(plane)[..., np.newaxis]
