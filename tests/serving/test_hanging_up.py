"""Clients that hang up while their photo is worked on."""

import asyncio
import threading
import time

import pytest

from tintype.imaging.provenance import Lineage
from tintype.serving.http.app import build_app
from tintype.serving.http.capacity import Capacity
from tintype.serving.http.errors import ClientGone
from tintype.serving.photo_pipeline import PhotoPipeline
from tintype.serving.settings import read_settings
from tintype.serving.worker import WorkerState

DECODING_SECONDS = 0.15


class SlowDecoder:
    """Stands in for a Colorizer: takes its time over each photo, and counts how many it has at once."""

    def __init__(self) -> None:
        self.begun = self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()

    def prepare(self, pixels):
        with self._lock:
            self.begun += 1
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        time.sleep(DECODING_SECONDS)
        with self._lock:
            self.at_once -= 1
        raise MemoryError  # what comes after decoding does not matter here

    def colours(self, l8, gray8):
        raise AssertionError("Expected no photo in the network.")


@pytest.fixture
def decoder():
    return SlowDecoder()


@pytest.fixture
def worker(decoder):
    """A worker's state that has room for the pixels of one photo, and threads for eight."""
    worker = WorkerState(read_settings({"TINTYPE_THREADS": "8"}))
    worker.capacity = Capacity(
        32, file_bytes=10**9, pixels=worker.settings.limits.pixels, observe=lambda _: None
    )
    pipeline = PhotoPipeline(
        decoder, Lineage("test"), worker.settings.limits, threads=8, metrics=worker.metrics
    )
    worker.model.swap(pipeline)
    yield worker
    worker.close()


async def post(app, content, hang_up_after):
    """Send a photo and hang up; the app hears of it as a server tells it."""
    sent = False
    gone_at = asyncio.get_running_loop().time() + hang_up_after

    async def receive():
        nonlocal sent
        if not sent:
            sent = True
            return {"type": "http.request", "body": content, "more_body": False}
        await asyncio.sleep(max(0.0, gone_at - asyncio.get_running_loop().time()))
        return {"type": "http.disconnect"}

    async def send(message):
        pass

    scope = {"type": "http", "method": "POST", "path": "/colorize", "query_string": b"", "headers": []}
    with pytest.raises(ClientGone):
        await app(scope, receive, send)


def test_room_is_given_back_only_when_the_thread_has_let_go_of_the_photo(worker, decoder, cat_file):
    async def story():
        app = build_app(worker)
        # Each hangs up while its own photo is decoded, if that begins as soon as the one before has hung up.
        await asyncio.gather(*(post(app, cat_file, 0.05 + 0.03 * number) for number in range(8)))

    asyncio.run(story())
    assert decoder.most_at_once == 1
    assert (worker.capacity.photos, worker.capacity.file_bytes, worker.capacity.pixels) == (0, 0, 0)


def test_who_hangs_up_while_waiting_for_room_is_not_decoded(worker, decoder, cat_file):
    async def story():
        app = build_app(worker)
        await asyncio.gather(*(post(app, cat_file, 0.05) for _ in range(8)))

    asyncio.run(story())
    assert decoder.begun == 1
