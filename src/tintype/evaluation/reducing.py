"""Photos at the size at which they are judged."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tintype.imaging.geometry import resize


def reduced(rgb8: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """The photo with its long side reduced to `side` pixels, averaged over area; smaller ones stay as they are."""
    height, width = rgb8.shape[:2]
    if max(height, width) <= side:
        return rgb8
    scale = side / max(height, width)
    small = resize(rgb8.astype(np.float32), max(1, round(height * scale)), max(1, round(width * scale)))
    return np.clip(np.rint(small), 0, 255).astype(np.uint8)
