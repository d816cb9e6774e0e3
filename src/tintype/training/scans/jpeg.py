"""What storing did: JPEG's blocks and ringing."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

_BLOCK = 8  # pixels


def jpeg(l8: NDArray[np.uint8], random: Generator, quality: int) -> NDArray[np.uint8]:
    """Send a lightness plane through a JPEG file.

    The file holds L* where a scan's would hold sRGB gray; the two curves hardly differ. What does differ is scale: a
    scan is stored large, and its blocks shrink with it. A crop's blocks are the worst case.

    Parameters
    ----------
    l8 : ndarray of shape (H, W), uint8
    random : Generator
        For where the blocks begin: crops do not begin with a block.
    quality : int
        As libjpeg counts, in [1, 100].

    Returns
    -------
    ndarray of shape (H, W), uint8
    """
    top, left = (int(offset) for offset in random.integers(0, _BLOCK, 2))
    framed = cv2.copyMakeBorder(l8, top, 0, left, 0, cv2.BORDER_REFLECT_101)
    _, content = cv2.imencode(".jpg", framed, [cv2.IMWRITE_JPEG_QUALITY, quality])
    stored = np.asarray(cv2.imdecode(content, cv2.IMREAD_GRAYSCALE), np.uint8)
    return stored[top:, left:]
