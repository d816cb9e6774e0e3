import threading
from concurrent.futures import Future, wait

import numpy as np
import pytest
from numpy.typing import NDArray

from tintype.serving.batcher import Batcher

SIZES = (1, 2, 4, 8)


def photo(number: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    return np.full((2, 2, 1), number, np.uint8), np.full((3, 3, 1), number, np.uint8)


class Network:
    """Doubles its input; holds while `gate` is closed, and keeps the sizes of its batches."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Semaphore(0)
        self.batches: list[int] = []
        self.threads: set[int] = set()

    def predict(self, l8: NDArray[np.uint8], gray8: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.threads.add(threading.get_ident())
        self.batches.append(len(l8))
        self.entered.release()
        assert self.gate.wait(10)
        assert len(l8) == len(gray8)
        return l8.astype(np.float32) * 2


def submit(batcher: Batcher, numbers: range) -> list[Future[NDArray[np.float32]]]:
    return [batcher.submit(*photo(number)) for number in numbers]


def test_a_lone_photo_goes_at_once_and_those_who_gathered_go_together():
    network = Network()
    batcher = Batcher(network.predict, SIZES, lambda *_: None)
    network.gate.clear()
    first = submit(batcher, range(1))
    assert network.entered.acquire(timeout=10)  # it did not wait for the others
    rest = submit(batcher, range(1, 12))
    network.gate.set()
    results = [future.result(10) for future in first + rest]
    batcher.close()
    assert network.batches == [1, 8, 2, 1]
    assert set(network.batches) <= set(SIZES)
    assert [result[0, 0, 0] for result in results] == [2 * number for number in range(12)]
    assert len(network.threads) == 1


def test_an_error_reaches_all_of_its_batch_and_the_thread_lives_on():
    calls = []

    def predict(l8: NDArray[np.uint8], gray8: NDArray[np.uint8]) -> NDArray[np.float32]:
        calls.append(len(l8))
        if len(calls) == 1:
            raise RuntimeError("out of order")
        return l8.astype(np.float32)

    batcher = Batcher(predict, SIZES, lambda *_: None)
    with pytest.raises(RuntimeError, match="out of order"):
        batcher.submit(*photo(1)).result(10)
    assert batcher.submit(*photo(2)).result(10)[0, 0, 0] == 2
    batcher.close()


def test_a_photo_whose_client_has_gone_is_left_out():
    network = Network()
    batcher = Batcher(network.predict, SIZES, lambda *_: None)
    network.gate.clear()
    first = submit(batcher, range(1))
    assert network.entered.acquire(timeout=10)
    gone, stays = submit(batcher, range(1, 3))
    assert gone.cancel()
    network.gate.set()
    assert stays.result(10)[0, 0, 0] == 4
    first[0].result(10)
    batcher.close()
    assert network.batches == [1, 1]


def test_closing_finishes_what_is_queued():
    network = Network()
    batcher = Batcher(network.predict, (1, 2), lambda *_: None)
    futures = submit(batcher, range(5))
    batcher.close()
    assert wait(futures, 0).not_done == set()


def test_observed_are_size_time_and_waits():
    seen: list[tuple[int, float, list[float]]] = []
    network = Network()
    batcher = Batcher(network.predict, SIZES, lambda *what: seen.append(what))
    batcher.submit(*photo(1)).result(10)
    batcher.close()
    ((count, seconds, waits),) = seen
    assert (count, len(waits)) == (1, 1)
    assert seconds >= 0
    assert 0 <= waits[0] < 0.1
