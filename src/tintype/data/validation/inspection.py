"""One photo to facts: what the manifest says of it, or why it cannot be read.

Facts are measured on a copy of at most 256 pixels a side, so that a large photo costs its decoding and little
more, and the colour noise of a gray photo does not pass for colour.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from tintype.data.validation.frequency_signs import frequency_signs
from tintype.data.validation.perceptual_hash import perceptual_hash
from tintype.errors import TintypeError
from tintype.imaging.lab import chroma, rgb_to_lab
from tintype.imaging.limits import PhotoError
from tintype.imaging.picture import Picture, read_picture

FACTS_SIDE = 256  # pixels
CHUNK = 8  # photos handed to a process at a time
AHEAD = 4  # chunks handed out for each process


class InspectionError(TintypeError):
    """The photos cannot be inspected at all."""


class Reason(StrEnum):
    """Why a photo is quarantined."""

    UNUSABLE_NAME = "unusable_name"
    UNDECODABLE = "undecodable"
    TOO_SMALL = "too_small"
    NEAR_GRAY = "near_gray"
    EXACT_DUPLICATE = "exact_duplicate"
    PERCEPTUAL_DUPLICATE = "perceptual_duplicate"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one decoded photo.

    Attributes
    ----------
    path : str
        Relative to the folder of photos, with forward slashes.
    content_hash : str
        SHA-256 of the file, 64 hex digits.
    pixel_hash : str
        SHA-256 of the decoded pixels: the same for two files that differ in their metadata only.
    perceptual_hash : str
        16 hex digits.
    frequency_signs : bytes
        64; see `tintype.data.validation.frequency_signs`.
    format, mode : str
        As the file keeps the photo, in Pillow's words.
    width, height : int
        Pixels, upright.
    bytes : int
        Size of the file.
    mean_l : float
        Mean L*, in [0, 100].
    mean_chroma : float
        Mean distance from gray, C* of Lab, from 0.
    label : str
        Name of the folder the photo lies in; empty at the top.
    """

    path: str
    content_hash: str
    pixel_hash: str
    perceptual_hash: str
    frequency_signs: bytes
    format: str
    mode: str
    width: int
    height: int
    bytes: int
    mean_l: float
    mean_chroma: float
    label: str


@dataclass(frozen=True, slots=True)
class Rejection:
    """A quarantined photo: its path, the reason, and the particulars in words."""

    path: str
    reason: Reason
    detail: str


def inspect_photo(photos: Path, relative: str) -> Facts | Rejection:
    """Read one photo and measure it.

    Parameters
    ----------
    photos : Path
        The folder of photos.
    relative : str
        The photo's path in it, with forward slashes.

    Returns
    -------
    Facts or Rejection
        A rejection if the photo cannot be read; whether its facts are good enough is not judged here.
    """
    if not _is_text(relative):
        shown = os.fsencode(relative).decode("utf-8", "backslashreplace")
        return Rejection(shown, Reason.UNUSABLE_NAME, "Expected a file name in UTF-8.")
    try:
        content = (photos / relative).read_bytes()
        photo = read_picture(content)
    except OSError as error:
        return Rejection(
            relative, Reason.UNDECODABLE, f"Expected a readable file. Received: {error.strerror}."
        )
    except PhotoError as error:
        return Rejection(relative, Reason.UNDECODABLE, str(error))
    return _facts(relative, content, photo)


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _facts(relative: str, content: bytes, photo: Picture) -> Facts:
    height, width = photo.rgb8.shape[:2]
    lab = rgb_to_lab(_reduced(photo.rgb8))
    folders = relative.split("/")[:-1]
    return Facts(
        path=relative,
        content_hash=hashlib.sha256(content).hexdigest(),
        pixel_hash=_pixel_hash(photo.rgb8),
        perceptual_hash=perceptual_hash(lab[..., 0]),
        frequency_signs=frequency_signs(lab[..., 0]),
        format=photo.format,
        mode=photo.mode,
        width=width,
        height=height,
        bytes=len(content),
        mean_l=float(lab[..., 0].mean()),
        mean_chroma=float(chroma(lab).mean()),
        label=folders[-1] if folders else "",
    )


def _pixel_hash(rgb8: NDArray[np.uint8]) -> str:
    digest = hashlib.sha256(f"{rgb8.shape}".encode())
    digest.update(np.ascontiguousarray(rgb8).data)
    return digest.hexdigest()


def _reduced(rgb8: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The photo with no side longer than FACTS_SIDE."""
    height, width = (min(side, FACTS_SIDE) for side in rgb8.shape[:2])
    reduced: Any = cv2.resize(rgb8, (width, height), interpolation=cv2.INTER_AREA)
    result: NDArray[np.uint8] = reduced  # OpenCV's stubs widen every result
    return result


def inspect_all(photos: Path, relatives: list[str]) -> Iterator[Facts | Rejection]:
    """Inspect photos in parallel processes, in the order given.

    Parameters
    ----------
    photos : Path
        The folder of photos.
    relatives : list of str
        Paths in it, with forward slashes.

    Yields
    ------
    Facts or Rejection
        One for each path; no pixels are kept.

    Raises
    ------
    InspectionError
        If a process dies, which is what the system does to one that takes too much memory.
    """
    workers = min(os.cpu_count() or 1, -(-len(relatives) // CHUNK))
    context = multiprocessing.get_context("spawn")  # a fork of a process with threads can hang
    with ProcessPoolExecutor(max(1, workers), mp_context=context, initializer=_one_thread) as pool:
        results = _in_turn(pool, photos, relatives, ahead=AHEAD * max(1, workers))
        try:
            yield from tqdm(results, total=len(relatives), desc="inspecting", unit=" photos", disable=None)
        except BrokenProcessPool:
            raise InspectionError(
                "Expected every photo to be inspected, but a process was ended from outside, as happens when memory "
                "runs out. Free some memory, or take very large photos out, and run again."
            ) from None


def _in_turn(
    pool: ProcessPoolExecutor, photos: Path, relatives: list[str], ahead: int
) -> Iterator[Facts | Rejection]:
    """Chunk by chunk, with so many handed out: the pool's own `map` hands out all of them at once."""
    waiting: deque[Future[list[Facts | Rejection]]] = deque()
    for start in range(0, len(relatives), CHUNK):
        waiting.append(pool.submit(_inspect_chunk, photos, relatives[start : start + CHUNK]))
        if len(waiting) > ahead:
            yield from waiting.popleft().result()
    while waiting:
        yield from waiting.popleft().result()


def _inspect_chunk(photos: Path, relatives: list[str]) -> list[Facts | Rejection]:
    return [inspect_photo(photos, relative) for relative in relatives]


def _one_thread() -> None:
    cv2.setNumThreads(1)  # there is a process for each core already
