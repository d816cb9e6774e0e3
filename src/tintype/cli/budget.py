"""How many photos may be in memory at a time."""

from __future__ import annotations

import threading


class Budget:
    """Room for photos, counted by number and by pixels.

    A photo that is larger than all of the room is let in when it is alone, so that none waits for ever.

    Parameters
    ----------
    photos : int
        The most at a time, at least 1.
    pixels : int
        The most pixels at a time, at least 1.

    Attributes
    ----------
    most_photos, most_pixels : int
        The most there ever were.
    """

    def __init__(self, photos: int, pixels: int) -> None:
        self._photos, self._pixels = photos, pixels
        self._inside, self._taken = 0, 0
        self._closed = False
        self._changed = threading.Condition()
        self.most_photos, self.most_pixels = 0, 0

    def enter(self, pixels: int) -> bool:
        """Wait until there is room for a photo.

        Returns
        -------
        bool
            False if there will be none, since the budget was closed.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._has_room(pixels))
            if self._closed:
                return False
            self._inside += 1
            self._taken += pixels
            self.most_photos = max(self.most_photos, self._inside)
            self.most_pixels = max(self.most_pixels, self._taken)
            return True

    def leave(self, pixels: int) -> None:
        """Give back a photo's room."""
        with self._changed:
            self._inside -= 1
            self._taken -= pixels
            self._changed.notify_all()

    def close(self) -> None:
        """Let nobody in any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _has_room(self, pixels: int) -> bool:
        return not self._inside or (self._inside < self._photos and self._taken + pixels <= self._pixels)
