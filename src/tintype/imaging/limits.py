"""What a photo may cost, checked before and while it is decoded, and the error that says what is wrong with one.

A file comes from a stranger: a few kilobytes can ask for gigabytes of memory or minutes of computing. Where photos come
from the network, `SERVICE` holds; for a person's own collection, `COLLECTION`.
"""

from __future__ import annotations

import io
import time
from dataclasses import dataclass

from tintype.errors import TintypeError

MEGA = 1_000_000
MOST_PROFILE_BYTES = 4 * MEGA
BLOCK = 4096  # bytes that a decoder gets at once; a scan without content is a hundred bytes and a whole pass


class PhotoError(TintypeError):
    """A photo cannot be read or written.

    Attributes
    ----------
    code : str
        What is wrong, for programs: ``missing``, ``empty``, ``unknown_format``, ``broken``, ``too_many_bytes``,
        ``too_many_pixels``, ``too_many_frames``, ``too_slow``, ``unsupported``, ``not_writable`` or ``changed``.
    """

    def __init__(self, message: str, code: str = "broken") -> None:
        super().__init__(message)
        self.code = code


def reason(error: Exception) -> str:
    """A library's exception as the end of a sentence."""
    return str(error).rstrip(".") or type(error).__name__


@dataclass(frozen=True)
class Limits:
    """The most that one photo may take.

    Attributes
    ----------
    bytes : int
        Of the file.
    pixels : int
        Width times height, as the header says it before anything is decoded.
    frames : int
        Pictures in one file; only the first is ever decoded.
    scans : int
        Passes over a JPEG's picture. An encoder writes 1 to about 20; each costs the time of a whole picture.
    seconds : float
        CPU time of decoding.
    """

    bytes: int = 64 * MEGA
    pixels: int = 50 * MEGA
    frames: int = 1000
    scans: int = 100
    seconds: float = 10.0


SERVICE = Limits()
COLLECTION = Limits(bytes=2_000 * MEGA, pixels=200 * MEGA, seconds=120.0)


def refuse_bytes(size: int, limits: Limits, name: str) -> None:
    """Refuse a file of too many bytes."""
    if size > limits.bytes:
        raise PhotoError(
            f"Expected at most {limits.bytes / 1e6:.0f} MB in {name}. Received: {size / 1e6:.1f} MB.",
            "too_many_bytes",
        )


def refuse_scans(scans: int, limits: Limits, name: str) -> None:
    """Refuse a JPEG file that asks for too many passes."""
    if scans > limits.scans:
        raise PhotoError(
            f"Expected at most {limits.scans} scans in the JPEG file {name}. Received: {scans}. "
            "Save it again in an image editor.",
            "too_slow",
        )


def refuse_pixels(size: tuple[int, int], limits: Limits, name: str) -> None:
    """Refuse a picture of too many pixels."""
    width, height = size
    if width * height > limits.pixels:
        raise PhotoError(
            f"Expected at most {limits.pixels / 1e6:.0f} megapixels in {name}. "
            f"Received: {width} x {height}, {width * height / 1e6:.0f} megapixels.",
            "too_many_pixels",
        )


def refuse_frames(frames: int, limits: Limits, name: str) -> None:
    """Refuse a file of too many pictures."""
    if frames > limits.frames:
        raise PhotoError(
            f"Expected at most {limits.frames} pictures in {name}, but it has more. Give it a single one.",
            "too_many_frames",
        )


def refuse_profile(size: int, name: str) -> None:
    """Refuse a file whose colour profile has too many bytes: real ones have at most some hundred thousand."""
    if size > MOST_PROFILE_BYTES:
        raise PhotoError(
            f"Expected a colour profile of at most {MOST_PROFILE_BYTES / 1e6:.0f} MB in {name}. Received: "
            f"{size / 1e6:.1f} MB. Convert it to sRGB in an image editor.",
            "unsupported",
        )


class TimedFile(io.BytesIO):
    """A file in memory that can be read for so many seconds of the thread's CPU time.

    Pillow's decoders of JPEG, PNG, GIF and BMP ask their file for one block after the other. A file that looks at the
    clock whenever it is asked can end a decoding that takes too long. The decoders of TIFF, WebP, AVIF and HEIF take
    the whole file at once; what they cost is bounded by the pixels, which are limited before.

    Parameters
    ----------
    content : bytes
        Is not copied.
    seconds : float
        From now on.
    name : str
        What the photo is called in the error.
    """

    def __init__(self, content: bytes, seconds: float, name: str) -> None:
        super().__init__(content)
        self._seconds, self._name = seconds, name
        self._earliest, self._end = time.perf_counter() + seconds, time.thread_time() + seconds

    def check(self) -> None:
        """Raise `PhotoError` if the time is up."""
        # A thread's own time costs a system call, and can only be up when as much time has passed on the wall clock.
        if time.perf_counter() > self._earliest and time.thread_time() > self._end:
            raise PhotoError(
                f"Expected {self._name} to be decoded within {self._seconds:g} s of CPU time, but it takes longer. "
                "Save it again in an image editor.",
                "too_slow",
            )

    def read(self, size: int | None = -1, /) -> bytes:
        """The next `size` bytes, if there is time left."""
        self.check()
        return super().read(size)
