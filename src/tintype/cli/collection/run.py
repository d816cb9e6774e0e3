"""A run over a collection: decode, colour, encode, each in threads of its own.

The network works on batches in one thread (`tintype.engine.batcher`). Decoders run ahead of it and encoders behind it,
in as many threads as there are processors: Pillow, OpenCV and zlib leave Python's lock while they work. Photos in
flight are bounded by number and by pixels, so that memory does not grow with the collection.

    feed (header, waits for room) -> decoders -> batcher -> encoders -> results
"""

from __future__ import annotations

import errno
import logging
import os
import queue
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tintype.cli.collection.headers import read_header
from tintype.cli.collection.plan import Job
from tintype.cli.collection.results_log import LogError, Record
from tintype.cli.collection.write import ResultWriter
from tintype.engine.batcher import Batcher
from tintype.engine.memory_budget import Lease, MemoryBudget
from tintype.engine.photo_job import OpenPhoto, is_out_of_memory, open_photo
from tintype.errors import TintypeError
from tintype.files.disk import DiskError
from tintype.imaging.inputs import BATCH, SIZES
from tintype.imaging.limits import PhotoError
from tintype.imaging.merge import Receipt

_log = logging.getLogger(__name__)

PATIENCE = 0.25  # seconds that a photo waits for company at most, while more are being decoded
IN_FLIGHT = 3 * BATCH  # photos: a batch being decoded, one in the network, one being encoded
IN_FLIGHT_PIXELS = 50_000_000  # about 10 bytes of memory each
UNKNOWN_PIXELS = 12_000_000  # where the header does not say: a phone's photo


class Colouring(Protocol):
    """What a run needs of a `Colorizer`."""

    def prepare(self, pixels: NDArray[Any]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """What network and backbone see of a photo."""

    def colours(self, l8: NDArray[np.uint8], gray8: NDArray[np.uint8]) -> list[Any]:
        """The `Colours` of several photos."""


@dataclass
class PhotoResult:
    """What became of a photo.

    Attributes
    ----------
    job : Job
        The photo.
    receipt : Receipt or None
        None if it failed.
    reason : str
        Why it failed, as a sentence.
    notes : tuple of str
        What was left behind in reading it.
    fatal : BaseException or None
        What keeps every other photo from being coloured too.
    """

    job: Job
    receipt: Receipt | None = None
    reason: str = ""
    notes: tuple[str, ...] = ()
    fatal: BaseException | None = None


@dataclass
class _Flight:
    """A photo on its way."""

    job: Job
    lease: Lease
    record: Record
    opened: OpenPhoto | None = None


class CollectionRun:
    """A run over many photos.

    Parameters
    ----------
    writer : ResultWriter
        Writes and records.
    workers : int, optional
        Threads that decode, and as many that encode; the processors of this process if not given.
    budget : MemoryBudget, optional
        Room for decoded photos in memory, in pixels.
    """

    def __init__(
        self,
        colorizer: Colouring,
        writer: ResultWriter,
        workers: int | None = None,
        budget: MemoryBudget | None = None,
    ) -> None:
        workers = workers or len(os.sched_getaffinity(0))
        self.budget = budget or MemoryBudget(IN_FLIGHT, IN_FLIGHT_PIXELS)
        self._colorizer, self._writer = colorizer, writer
        self._batcher: Batcher[Any] = Batcher(colorizer.colours, SIZES, patience=PATIENCE)
        self._results: queue.SimpleQueue[PhotoResult] = queue.SimpleQueue()
        self._decoders = ThreadPoolExecutor(workers, "decode")
        self._encoders = ThreadPoolExecutor(workers, "encode")
        self._feeder: threading.Thread | None = None

    def run(self, jobs: Sequence[Job]) -> Iterator[PhotoResult]:
        """Colour photos.

        Parameters
        ----------
        jobs : sequence of Job
            Each is answered once.

        Yields
        ------
        PhotoResult
            As they finish, which is about the order of `jobs`. When the caller stops asking, as on an exception, call
            `stop`.
        """
        self._feeder = threading.Thread(target=self._feed, args=(jobs,), name="feed", daemon=True)
        self._feeder.start()
        for _ in jobs:
            yield self._results.get()
        self.stop()

    def stop(self) -> list[PhotoResult]:
        """Begin nothing more and wait for what is being written.

        Returns
        -------
        list of PhotoResult
            Those that were not yielded yet.
        """
        self.budget.close()
        self._batcher.close(cancel_waiting=True)
        self._decoders.shutdown(cancel_futures=True)
        if self._feeder is not None:
            self._feeder.join()
        self._encoders.shutdown()
        left = []
        while not self._results.empty():
            left.append(self._results.get())
        return left

    def _feed(self, jobs: Sequence[Job]) -> None:
        """Let photos in as there is room for them."""
        try:
            for job in jobs:
                header = read_header(job.source)
                lease = self.budget.enter(header.pixels if header else UNKNOWN_PIXELS)
                if lease is None:
                    return
                flight = _Flight(job, lease, self._writer.begin(job))
                self._batcher.announce()
                try:
                    self._decoders.submit(self._decode, flight)
                except RuntimeError:  # the pool was shut: this is the end of the run
                    return
        except BaseException as error:  # of any kind: there is no other way out of this thread
            self._results.put(PhotoResult(jobs[0], fatal=error))

    def _decode(self, flight: _Flight) -> None:
        try:
            options = self._writer.options
            opened = open_photo(flight.job.source, options.limits, self._colorizer, options)
        except Exception as error:
            self._batcher.withdraw()
            self._fail(flight, error)
            return
        flight.opened = opened
        flight.record = replace(flight.record, sha256=opened.photo.sha256)
        if opened.kept is not None:
            self._batcher.withdraw()
            self._encoders.submit(self._encode, flight, None)
            return
        colours = self._batcher.submit(opened.l8, opened.gray8, announced=True)
        colours.add_done_callback(lambda done: self._coloured(flight, done))

    def _coloured(self, flight: _Flight, colours: Future[Any]) -> None:
        """Hand a photo to the encoders, now that its colours are known; runs in the network's thread."""
        if not colours.cancelled():  # else the run was stopped
            self._encoders.submit(self._encode, flight, colours)

    def _encode(self, flight: _Flight, colours: Future[Any] | None) -> None:
        try:
            if flight.opened is None:
                raise ValueError("Expected a decoded photo.")
            known = None if colours is None else colours.result()
            receipt = self._writer.write(flight.job, flight.opened, known, flight.record)
        except Exception as error:
            self._fail(flight, error)
        else:
            self._land(flight, PhotoResult(flight.job, receipt, notes=flight.opened.photo.notes))

    def _fail(self, flight: _Flight, error: Exception) -> None:
        reason, code = _in_words(error)
        fatal: BaseException | None = error if _ends_the_run(error) else None
        try:
            self._writer.record_failure(flight.record, reason, code)
        except TintypeError as unwritable:
            fatal = fatal or unwritable
        self._land(flight, PhotoResult(flight.job, reason=reason, fatal=fatal))

    def _land(self, flight: _Flight, result: PhotoResult) -> None:
        flight.opened = None  # gone before the next photo may take its room
        flight.lease.release()
        self._results.put(result)


def _in_words(error: Exception) -> tuple[str, str]:
    """A reason for people and a code for programs."""
    if isinstance(error, TintypeError):
        return str(error), error.code if isinstance(error, PhotoError) else "disk"
    if is_out_of_memory(error):
        return "Not enough memory for a photo of this size.", "memory"
    # One photo that finds a mistake in the program must not end a night's work on all the others.
    _log.error("A mistake in tintype", exc_info=error)
    return f"This photo met a mistake in tintype. Report it with the photo: {error!r}.", "mistake"


def _ends_the_run(error: Exception) -> bool:
    """Whether no other photo can be written either."""
    if isinstance(error, LogError):
        return True
    cause = error.__cause__
    return (
        isinstance(error, DiskError)
        and isinstance(cause, OSError)
        and cause.errno in (errno.ENOSPC, errno.EDQUOT)
    )
