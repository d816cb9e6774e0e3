"""A collection through the network: decode, colour, encode, each in threads of its own.

The network works on batches in one thread. Decoders run ahead of it and encoders behind it, in as many threads as there
are processors: Pillow, OpenCV and zlib leave Python's lock while they work. Photos in flight are bounded by number and
by pixels, so that memory does not grow with the collection.

    feed (header, waits for room) -> decoders -> waiting -> network -> encoders -> outcomes
"""

from __future__ import annotations

import errno
import os
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tintype.cli.batching import Waiting
from tintype.cli.budget import Budget
from tintype.cli.finishing import Finisher
from tintype.cli.headers import read_header
from tintype.cli.jobs import Job
from tintype.cli.manifest import ManifestError, Record
from tintype.errors import TintypeError
from tintype.files.disk import DiskError
from tintype.formats.photo import Photo, read_photo
from tintype.imaging.limits import PhotoError
from tintype.imaging.merge import Receipt

BATCH = 8  # `tintype.colorize.BATCH`, whose import takes the network's framework with it
PATIENCE = 0.25  # seconds that a photo waits for company at most, while more are being decoded
IN_FLIGHT = 3 * BATCH  # photos: a batch being decoded, one in the network, one being encoded
IN_FLIGHT_PIXELS = 50_000_000  # about 10 bytes of memory each
UNKNOWN_PIXELS = 12_000_000  # where the header does not say: a phone's photo


Colours = tuple[NDArray[np.float32], NDArray[np.float32] | None]  # ab of one photo, and its confidence


class Painter(Protocol):
    """What is used of a `Colorizer`."""

    def prepare(self, pixels: NDArray[Any]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """What network and backbone see of a photo."""

    def predict_with_confidence(
        self, l8: NDArray[np.uint8], gray8: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        """Colours of several photos, and how sure they are, if that is known."""


@dataclass
class Outcome:
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
    room: int  # pixels that it takes of the budget
    record: Record
    photo: Photo | None = None
    inputs: tuple[NDArray[np.uint8], NDArray[np.uint8]] | None = field(default=None, repr=False)


class Collection:
    """A run over many photos.

    Parameters
    ----------
    painter : Painter
        Colours.
    finisher : Finisher
        Writes and records.
    workers : int, optional
        Threads that decode, and as many that encode; the processors of this process if not given.
    budget : Budget, optional
        Room for photos in memory.
    """

    def __init__(
        self,
        painter: Painter,
        finisher: Finisher,
        workers: int | None = None,
        budget: Budget | None = None,
    ) -> None:
        workers = workers or len(os.sched_getaffinity(0))
        self.budget = budget or Budget(IN_FLIGHT, IN_FLIGHT_PIXELS)
        self._painter, self._finisher = painter, finisher
        self._waiting: Waiting[_Flight] = Waiting(BATCH, PATIENCE)
        self._outcomes: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self._decoders = ThreadPoolExecutor(workers, "decode")
        self._encoders = ThreadPoolExecutor(workers, "encode")
        self._threads: list[threading.Thread] = []

    def run(self, jobs: Sequence[Job]) -> Iterator[Outcome]:
        """Colour photos.

        Parameters
        ----------
        jobs : sequence of Job
            Each is answered once.

        Yields
        ------
        Outcome
            As they finish, which is about the order of `jobs`. When the caller stops asking, as on an exception, call
            `stop`.
        """
        self._threads = [
            threading.Thread(target=self._guarded, args=(work, jobs), daemon=True)
            for work in (self._feed, self._colour)
        ]
        for thread in self._threads:
            thread.start()
        for _ in jobs:
            yield self._outcomes.get()
        self.stop()

    def stop(self) -> list[Outcome]:
        """Begin nothing more and wait for what is being written.

        Returns
        -------
        list of Outcome
            That nobody has asked for yet.
        """
        self.budget.close()
        self._waiting.close()
        self._decoders.shutdown(cancel_futures=True)
        for thread in self._threads:  # or Python ends while the network computes, and its framework aborts
            thread.join()
        self._encoders.shutdown()
        left = []
        while not self._outcomes.empty():
            left.append(self._outcomes.get())
        return left

    def _guarded(self, work: Callable[[Sequence[Job]], None], jobs: Sequence[Job]) -> None:
        """Bring a mistake in a thread to where it is seen, rather than wait for it for ever."""
        try:
            work(jobs)
        except BaseException as error:  # whatever it is: the thread has nobody else to tell
            self._outcomes.put(Outcome(jobs[0], fatal=error))

    def _feed(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            header = read_header(job.source)
            room = header.pixels if header else UNKNOWN_PIXELS
            if not self.budget.enter(room):
                return
            self._waiting.announce()
            try:
                self._decoders.submit(self._decode, _Flight(job, room, self._finisher.begin(job)))
            except RuntimeError:  # the pool was shut: this is the end of the run
                return

    def _decode(self, flight: _Flight) -> None:
        try:
            flight.photo = read_photo(flight.job.source, self._finisher.options.limits)
            flight.record = replace(flight.record, sha256=flight.photo.sha256)
            flight.inputs = self._painter.prepare(flight.photo.pixels)
        except Exception as error:
            self._waiting.give_up()
            self._fail(flight, error)
        else:
            self._waiting.put(flight)

    def _colour(self, jobs: Sequence[Job]) -> None:
        while batch := self._waiting.take():
            for part in self._predicted(batch):
                try:
                    self._encoders.submit(self._encode, *part)
                except RuntimeError:
                    return

    def _predicted(self, batch: list[_Flight]) -> Iterator[tuple[_Flight, Colours]]:
        inputs = [flight.inputs for flight in batch if flight.inputs is not None]
        try:
            ab, confidence = self._painter.predict_with_confidence(
                np.stack([l8 for l8, _ in inputs]), np.stack([gray8 for _, gray8 in inputs])
            )
        except Exception as error:
            if len(batch) == 1:
                self._fail(batch[0], error)
                return
            for flight in batch:  # alone, so that one photo does not take others with it
                yield from self._predicted([flight])
        else:
            sure = [None] * len(batch) if confidence is None else confidence
            for flight, *colours in zip(batch, ab, sure, strict=True):
                yield flight, (colours[0], colours[1])

    def _encode(self, flight: _Flight, colours: Colours) -> None:
        try:
            outcome = self._finished(flight, colours)
        except Exception as error:
            self._fail(flight, error)
        else:
            self._land(flight, outcome)

    def _finished(self, flight: _Flight, colours: Colours) -> Outcome:
        if flight.photo is None:
            raise ValueError("Expected a decoded photo.")
        receipt = self._finisher.finish(flight.job, flight.photo, *colours, flight.record)
        return Outcome(flight.job, receipt, notes=flight.photo.notes)

    def _fail(self, flight: _Flight, error: Exception) -> None:
        reason, code = _in_words(error)
        fatal: BaseException | None = error if _concerns_all(error) else None
        try:
            self._finisher.record_failure(flight.record, reason, code)
        except TintypeError as unwritable:
            fatal = fatal or unwritable
        self._land(flight, Outcome(flight.job, reason=reason, fatal=fatal))

    def _land(self, flight: _Flight, outcome: Outcome) -> None:
        flight.photo = flight.inputs = None  # gone before the next photo may take its room
        self.budget.leave(flight.room)
        self._outcomes.put(outcome)


def _in_words(error: Exception) -> tuple[str, str]:
    """A reason for people and a code for programs."""
    if isinstance(error, TintypeError):
        return str(error), error.code if isinstance(error, PhotoError) else "disk"
    if isinstance(error, MemoryError) or "Insufficient memory" in str(error):  # OpenCV has its own exception
        return "Not enough memory for a photo of this size.", "memory"
    # One photo that finds a mistake in the program must not end a night's work on all the others.
    return f"This photo met a mistake in tintype. Report it with the photo: {error!r}.", "mistake"


def _concerns_all(error: Exception) -> bool:
    """Whether no other photo can be written either."""
    if isinstance(error, ManifestError):
        return True
    cause = error.__cause__
    return (
        isinstance(error, DiskError)
        and isinstance(cause, OSError)
        and cause.errno in (errno.ENOSPC, errno.EDQUOT)
    )
