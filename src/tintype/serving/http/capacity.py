"""How much may be inside the service at once, so that memory is bounded whatever comes.

Three counts: photos, the bytes of their files, and decoded pixels. A photo that finds no slot, or no room for its file,
is refused at once, before its body is read. A photo waits for room for its pixels, since those inside give theirs back.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from tintype.engine.memory_budget import Lease, MemoryBudget
from tintype.serving.http.errors import Refusal, busy


class Capacity:
    """Slots for photos, and room for their files and their pixels.

    Parameters
    ----------
    photos : int
        At once.
    file_bytes : int
        Of all files at once.
    pixels : int
        Decoded at once.
    observe : callable
        Told the number of photos whenever it changes.
    """

    def __init__(self, photos: int, file_bytes: int, pixels: int, observe: Callable[[int], None]) -> None:
        self._files = MemoryBudget(photos, file_bytes)
        self._pixels = MemoryBudget(sys.maxsize, pixels)
        self._observe = observe

    @property
    def photos(self) -> int:
        """Photos inside."""
        return self._files.photos

    @property
    def file_bytes(self) -> int:
        """Bytes of the files inside."""
        return self._files.amount

    @property
    def pixels(self) -> int:
        """Pixels that are decoded, or that a photo being decoded may turn out to have."""
        return self._pixels.amount

    def enter(self, size: int) -> Slot:
        """A slot for one photo.

        Parameters
        ----------
        size : int
            Bytes of its file, as far as they are known.

        Raises
        ------
        Refusal
            503, if there is none.
        """
        lease = self._files.try_enter(size)
        if lease is None:
            raise self.full()
        self._observe(self.photos)
        return Slot(self, lease)

    @asynccontextmanager
    async def pixel_lease(self, most: int) -> AsyncIterator[Lease]:
        """Room for a photo that is about to be decoded; waits until there is some, in the order of asking.

        Parameters
        ----------
        most : int
            Pixels that it may have.
        """
        lease = await self._pixels.enter_async(most)
        try:
            yield lease
        finally:
            lease.release()

    def left(self) -> None:
        """Tell the observer that a photo has left."""
        self._observe(self.photos)

    def full(self) -> Refusal:
        """The refusal of a photo for which there is no room."""
        return busy(
            "overloaded",
            f"Expected room for one more photo. Received it while {self.photos} are being worked on. Try again soon.",
        )


class Slot:
    """One photo's slot, and the bytes of its file."""

    def __init__(self, capacity: Capacity, lease: Lease) -> None:
        self._capacity = capacity
        self._lease = lease

    def hold(self, size: int) -> None:
        """Keep `size` bytes in all; never fewer than before.

        Raises
        ------
        Refusal
            503, if there is no room for them.
        """
        if not self._lease.grow(size):
            raise self._capacity.full()

    def leave(self) -> None:
        """Give it back; a second time changes nothing."""
        self._lease.release()
        self._capacity.left()
