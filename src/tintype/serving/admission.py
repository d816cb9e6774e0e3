"""How much may be in the house at once, so that memory is bounded whatever comes.

Three counts: photos, the bytes of their files, and decoded pixels. Who finds no place or no room for a file is sent
away at once, before the body is read. Room for pixels is waited for, because everyone inside is going to leave.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from tintype.serving.responses import Refusal, busy


class House:
    """Places for photos, their files and their pixels. Used from the event loop's thread only.

    Parameters
    ----------
    places : int
        Photos at once.
    files : int
        Bytes of files at once.
    pixels : int
        Decoded pixels at once.
    observe : callable
        Told the number of photos whenever it changes.
    """

    def __init__(self, places: int, files: int, pixels: int, observe: Callable[[int], None]) -> None:
        self._places = places
        self._files = files
        self._pixels = pixels
        self._observe = observe
        self.photos = 0
        self.bytes = 0
        self.decoded = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    def enter(self, size: int) -> Place:
        """A place for one photo.

        Parameters
        ----------
        size : int
            Bytes of its file, as far as they are known.

        Raises
        ------
        Refusal
            503, if there is none.
        """
        if self.photos >= self._places:
            raise self._full()
        self.photos += 1
        self._observe(self.photos)
        place = Place(self)
        try:
            place.hold(size)
        except Refusal:
            place.leave()
            raise
        return place

    def leave(self, size: int) -> None:
        """Give a place back, and the bytes with it."""
        self.photos -= 1
        self.bytes -= size
        self._observe(self.photos)

    def hold(self, more: int) -> None:
        """Keep more bytes of files; a single file is always let in."""
        if self.bytes and self.bytes + more > self._files:
            raise self._full()
        self.bytes += more

    @asynccontextmanager
    async def room(self, most: int) -> AsyncIterator[Room]:
        """Room for a photo that is about to be decoded; waits until there is some, in the order of asking.

        Parameters
        ----------
        most : int
            Pixels that it may have.
        """
        if self._waiting or not self._fits(most):
            await self._turn(most)
        else:
            self.decoded += most
        room = Room(self, most)
        try:
            yield room
        finally:
            room.shrink(0)

    async def _turn(self, most: int) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((most, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.free(most)  # it had just been called in
            raise

    def free(self, pixels: int) -> None:
        """Give room back, and call in those who fit now."""
        self.decoded -= pixels
        while self._waiting:
            most, turn = self._waiting[0]
            if not turn.cancelled() and not self._fits(most):
                return
            self._waiting.popleft()
            if not turn.cancelled():
                self.decoded += most
                turn.set_result(None)

    def _fits(self, pixels: int) -> bool:
        return self.decoded == 0 or self.decoded + pixels <= self._pixels  # a single one is always let in

    def _full(self) -> Refusal:
        return busy(
            "overloaded",
            f"Expected room for one more photo. Received it while {self.photos} are being worked on. Try again soon.",
        )


class Place:
    """One photo's place, and the bytes of its file."""

    def __init__(self, house: House) -> None:
        self._house: House | None = house
        self._held = 0

    def hold(self, size: int) -> None:
        """Keep `size` bytes in all; never fewer than before.

        Raises
        ------
        Refusal
            503, if the house has no room for them.
        """
        if self._house is not None and size > self._held:
            self._house.hold(size - self._held)
            self._held = size

    def leave(self) -> None:
        """Give it back; a second time changes nothing."""
        if self._house is not None:
            self._house.leave(self._held)
            self._house = None


class Room:
    """What one photo holds of the house's pixels."""

    def __init__(self, house: House, held: int) -> None:
        self._house = house
        self._held = held

    def shrink(self, pixels: int) -> None:
        """Keep only so many, once they are known."""
        if pixels < self._held:
            self._house.free(self._held - pixels)
            self._held = pixels
