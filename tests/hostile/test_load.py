"""Many clients, a worker that is killed, and a service that is told to stop: no photo is lost or answered wrongly."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tintype.colorize import Colorizer

QUEUE = 32  # photos that the service takes at once, unless told otherwise
LEVELS = 2  # of 255; batches of different sizes add up in different orders
PHOTOS = ("astronaut", "cat", "clock", "fig", "leaves", "wine")


def small(path: Path) -> bytes:
    """A sample photo, small enough that the network is not what the test waits for."""
    stream = io.BytesIO()
    with Image.open(path) as image:
        image.convert("L").resize((160, 120)).save(stream, "JPEG", quality=90)
    return stream.getvalue()


def pixels(content: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGB"))


@pytest.fixture(scope="module")
def photos(sample: Path) -> list[bytes]:
    return [small(sample / f"{name}.jpg") for name in PHOTOS]


@pytest.fixture(scope="module")
def expected(bundle: Path, photos: list[bytes]) -> list[NDArray[np.uint8]]:
    colorizer = Colorizer.load(bundle)
    return [colorizer.colorize(pixels(photo)) for photo in photos]


def assert_right(shots: Sequence[Any], expected: list[NDArray[np.uint8]]) -> None:
    """Every answer is the photo that was sent, in the colours that the Colorizer gives it."""
    for shot in shots:
        if shot.status == 200:
            difference = np.abs(pixels(shot.body).astype(int) - expected[shot.photo])
            assert difference.max() <= LEVELS


def statuses(shots: Sequence[Any]) -> Counter[int]:
    return Counter(shot.status for shot in shots)


def test_128_photos_of_24_clients_are_all_answered(
    clients: ModuleType, server: Any, photos: list[bytes], expected: list[NDArray[np.uint8]]
) -> None:
    crowd = clients.Clients(server.port, photos, "?format=png", keep_bodies=True)
    shots = asyncio.run(crowd.run(24, lambda sent: sent < 128))
    assert statuses(shots) == {200: len(shots)}
    assert len(shots) >= 128
    assert_right(shots, expected)


def test_more_than_fits_is_refused_at_once_and_politely(
    clients: ModuleType, server: Any, photos: list[bytes], expected: list[NDArray[np.uint8]]
) -> None:
    crowd = clients.Clients(server.port, photos, "?format=png", keep_bodies=True)
    shots = asyncio.run(crowd.run(100, lambda sent: sent < 400))
    assert set(statuses(shots)) <= {200, 503}
    assert statuses(shots)[200] >= QUEUE, "all for whom there is a place are answered"
    refused = [shot for shot in shots if shot.status == 503]
    assert refused
    assert all(b"retry-after: " in shot.headers for shot in refused)
    assert_right(shots, expected)


@pytest.mark.slow
def test_a_killed_worker_comes_back_and_the_others_answer(
    clients: ModuleType,
    serving: Any,
    bundle: Path,
    photos: list[bytes],
    expected: list[NDArray[np.uint8]],
    tmp_path: Path,
) -> None:
    settings = {"TINTYPE_BUNDLE": str(bundle), "TINTYPE_WORKERS": "2"}
    with serving(tmp_path, settings) as server:
        server.wait_until("/readyz", 200)
        wait_until_all_ready(server, 2)
        before = server.workers()
        end = time.monotonic() + 120
        killed: list[float] = []

        def go_on(sent: int) -> bool:
            if sent > 60 and not killed:
                os.kill(before[0], signal.SIGKILL)
                killed.append(time.monotonic())
            back = killed and len(set(server.workers()) - {before[0]}) == 2
            return time.monotonic() < end and not (back and time.monotonic() > killed[0] + 3)

        crowd = clients.Clients(server.port, photos, "?format=png", keep_bodies=True)
        shots = asyncio.run(crowd.run(8, go_on))
        assert before[0] not in server.workers()
        assert len(server.workers()) == 2
        wait_until_all_ready(server, 2)
    lost = [shot for shot in shots if shot.status == 0]
    assert len(lost) <= 8, "only what the killed worker held may be lost"
    assert set(statuses(shots)) <= {0, 200, 503}
    later = [shot for shot in shots if shot.started > killed[0] + 0.5]
    assert statuses(later)[200] > 20, "the other worker must have answered"
    assert_right(shots, expected)


def wait_until_all_ready(server: Any, count: int, seconds: float = 60) -> None:
    """Each of the workers has said that it is ready: as many answers in a row as leave no doubt."""
    end, row = time.monotonic() + seconds, 0
    while row < 20 * count:
        assert time.monotonic() < end, "a worker did not become ready"
        with server.client() as client:
            row = row + 1 if client.get("/readyz").status_code == 200 else 0


@pytest.mark.slow
def test_what_was_accepted_before_the_stop_is_answered(
    clients: ModuleType,
    serving: Any,
    bundle: Path,
    photos: list[bytes],
    expected: list[NDArray[np.uint8]],
    tmp_path: Path,
) -> None:
    with serving(tmp_path, {"TINTYPE_BUNDLE": str(bundle)}) as server:
        server.wait_until("/readyz", 200)
        stopped: list[float] = []

        def go_on(sent: int) -> bool:
            if sent > 100 and not stopped:
                server.process.send_signal(signal.SIGTERM)
                stopped.append(time.monotonic())
            return server.process.poll() is None

        crowd = clients.Clients(server.port, photos, "?format=png", ask_first=True, keep_bodies=True)
        shots = asyncio.run(crowd.run(16, go_on))
        seconds = time.monotonic() - stopped[0]
        assert server.process.wait(5) == 0, server.log.read_text()
    assert seconds < 20
    accepted = [shot for shot in shots if shot.accepted]
    assert len(accepted) > 80
    unanswered = [shot for shot in accepted if shot.status not in (200, 503)]
    assert not unanswered, unanswered[:3]
    assert {shot.status for shot in accepted if shot.started < stopped[0]} == {200}
    assert_right(shots, expected)
