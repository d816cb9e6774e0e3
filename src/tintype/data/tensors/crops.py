"""A photo's crops at full size, as Lab or as lightness alone: both kinds of tensors are made from them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tintype.data.tensors.plan import PhotoRef
from tintype.imaging.geometry import photo_crops
from tintype.imaging.lab import lightness, rgb_to_lab
from tintype.imaging.picture import PhotoFile


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
        See `tintype.imaging.geometry.photo_crops`.

    Yields
    ------
    ndarray of shape (h, w, 3), float32
        Lab.

    Raises
    ------
    PhotoError
        If the photo cannot be read, or is not the one that the manifest speaks of.
    """
    yield from _crops(rgb_to_lab(_pixels(photos, photo)), photo, count, min_side_share)


def lightness_crops(
    photos: Path, photo: PhotoRef, count: int, min_side_share: float
) -> Iterator[NDArray[np.float32]]:
    """The first planes of what `lab_crops` yields, bit for bit, at less than half the cost.

    Parameters
    ----------
    photos, photo, count, min_side_share
        As in `lab_crops`.

    Yields
    ------
    ndarray of shape (h, w), float32
        L*.
    """
    yield from _crops(lightness(_pixels(photos, photo)), photo, count, min_side_share)


def _pixels(photos: Path, photo: PhotoRef) -> NDArray[Any]:
    return PhotoFile(photos / photo.path, photo.content_hash).read().pixels


def _crops(
    planes: NDArray[np.float32], photo: PhotoRef, count: int, min_side_share: float
) -> Iterator[NDArray[np.float32]]:
    height, width = planes.shape[:2]
    for crop in photo_crops(height, width, count, min_side_share, photo.content_hash):
        yield crop.cut(planes)


@contextmanager
def one_thread_a_photo() -> Iterator[None]:
    """Keep OpenCV from working on one photo with several threads: they are busy with other photos."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
