"""A photo's crops as full-size Lab: where both kinds of tensors begin."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tintype.data.tensors.plan import PhotoRef
from tintype.imaging.geometry import crops_of
from tintype.imaging.lab import rgb_to_lab
from tintype.imaging.photo import read_photo


def lab_crops(
    photos: Path, photo: PhotoRef, count: int, min_side_share: float
) -> Iterator[NDArray[np.float32]]:
    """The crops of one photo, the whole of it first.

    Parameters
    ----------
    photos : Path
        Folder that the manifest's paths start from.
    photo : PhotoRef
        The photo.
    count : int
        Number of crops.
    min_side_share : float
        See `tintype.imaging.geometry.crops_of`.

    Yields
    ------
    ndarray of shape (h, w, 3), float32
        Lab.
    """
    lab = rgb_to_lab(read_photo(photos / photo.path).pixels)
    height, width = lab.shape[:2]
    for crop in crops_of(height, width, count, min_side_share, photo.content_hash):
        yield crop.of(lab)
