"""What is measured of each answer, beside the answering: no photo waits for it and none fails by it.

`take` only queues; a thread of its own measures, tells Prometheus, and writes. It is about ten times as fast as the
rest of the service. If it falls behind, photos are skipped and counted: waiting would delay answers, and queueing
without end would fill the memory with photos.
"""

from __future__ import annotations

import logging
import queue
import random
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tintype.imaging.lab import lightness, lightness_to_gray8
from tintype.imaging.provenance import Lineage
from tintype.measures.photo_statistics import PhotoStatistics, photo_statistics
from tintype.measures.records import line_of
from tintype.serving.metrics import MonitorSeries
from tintype.serving.monitor.day_writer import DayLimitReached, DayWriter

_QUALITY = 80  # of kept pictures, as JPEG
_SILENCE = 60.0  # seconds between two lines of the log about the same trouble
_log = logging.getLogger("bentoml.tintype")


@dataclass(frozen=True)
class AnsweredPhoto:
    """A photo that was coloured.

    Attributes
    ----------
    pixels, coloured : ndarray of shape (H, W, 3), uint8 or uint16
        As it came, and as it went.
    ab : ndarray of shape (h, w, 2), float32
        Colours asked for, in Lab units, with the saturation.
    confidence : float or None
        Mean over the photo, if the model says it.
    saturation : float
        As the client chose it.
    format : str
        Of the file that came.
    size : int
        Bytes of the file that came.
    lineage : Lineage
        Of the model.
    time : datetime
        When.
    """

    pixels: NDArray[Any]
    coloured: NDArray[Any]
    ab: NDArray[np.float32]
    confidence: float | None
    saturation: float
    format: str
    size: int
    lineage: Lineage
    time: datetime = field(default_factory=lambda: datetime.now(UTC))


class Monitor:
    """Opened once in a worker process.

    Parameters
    ----------
    most_pixels : int
        Of photos that wait to be measured; a single one may always wait.
    pictures : float
        Share of photos of which small copies are kept, 0 to 1.
    """

    def __init__(
        self, writer: DayWriter, series: MonitorSeries, most_pixels: int, pictures: float = 0.0
    ) -> None:
        self._writer = writer
        self._series = series
        self._most_pixels = most_pixels
        self._pictures = pictures
        self._waiting = 0  # pixels
        self._lock = threading.Lock()
        self._queue: queue.SimpleQueue[AnsweredPhoto | None] = queue.SimpleQueue()
        self._last_logged: dict[str, float] = {}
        self._thread = threading.Thread(target=self._work, name="monitor", daemon=True)
        self._thread.start()

    def take(self, answered: AnsweredPhoto) -> None:
        """Have a photo measured soon. Returns at once and never raises."""
        pixels = _pixels(answered)
        with self._lock:
            takes = self._waiting == 0 or self._waiting + pixels <= self._most_pixels
            self._waiting += pixels if takes else 0
        if takes:
            self._queue.put(answered)
        else:
            self._series.monitored.labels("skipped").inc()

    def close(self) -> None:
        """Finish what waits and end the thread."""
        self._queue.put(None)
        self._thread.join()
        self._writer.close()

    def _work(self) -> None:
        while (answered := self._queue.get()) is not None:
            start = time.perf_counter()
            try:
                self._note(answered)
            except Exception:  # a photo that cannot be measured must not end the measuring of others
                self._trouble("error", "A photo could not be measured.", with_traceback=True)
            finally:
                with self._lock:
                    self._waiting -= _pixels(answered)
                self._series.seconds.observe(time.perf_counter() - start)

    def _note(self, answered: AnsweredPhoto) -> None:
        seen = photo_statistics(answered.pixels, answered.coloured, answered.ab, answered.confidence)
        self._series.observe(seen.values)
        self._series.kinds.labels(seen.kind, answered.format).inc()
        self._series.monitored.labels("measured").inc()
        day = datetime.now(
            UTC
        ).date()  # and not the answer's: a day's file is left alone once the day is over
        picture = None
        if random.random() < self._pictures:
            name = secrets.token_hex(8)
            if self._written(lambda: self._writer.write_pictures(name, _copies(seen), day)):
                picture = name
        self._written(lambda: self._writer.write(line_of(_record(answered, seen, picture)), day))

    def _written(self, write: Callable[[], None]) -> bool:
        try:
            write()
        except DayLimitReached:
            self._trouble(
                "full", "The monitor has written all that a day may have: TINTYPE_MONITOR_MEGABYTES."
            )
        except OSError as error:
            self._trouble("unwritten", f"The monitor cannot write: {error}.")
        else:
            return True
        return False

    def _trouble(self, outcome: str, sentence: str, *, with_traceback: bool = False) -> None:
        """Count it, and say it in the log, at most once a minute."""
        self._series.monitored.labels(outcome).inc()
        now = time.monotonic()
        if now - self._last_logged.get(outcome, -_SILENCE) >= _SILENCE:
            self._last_logged[outcome] = now
            _log.warning(
                "%s Answers are not affected; tintype_monitored_total{outcome=%r} counts it.",
                sentence,
                outcome,
                exc_info=with_traceback,
            )


def _record(answered: AnsweredPhoto, seen: PhotoStatistics, picture: str | None) -> dict[str, Any]:
    lineage = answered.lineage
    return {
        "time": f"{answered.time:%Y-%m-%dT%H:%MZ}",
        "model": f"{lineage.name}/{lineage.version or 'unregistered'}",
        "bundle": lineage.bundle_sha256[:12],
        "saturation": answered.saturation,
        "format": answered.format,
        "bits": answered.pixels.dtype.itemsize * 8,
        "kind": seen.kind,
        "bytes": answered.size,
        **seen.values,
        "picture": picture,
    }


def _pixels(answered: AnsweredPhoto) -> int:
    height, width = answered.pixels.shape[:2]
    return height * width


def _copies(seen: PhotoStatistics) -> dict[str, bytes]:
    """The photo without its colours, and its answer, small, as JPEG without any metadata."""
    pictures = {"gray": lightness_to_gray8(lightness(seen.photo)), "colour": seen.coloured[..., ::-1]}
    return {
        name: cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()
        for name, picture in pictures.items()
    }
