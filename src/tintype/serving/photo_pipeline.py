"""A loaded model and the threads around it: the steps of `tintype.engine`, for an event loop.

Decoding, merging and encoding run in a pool of threads, the network's part in the batcher's thread; the event loop
only waits.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from tintype.colorize import Colorizer, Colours
from tintype.engine.batcher import Batcher
from tintype.engine.memory_budget import Lease
from tintype.engine.photo_job import OpenPhoto, PhotoOptions, colour_photo, encode_coloured, open_photo
from tintype.imaging.geometry import Crop
from tintype.imaging.inputs import SIZES
from tintype.imaging.limits import MEGA, Limits
from tintype.imaging.merge import Receipt
from tintype.imaging.provenance import Lineage
from tintype.serving.http.contract import answer_format
from tintype.serving.metrics import Metrics
from tintype.serving.monitor.monitor import AnsweredPhoto, Monitor

T = TypeVar("T")


@dataclass(frozen=True)
class ColouredContent:
    """A coloured photo, ready to be sent.

    Attributes
    ----------
    content : bytes
        The file.
    format : str
        One of `ANSWER_FORMATS`.
    receipt : Receipt
        How well the lightness was kept.
    notes : tuple of str
        What was left behind of the photo as it came, in sentences.
    """

    content: bytes
    format: str
    receipt: Receipt
    notes: tuple[str, ...]


class PhotoPipeline:
    """A loaded model with all that it takes to answer photos.

    Parameters
    ----------
    lineage : Lineage
        Of its bundle.
    limits : Limits
        What one photo may cost.
    threads : int
        For decoding, merging and encoding.
    monitor : Monitor, optional
        Shown every answer.
    """

    def __init__(
        self,
        colorizer: Colorizer,
        lineage: Lineage,
        limits: Limits,
        threads: int,
        metrics: Metrics,
        monitor: Monitor | None = None,
    ) -> None:
        self.colorizer = colorizer
        self.lineage = lineage
        self._limits = limits
        self._metrics = metrics
        self._monitor = monitor
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="photo")
        self._batcher = Batcher(colorizer.colours, SIZES, observe=metrics.batch)

    async def colour(self, content: bytes, options: PhotoOptions, lease: Lease) -> ColouredContent:
        """Colour one photo.

        Parameters
        ----------
        content : bytes
            The photo's file.
        lease : Lease
            Of pixels, for the largest photo there may be; shrunk to what this one takes.

        Raises
        ------
        PhotoError
            If the photo cannot be read or written.
        """
        opened = await _in_thread(self._pool, self._open, content, options)
        height, width = opened.photo.pixels.shape[:2]
        lease.shrink(height * width)
        self._metrics.megapixels.observe(height * width / MEGA)
        colours = None
        if opened.kept is None:
            colours = await asyncio.wrap_future(self._batcher.submit(opened.l8, opened.gray8))
        return await _in_thread(self._pool, self._finish, opened, colours, options, len(content))

    def close(self) -> None:
        """Finish what is under way and end the threads."""
        self._batcher.close()
        self._pool.shutdown()

    def _open(self, content: bytes, options: PhotoOptions) -> OpenPhoto:
        start = time.perf_counter()
        opened = open_photo(content, self._limits, self.colorizer, options)
        self._metrics.stage("open", start)
        return opened

    def _finish(
        self, opened: OpenPhoto, colours: Colours | None, options: PhotoOptions, size: int
    ) -> ColouredContent:
        start = time.perf_counter()
        photo = opened.photo
        file_format = options.file_format or answer_format(photo)
        coloured = colour_photo(opened, colours, options, self.lineage)
        content = encode_coloured(coloured, file_format.upper(), options)
        self._metrics.stage("finish", start)
        if colours is None:  # nothing was answered by the model
            return ColouredContent(content, file_format, coloured.receipt, photo.notes)
        self._metrics.chroma.observe(coloured.receipt.mean_chroma)
        if self._monitor is not None:
            seen = opened.inside or Crop(0, 0, *photo.pixels.shape[:2])
            self._monitor.take(
                AnsweredPhoto(
                    seen.cut(photo.pixels),
                    seen.cut(coloured.pixels),
                    coloured.ab * np.float32(options.saturation),
                    None if colours.confidence is None else float(colours.confidence.mean()),
                    options.saturation,
                    photo.format,
                    size,
                    self.lineage,
                )
            )
        return ColouredContent(content, file_format, coloured.receipt, photo.notes)


async def _in_thread(pool: Executor, function: Callable[..., T], *args: Any) -> T:
    """Run a function in a pool's thread; if this is cancelled, wait until the thread has left the function.

    A thread cannot be stopped. A caller that went on at once would give back memory that the thread still uses.
    """
    running = pool.submit(function, *args)
    done = asyncio.wrap_future(running)
    try:
        return await asyncio.shield(done)
    except asyncio.CancelledError:
        if not running.cancel():  # it has begun
            await asyncio.wait({done})
        raise
