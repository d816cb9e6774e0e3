"""From colours to files: joined with the photo, encoded, put in their places and recorded in the results' log."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tintype.cli.collection.plan import Job, Options
from tintype.cli.collection.results_log import Record, ResultsLog
from tintype.engine.photo_job import ColouredPhoto, OpenPhoto, colour_photo, encode_coloured
from tintype.engine.result_file import write_result
from tintype.formats.encode import confidence_png
from tintype.formats.photo import encode_photo
from tintype.imaging.finding import WRITABLE
from tintype.imaging.merge import Receipt
from tintype.imaging.provenance import Lineage
from tintype.imaging.reading.srgb import to_8_bits

if TYPE_CHECKING:
    from tintype.colorize import Colours

# Pixels of the picture of before and after, so that it stays small however large the photo is.
LONGEST_SIDE = 2400
_COMPARE_QUALITY = 90
_GAP = 12  # pixels of white between before and after
_THINNEST = 16  # pixels


@dataclass(frozen=True)
class ResultWriter:
    """What writing results needs beside the photos.

    Attributes
    ----------
    options : Options
        Of the call.
    lineage : Lineage
        Of the model.
    log : ResultsLog
        Where results are recorded, from any thread.
    """

    options: Options
    lineage: Lineage
    log: ResultsLog

    def write(self, job: Job, opened: OpenPhoto, colours: Colours | None, record: Record) -> Receipt:
        """Write a photo's result.

        Parameters
        ----------
        job : Job
            Where to.
        opened : OpenPhoto
            As it was read.
        colours : Colours or None
            With confidence, if `options.needs_confidence`; None if it is left as it is.
        record : Record
            What is known of the photo's file, by `begin`.

        Raises
        ------
        PhotoError
            If the photo cannot be encoded or its file not be written.
        DiskError
            If the disk is full or may not be written to.
        """
        coloured = colour_photo(opened, colours, self.options, self.lineage)
        contents = {**self._pictures(job, coloured, colours), job.destination: self._result(job, coloured)}
        content = contents[job.destination]
        known = replace(
            record,
            result_bytes=len(content),
            result_sha256=hashlib.sha256(content).hexdigest(),
            mean_dl=round(coloured.receipt.mean_dl, 4),
            max_dl=round(coloured.receipt.max_dl, 4),
            notes=list(opened.photo.notes),
        )
        self.log.append(replace(known, status="writing", at=_now()))
        for path, bytes_of_file in contents.items():  # the result last: where it is, everything is
            write_result(path, bytes_of_file)
        self.log.append(replace(known, status="done", at=_now()))
        return coloured.receipt

    def begin(self, job: Job) -> Record:
        """What is known of a photo before it is read."""
        try:
            status = job.source.stat()
            size, changed = status.st_size, status.st_mtime_ns
        except OSError:
            size = changed = 0  # reading it will say so in words
        return Record(
            status="writing",
            source=str(job.source.absolute()),
            destination=self.log.name_of(job.destination),
            bytes=size,
            mtime_ns=changed,
            model={
                "name": self.lineage.name,
                "version": self.lineage.version,
                "bundle_sha256": self.lineage.bundle_sha256,
            },
            parameters=self.options.parameters,
        )

    def record_failure(self, record: Record, reason: str, code: str) -> None:
        """Record why a photo failed."""
        self.log.append(replace(record, status="failed", reason=reason, code=code, at=_now()))

    def _result(self, job: Job, coloured: ColouredPhoto) -> bytes:
        return encode_coloured(coloured, WRITABLE[job.destination.suffix.lower()], self.options)

    @staticmethod
    def _pictures(job: Job, coloured: ColouredPhoto, colours: Colours | None) -> dict[Path, bytes]:
        """The pictures beside a result that were asked for, by their paths."""
        pictures = {}
        confidence = None if colours is None else colours.confidence
        if job.confidence is not None and confidence is not None:
            height, width = coloured.pixels.shape[:2]
            pictures[job.confidence] = confidence_png(confidence, height, width, coloured.receipt.inside)
        if job.compare is not None:
            both = side_by_side(coloured.photo.pixels, coloured.pixels)
            pictures[job.compare] = encode_photo(
                both, "JPEG", quality=_COMPARE_QUALITY, provenance=coloured.provenance
            )
        return pictures


def side_by_side(before: NDArray[Any], after: NDArray[Any]) -> NDArray[np.uint8]:
    """Before on the left, after on the right; above one another where the photo is wider than 2 to 1.

    Parameters
    ----------
    before, after : ndarray of shape (H, W, 3), uint8 or uint16
        sRGB, of one size.

    Returns
    -------
    ndarray of shape (h, w, 3), uint8
        Its sides at most `LONGEST_SIDE`, as long as a photo is not a thousand times as long as wide.
    """
    height, width = before.shape[:2]
    beside = width <= 2 * height
    room = LONGEST_SIDE - _GAP
    along, across = (width, height) if beside else (height, width)
    scale = min(1, room / (2 * along), LONGEST_SIDE / across)
    size = (max(_THINNEST, round(width * scale)), max(_THINNEST, round(height * scale)))
    pictures = [
        cv2.resize(_in_8_bits(pixels), size, interpolation=cv2.INTER_AREA) for pixels in (before, after)
    ]
    gap = np.full((size[1], _GAP, 3) if beside else (_GAP, size[0], 3), 255, np.uint8)
    return np.concatenate([pictures[0], gap, pictures[1]], axis=1 if beside else 0)


def _in_8_bits(pixels: NDArray[Any]) -> NDArray[Any]:
    return pixels if pixels.dtype == np.uint8 else to_8_bits(pixels)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
