"""A service's traffic: real photos, really measured, written as a service writes them."""

from __future__ import annotations

import datetime
import functools
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tintype.formats.photo import read_photo
from tintype.imaging.geometry import photo_crops
from tintype.imaging.lab import gray_to_rgb, lab_to_rgb, rgb_to_lab
from tintype.measures.photo_statistics import photo_statistics
from tintype.measures.records import day_file, line_of
from tintype.monitoring.days import read_days
from tintype.monitoring.reference import Reference, of_photos

TODAY = datetime.date(2026, 11, 25)
PHOTOS = 100  # different ones

Values = Mapping[str, Any]
Pool = Callable[[str], list[Values]]


def measured(rgb8: np.ndarray, colours: Callable[[np.ndarray], np.ndarray], brighter: float = 0) -> Values:
    """What the monitor says of a gray photo and the colours that it is given."""
    lab = rgb_to_lab(rgb8)
    plane = np.clip(lab[..., 0] + np.float32(brighter), 0, 100)
    ab = colours(lab[..., 1:]).astype(np.float32)
    answer = lab_to_rgb(np.dstack([plane, ab]))
    seen = photo_statistics(gray_to_rgb(plane), answer, ab, 0.7)
    return {**seen.values, "kind": seen.kind}


@pytest.fixture(scope="session")
def pool(sample: Path) -> Pool:
    """Photos by what happened to them: crops of the sample photos, with their own colours a little pale.

    A kind is measured when it is asked for.
    """
    blotches = np.random.default_rng(3)

    def patchy(ab: np.ndarray) -> np.ndarray:
        few = blotches.normal(0, 18, (5, 7, 2)).astype(np.float32)
        return 0.5 * ab + cv2.resize(few, ab.shape[1::-1], interpolation=cv2.INTER_NEAREST)

    treatments: dict[str, tuple[Callable[[np.ndarray], np.ndarray], float]] = {
        "normal": (lambda ab: 0.7 * ab, 0),
        "gray": (lambda ab: 0 * ab, 0),
        "garish": (lambda ab: 1.8 * ab, 0),
        "patchy": (patchy, 0),
        "bright": (lambda ab: 0.7 * ab, 25),
    }
    files, crops = sorted(sample.glob("*.jpg")), []
    for file in files:
        rgb8 = read_photo(file).rgb8
        for crop in photo_crops(*rgb8.shape[:2], PHOTOS // len(files), 0.4, file.stem):
            part = crop.cut(rgb8)
            step = max(1, max(part.shape[:2]) // 128)
            crops.append(np.ascontiguousarray(part[::step, ::step]))

    @functools.cache
    def treated(name: str) -> list[Values]:
        return [measured(crop, *treatments[name]) for crop in crops]

    return treated


Traffic = Callable[..., Path]


@pytest.fixture
def traffic(tmp_path: Path, pool: Pool) -> Traffic:
    """Write days of traffic.

    ``traffic("normal", days=10, until=0, photos=40)`` is ten days up to today with 40 photos each.
    """

    def write(kind: str, *, days: int, until: int = 0, photos: int = 60, **overrides: Any) -> Path:
        chance = random.Random(f"{kind} {until} {days}")
        folder = tmp_path / "monitor"
        folder.mkdir(exist_ok=True)
        for back in range(until, until + days):
            day = TODAY - datetime.timedelta(days=back)
            path = day_file(folder, day, f"{chance.getrandbits(64):016x}")
            path.write_bytes(
                b"".join(line_of(record(day, chance.choice(pool(kind)), overrides)) for _ in range(photos))
            )
        return folder

    return write


def record(day: datetime.date, values: Values, overrides: Values) -> dict[str, Any]:
    """A record as the service makes it."""
    return {
        "time": f"{day}T12:00Z",
        "model": "tintype/3",
        "bundle": "0123456789ab",
        "saturation": 1.0,
        "format": "JPEG",
        "bits": 8,
        "bytes": 200_000,
        **values,
        **overrides,
    }


@pytest.fixture(scope="session")
def reference(pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> Reference:
    """What is normal: all of the normal photos."""
    folder = tmp_path_factory.mktemp("good")
    lines = b"".join(line_of(record(TODAY, values, {})) for values in pool("normal") * 2)
    day_file(folder, TODAY, "0" * 16).write_bytes(lines)
    return of_photos(read_days(folder, TODAY, TODAY).photos, "good days")


@pytest.fixture(scope="session")
def today() -> datetime.date:
    """The day on which it is judged."""
    return TODAY
