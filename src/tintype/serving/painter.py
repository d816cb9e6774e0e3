"""One photo's way through the house: decode and prepare, the network, merge and encode.

Decoding, merging and encoding run in a pool of threads, the network's part in the batcher's thread; the event loop
only waits. Network, lightness and file formats belong to `tintype.colorize` and `tintype.imaging`.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tintype.colorize import SIZES, Colorizer
from tintype.formats.photo import Photo, encode_photo, read_photo
from tintype.imaging.limits import MEGA, Limits, PhotoError
from tintype.imaging.merge import Receipt, merge
from tintype.imaging.provenance import Lineage, Provenance
from tintype.serving.admission import Room
from tintype.serving.batcher import Batcher
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


@dataclass(frozen=True)
class _Colours:
    """What the network says of one photo: ab of shape (h, w, 2), and how sure it is on average, if it says it."""

    ab: NDArray[np.float32]
    confidence: float | None


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
        self._batcher = Batcher(self._predict, SIZES, metrics.batch)

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
            photo, l8, gray8 = await in_thread(self._pool, self._open, upload.content)
            height, width = photo.pixels.shape[:2]
            room.shrink(height * width)
            self._metrics.megapixels.observe(height * width / MEGA)
            colours = await asyncio.wrap_future(self._batcher.submit(l8, gray8))
            return await in_thread(self._pool, self._finish, photo, colours, upload)
        except PhotoError as error:
            raise refusal_of(error) from None
        except MemoryError:
            raise Refusal(
                "too_much_memory",
                "Expected a photo that fits into this service's memory. Received a larger one. Send it smaller.",
            ) from None

    def close(self) -> None:
        """Finish what is under way and end the threads."""
        self._batcher.close()
        self._pool.shutdown()

    def _open(self, content: bytes) -> tuple[Photo, NDArray[np.uint8], NDArray[np.uint8]]:
        start = time.perf_counter()
        photo = read_photo(content, self._limits)
        inputs = self.colorizer.prepare(photo.pixels)
        self._metrics.stage("open", start)
        return photo, *inputs

    def _predict(self, l8: NDArray[np.uint8], gray8: NDArray[np.uint8]) -> list[_Colours]:
        ab, confidence = self.colorizer.predict_with_confidence(l8, gray8)
        if confidence is None:
            return [_Colours(one, None) for one in ab]
        return [_Colours(one, float(sure.mean())) for one, sure in zip(ab, confidence, strict=True)]

    def _finish(self, photo: Photo, colours: _Colours, upload: Upload) -> Painted:
        start = time.perf_counter()
        options = upload.options
        file_format = options.format or _ANSWERED_AS.get(
            photo.format, "jpeg" if photo.alpha is None else "png"
        )
        coloured, receipt = merge(photo.pixels, colours.ab, options.saturation)
        content = encode_photo(
            coloured,
            file_format.upper(),
            like=photo,
            provenance=Provenance(self.lineage, photo.sha256, {"saturation": f"{options.saturation:.9g}"}),
            metadata=options.metadata,
        )
        self._metrics.stage("finish", start)
        self._metrics.chroma.observe(receipt.mean_chroma)
        if self._monitor is not None:
            self._show(self._monitor, photo, coloured, colours, upload)
        return Painted(content, file_format, receipt, photo.notes)

    def _show(
        self, monitor: Monitor, photo: Photo, coloured: NDArray[Any], colours: _Colours, upload: Upload
    ) -> None:
        saturation = upload.options.saturation
        monitor.take(
            Answered(
                photo.pixels,
                coloured,
                colours.ab * np.float32(saturation),
                colours.confidence,
                saturation,
                photo.format,
                len(upload.content),
                self.lineage,
            )
        )
