"""What the network and the backbone see of a photo.

Precompute, evaluation, the command line and the service all come through here, so that the tensors a network was
trained on are those it is asked about, bit for bit. The planes come from the photo's full-size Lab;
of it only lightness reaches an input, so a colour photo and its gray copy look the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tintype.imaging.geometry import resize
from tintype.imaging.lab import encode_lab8, lightness_to_gray8


def lab8_of(lab: NDArray[np.float32], size: int) -> NDArray[np.uint8]:
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


def gray8_of(lab: NDArray[np.float32], size: int) -> NDArray[np.uint8]:
    """The gray photo at the backbone's size.

    Parameters
    ----------
    lab : ndarray of shape (H, W, 3), float32
        A photo or a crop of one; only plane 0 is used.
    size : int
        Side in pixels of the square that the whole of it is scaled to.

    Returns
    -------
    ndarray of shape (size, size, 1), uint8
        sRGB gray levels, to be used as R=G=B.
    """
    lightness = resize(lab[..., 0], size, size)
    return lightness_to_gray8(lightness)[..., np.newaxis]
