"""Sizes and crops."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

STRIP_PIXELS = 1 << 18
_MOST_THREADS = 8  # each has a strip's planes in memory

Result = TypeVar("Result")


def resize(planes: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Resize one or more planes, each axis with the filter that suits it.

    An axis that shrinks is averaged over area, so nothing aliases; one that grows is interpolated
    linearly. Taking the axes one after the other keeps this true for a photo one pixel high.

    Parameters
    ----------
    planes : ndarray of shape (H, W) or (H, W, C), float32
        C at most 4.
    height, width : int
        The new size in pixels, at least 1.

    Returns
    -------
    ndarray of shape (height, width) or (height, width, C), float32
    """
    return resize_axis(resize_axis(planes, width=width), height=height)


def resize_axis(planes: Any, *, width: int | None = None, height: int | None = None) -> Any:
    """One axis of what `resize` does."""
    old_height, old_width = planes.shape[:2]
    new_height, new_width = height or old_height, width or old_width
    if (new_height, new_width) == (old_height, old_width):
        return planes
    shrinks = new_height < old_height or new_width < old_width
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    resized = cv2.resize(np.ascontiguousarray(planes), (new_width, new_height), interpolation=method)
    return resized.reshape(new_height, new_width, *planes.shape[2:])  # OpenCV drops a last axis of 1


def strips(height: int, width: int) -> Iterator[slice]:
    """Rows of an image in portions of about a quarter of a megapixel, whose planes fit into a processor's cache.

    Yields
    ------
    slice
        Of rows, from the top.
    """
    rows = max(1, STRIP_PIXELS // width)
    for top in range(0, height, rows):
        yield slice(top, min(top + rows, height))


def by_strips(height: int, width: int, work: Callable[[slice], Result]) -> list[Result]:
    """The results of `work` on each of an image's strips, in as many threads as OpenCV may use in this process.

    Parameters
    ----------
    height, width : int
        The image's size in pixels.
    work : callable
        Given rows, as by `strips`; from several threads at once.

    Returns
    -------
    list
        From the top.
    """
    portions = list(strips(height, width))
    threads = min(len(portions), cv2.getNumThreads(), _MOST_THREADS)
    if threads < 2:
        return [work(rows) for rows in portions]
    # OpenCV and NumPy leave Python's lock while they work.
    with ThreadPoolExecutor(threads, thread_name_prefix="strips") as pool:
        return list(pool.map(work, portions))


def rows_between(planes: NDArray[np.float32], height: int, rows: slice) -> NDArray[np.float32]:
    """Some rows of an image that is stretched to a height, as `resize` would interpolate them.

    Parameters
    ----------
    planes : ndarray of shape (h, W, C), float32
    height : int
        Of the whole stretched image, at least h.
    rows : slice
        Which of its rows.

    Returns
    -------
    ndarray of shape (n, W, C), float32
    """
    last = len(planes) - 1
    position = (np.arange(rows.start, rows.stop) + 0.5) * len(planes) / height - 0.5
    above = np.clip(np.floor(position).astype(int), 0, last)
    share = np.clip(position - above, 0, 1).astype(np.float32)[:, np.newaxis, np.newaxis]
    below = np.minimum(above + 1, last)
    upper = planes[above]
    upper += (planes[below] - upper) * share
    return upper


class Crop(NamedTuple):
    """A rectangle of a photo, in pixels."""

    top: int
    left: int
    height: int
    width: int

    def cut(self, planes: Any) -> Any:
        """The rectangle of an array whose first axes are height and width; a view, not a copy."""
        return planes[self.top : self.top + self.height, self.left : self.left + self.width]

    def fits(self, height: int, width: int) -> bool:
        """Whether it is a part of an image of that size."""
        return (
            min(self) >= 0 < min(self[2:])
            and self.top + self.height <= height
            and self.left + self.width <= width
        )

    def scaled(self, before: tuple[int, int], after: tuple[int, int]) -> Crop:
        """The same part of an image that is resized, its sizes as height and width."""
        down, across = after[0] / before[0], after[1] / before[1]
        top, left = round(self.top * down), round(self.left * across)
        bottom, right = round((self.top + self.height) * down), round((self.left + self.width) * across)
        return Crop(top, left, max(1, bottom - top), max(1, right - left))

    def around(self, height: int, width: int) -> list[Crop]:
        """What an image of a size has beside the rectangle: above, below, left and right of it, as far as there is."""
        bottom, right = self.top + self.height, self.left + self.width
        bands = (
            Crop(0, 0, self.top, width),
            Crop(bottom, 0, height - bottom, width),
            Crop(self.top, 0, self.height, self.left),
            Crop(self.top, right, self.height, width - right),
        )
        return [band for band in bands if band.height and band.width]

    def __str__(self) -> str:
        """As X11 writes it: ``WIDTHxHEIGHT+LEFT+TOP``."""
        return f"{self.width}x{self.height}+{self.left}+{self.top}"

    @classmethod
    def parse(cls, text: str) -> Crop:
        """The rectangle of such a text; a `ValueError` if it is none."""
        width, height, left, top = map(int, text.replace("x", "+").split("+"))
        return cls(top, left, height, width)


def photo_crops(height: int, width: int, count: int, min_side_share: float, key: str) -> list[Crop]:
    """The crops of one photo: the whole of it first, then seeded rectangles of the photo's own shape.

    The first is what serving sees. The rest depend on `key` alone, so a photo's crops are
    the same on every machine and do not change when other photos come or go.

    Parameters
    ----------
    height, width : int
        The photo's size in pixels.
    count : int
        How many crops, at least 1.
    min_side_share : float
        The smallest crop's sides as a share of the photo's, in (0, 1].
    key : str
        The photo's content hash.

    Returns
    -------
    list of Crop
        `count` crops.
    """
    seed = int.from_bytes(hashlib.sha256(f"crops:{key}".encode()).digest()[:8])
    random = np.random.default_rng(seed)
    crops = [Crop(0, 0, height, width)]
    for _ in range(count - 1):
        share, down, right = random.uniform([min_side_share, 0, 0], 1)
        crop_height, crop_width = max(1, round(share * height)), max(1, round(share * width))
        top, left = round(down * (height - crop_height)), round(right * (width - crop_width))
        crops.append(Crop(top, left, crop_height, crop_width))
    return crops
