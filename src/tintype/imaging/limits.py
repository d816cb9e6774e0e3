"""What a photo may cost, checked before and while it is decoded.

A file is somebody else's: a few kilobytes can ask for gigabytes of memory or minutes of computing. Where photos
come from the network, `SERVICE` holds; for a person's own collection, `COLLECTION`.
"""

from __future__ import annotations

from dataclasses import dataclass

MEGA = 1_000_000


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
