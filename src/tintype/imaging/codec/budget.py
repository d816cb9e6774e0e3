"""A decoder's CPU time, held to a limit.

Pillow's decoders of JPEG, PNG, GIF and BMP ask their file for one block after the other. A file that looks at the
clock whenever it is asked can end a decoding that takes too long. The decoders of TIFF, WebP, AVIF and HEIF take the
whole file at once; what they cost is bounded by the pixels, which are limited before.
"""

from __future__ import annotations

import io
import time

from tintype.imaging.photo_error import PhotoError

BLOCK = 4096  # bytes that a decoder gets at once; a scan without content is a hundred bytes and a whole pass


class Budgeted(io.BytesIO):
    """A file in memory that can be read for so many seconds of the thread's CPU time.

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
        # A thread's own time costs a call of the system, and can only be up when as much time has passed for all.
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
