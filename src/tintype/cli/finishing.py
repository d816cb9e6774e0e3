"""From colours to a file: joined with the photo, encoded, put in its place and recorded."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tintype.cli.compare import side_by_side
from tintype.cli.jobs import Job
from tintype.cli.manifest import Manifest, Record
from tintype.cli.options import Options
from tintype.files.atomic import new_file
from tintype.files.disk import disk_errors
from tintype.formats.encode import confidence_png
from tintype.formats.layer import encode_layer
from tintype.formats.photo import Photo, encode_photo
from tintype.imaging.confidence import faded
from tintype.imaging.finding import WRITABLE
from tintype.imaging.lab import round_ab
from tintype.imaging.limits import PhotoError
from tintype.imaging.merge import Receipt, merge
from tintype.imaging.provenance import Lineage, Provenance

_COMPARE_QUALITY = 90


@dataclass(frozen=True)
class Finisher:
    """What finishing a photo needs beside the photo.

    Attributes
    ----------
    options : Options
        Of the call.
    lineage : Lineage
        Of the model.
    manifest : Manifest
        Where it is recorded, from any thread.
    """

    options: Options
    lineage: Lineage
    manifest: Manifest

    def finish(
        self,
        job: Job,
        photo: Photo,
        ab: NDArray[np.float32],
        confidence: NDArray[np.float32] | None,
        record: Record,
    ) -> Receipt:
        """Write a photo's result.

        Parameters
        ----------
        job : Job
            Where to.
        photo : Photo
            As it was read.
        ab : ndarray of shape (h, w, 2), float32
            Its colours in Lab units.
        confidence : ndarray of shape (h, w), float32, or None
            How sure they are; needed if `options.needs_confidence`.
        record : Record
            What is known of the photo's file, by `begin`.

        Returns
        -------
        Receipt

        Raises
        ------
        PhotoError
            If the photo cannot be encoded or its file not be written.
        DiskError
            If the disk is full or may not be written to.
        """
        provenance = self._provenance(photo)
        if confidence is not None:
            ab = round_ab(faded(ab, confidence, self.options.abstain))
        coloured, receipt = merge(photo.pixels, ab, self.options.saturation)
        contents = {job.destination: self._encode(job, photo, coloured, ab, provenance)}
        if job.compare is not None:
            picture = side_by_side(photo.pixels, coloured)
            encoded = encode_photo(picture, "JPEG", quality=_COMPARE_QUALITY, provenance=provenance)
            contents = {job.compare: encoded, **contents}
        if job.confidence is not None and confidence is not None:
            contents = {job.confidence: confidence_png(confidence, *photo.pixels.shape[:2]), **contents}
        content = contents[job.destination]
        known = replace(
            record,
            result_bytes=len(content),
            result_sha256=hashlib.sha256(content).hexdigest(),
            mean_dl=round(receipt.mean_dl, 4),
            max_dl=round(receipt.max_dl, 4),
            notes=list(photo.notes),
        )
        self.manifest.append(replace(known, status="writing", at=_now()))
        for path, bytes_of_file in contents.items():  # the result last: where it is, all is
            _write(path, bytes_of_file)
        self.manifest.append(replace(known, status="done", at=_now()))
        return receipt

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
            destination=self.manifest.name_of(job.destination),
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
        """Keep why a photo failed."""
        self.manifest.append(replace(record, status="failed", reason=reason, code=code, at=_now()))

    def _provenance(self, photo: Photo) -> Provenance:
        return Provenance(self.lineage, photo.sha256, self.options.colour_parameters)

    def _encode(
        self,
        job: Job,
        photo: Photo,
        coloured: NDArray[np.uint8],
        ab: NDArray[np.float32],
        provenance: Provenance,
    ) -> bytes:
        if self.options.layer:
            height, width = photo.pixels.shape[:2]
            return encode_layer(ab, provenance, (width, height))
        return encode_photo(
            coloured,
            WRITABLE[job.destination.suffix.lower()],
            like=photo,
            quality=self.options.quality,
            provenance=provenance,
            metadata=self.options.metadata,
        )


def _write(path: Path, content: bytes) -> None:
    """Put a file in its place, whole and on the disk."""
    with _written(path), new_file(path) as part, part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _written(path: Path) -> Iterator[None]:
    try:
        with disk_errors(path.parent):
            yield
    except OSError as error:
        raise PhotoError(f"Expected to write {path}. Received: {error.strerror}.", "not_writable") from None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
