"""The Colorizer's own rate: one process, batches, no service. `python -m benchmarks.own_rate BUNDLE PHOTO...`.

Prints JSON: photos a second from decoded photo to coloured photo, and from file to file.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tintype.colorize import Colorizer
from tintype.formats.photo import encode_photo, read_photo
from tintype.imaging.inputs import BATCH
from tintype.imaging.limits import SERVICE

SECONDS = 10.0


def rate(work: Callable[[int], int], seconds: float) -> float:
    """Photos a second of `work(round)`, which says how many it did; one round goes before the clock."""
    work(0)
    start, done, number = time.perf_counter(), 0, 1
    while time.perf_counter() - start < seconds:
        done += work(number)
        number += 1
    return done / (time.perf_counter() - start)


def main(bundle: Path, files: list[Path], seconds: float) -> None:
    """Measure and print."""
    colorizer = Colorizer.load(bundle)
    contents = [file.read_bytes() for file in files]
    batches = [
        [contents[(start + at) % len(contents)] for at in range(BATCH)]
        for start in range(0, len(contents), BATCH)
    ]
    decoded = [[read_photo(content, SERVICE).pixels for content in batch] for batch in batches]

    def arrays(number: int) -> int:
        return len(colorizer.colorize_many(decoded[number % len(decoded)]))

    def whole_files(number: int) -> int:
        photos = [read_photo(content, SERVICE) for content in batches[number % len(batches)]]
        for photo, coloured in zip(
            photos, colorizer.colorize_many([photo.pixels for photo in photos]), strict=True
        ):
            encode_photo(coloured, "JPEG", like=photo, metadata="strip")
        return len(photos)

    figures = {"arrays": rate(arrays, seconds), "files": rate(whole_files, seconds)}
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]], SECONDS)
