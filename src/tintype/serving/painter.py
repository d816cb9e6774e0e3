"""One photo's way through the house: decode and prepare, the network, merge and encode.

Decoding, merging and encoding run in a pool of threads, the network's part in the batcher's thread; the event loop
only waits. Network, lightness and file formats belong to `tintype.colorize` and `tintype.imaging`.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from tintype.colorize import SIZES, Colorizer, Colours
from tintype.engine.batcher import Batcher
from tintype.engine.photo_job import (
    OpenPhoto,
    PhotoOptions,
    colour_photo,
    encode_coloured,
    is_out_of_memory,
    open_photo,
)
from tintype.formats.photo import Photo
from tintype.imaging.limits import MEGA, Limits, PhotoError
from tintype.imaging.merge import Receipt
from tintype.imaging.provenance import Lineage
from tintype.serving.admission import Room
from tintype.serving.body import in_thread
from tintype.serving.metrics import Metrics
from tintype.serving.monitor.monitor import Answered, Monitor
from tintype.serving.responses import Refusal, refusal_of
from tintype.serving.uploads import Upload

_ANSWERED_AS = {"JPEG": "jpeg", "PNG": "png", "TIFF": "tiff", "WEBP": "webp", "BMP": "png", "GIF": "png"}


@dataclass(frozen=True)
class Painted:
    """A coloured photo, ready to be sent.

    Attributes
    ----------
    content : bytes
        The file.
    format : str
        ``jpeg``, ``png``, ``tiff`` or ``webp``.
    receipt : Receipt
        How well the lightness was kept.
    notes : tuple of str
        What was left behind of the photo as it came, in sentences.
    """

    content: bytes
    format: str
    receipt: Receipt
    notes: tuple[str, ...]


class Painter:
    """A loaded model with all that it takes to answer photos.

    Parameters
    ----------
    colorizer : Colorizer
    lineage : Lineage
        Of its bundle.
    limits : Limits
        What one photo may cost.
    threads : int
        For decoding, merging and encoding.
    metrics : Metrics
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

    async def paint(self, upload: Upload, room: Room) -> Painted:
        """Colour one photo.

        Parameters
        ----------
        upload : Upload
        room : Room
            For the largest photo there may be; shrunk to what this one takes.

        Returns
        -------
        Painted

        Raises
        ------
        Refusal
            413, 415 or 422, if the photo cannot be read or written.
        """
        try:
            opened = await in_thread(self._pool, self._open, upload.content)
            height, width = opened.photo.pixels.shape[:2]
            room.shrink(height * width)
            self._metrics.megapixels.observe(height * width / MEGA)
            colours = await asyncio.wrap_future(self._batcher.submit(opened.l8, opened.gray8))
            return await in_thread(self._pool, self._finish, opened.photo, colours, upload)
        except PhotoError as error:
            raise refusal_of(error) from None
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            raise Refusal(
                "too_much_memory",
                "Expected a photo that fits into this service's memory. Received a larger one. Send it smaller.",
            ) from None

    def close(self) -> None:
        """Finish what is under way and end the threads."""
        self._batcher.close()
        self._pool.shutdown()

    def _open(self, content: bytes) -> OpenPhoto:
        start = time.perf_counter()
        opened = open_photo(content, self._limits, self.colorizer)
        self._metrics.stage("open", start)
        return opened

    def _finish(self, photo: Photo, colours: Colours, upload: Upload) -> Painted:
        start = time.perf_counter()
        options = PhotoOptions(saturation=upload.options.saturation, metadata=upload.options.metadata)
        file_format = upload.options.format or _ANSWERED_AS.get(
            photo.format, "jpeg" if photo.alpha is None else "png"
        )
        coloured = colour_photo(photo, colours, options, self.lineage)
        content = encode_coloured(coloured, file_format.upper(), options)
        self._metrics.stage("finish", start)
        self._metrics.chroma.observe(coloured.receipt.mean_chroma)
        if self._monitor is not None:
            self._monitor.take(
                Answered(
                    photo.pixels,
                    coloured.pixels,
                    coloured.ab * np.float32(options.saturation),
                    None if colours.confidence is None else float(colours.confidence.mean()),
                    options.saturation,
                    photo.format,
                    len(upload.content),
                    self.lineage,
                )
            )
        return Painted(content, file_format, coloured.receipt, photo.notes)
