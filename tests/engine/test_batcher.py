import threading
import time
from concurrent.futures import Future, wait

import numpy as np
import pytest
from numpy.typing import NDArray

from tintype.engine.batcher import Batcher

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
    batcher = Batcher(network.predict, SIZES)
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

    batcher = Batcher(predict, SIZES)
    with pytest.raises(RuntimeError, match="out of order"):
        batcher.submit(*photo(1)).result(10)
    assert batcher.submit(*photo(2)).result(10)[0, 0, 0] == 2
    batcher.close()


def test_a_photo_whose_client_has_gone_is_left_out():
    network = Network()
    batcher = Batcher(network.predict, SIZES)
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


def test_a_photo_that_the_network_cannot_take_does_not_take_others_with_it() -> None:
    gate, entered, calls = threading.Event(), threading.Event(), []

    def predict(l8: NDArray[np.uint8], gray8: NDArray[np.uint8]) -> NDArray[np.float32]:
        calls.append(len(l8))
        entered.set()
        assert gate.wait(10)
        if 2 in l8:
            raise MemoryError
        return l8.astype(np.float32)

    batcher = Batcher(predict, SIZES)
    submit(batcher, range(1))
    assert entered.wait(10)
    first, bad, last, other = submit(batcher, range(1, 5))
    gate.set()
    with pytest.raises(MemoryError):
        bad.result(10)
    assert [future.result(10)[0, 0, 0] for future in (first, last, other)] == [1, 3, 4]
    batcher.close()
    assert calls == [1, 4, 1, 1, 1, 1]


def test_closing_finishes_what_is_queued():
    network = Network()
    batcher = Batcher(network.predict, (1, 2))
    futures = submit(batcher, range(5))
    batcher.close()
    assert wait(futures, 0).not_done == set()


def test_observed_are_size_time_and_waits():
    seen: list[tuple[int, float, list[float]]] = []
    network = Network()
    batcher = Batcher(network.predict, SIZES, observe=lambda *what: seen.append(what))
    batcher.submit(*photo(1)).result(10)
    batcher.close()
    ((count, seconds, waits),) = seen
    assert (count, len(waits)) == (1, 1)
    assert seconds >= 0
    assert 0 <= waits[0] < 0.1


def patient(network: Network, announced: int, patience: float = 60.0) -> Batcher:
    batcher = Batcher(network.predict, SIZES, patience=patience)
    for _ in range(announced):
        batcher.announce()
    return batcher


def test_a_full_batch_goes_though_more_are_announced():
    network = Network()
    batcher = patient(network, announced=20)
    futures = [batcher.submit(*photo(number), announced=True) for number in range(8)]
    assert wait(futures, 10).not_done == set()
    batcher.close()
    assert network.batches == [8]


def test_a_lone_photo_goes_at_once():
    network = Network()
    batcher = patient(network, announced=2)
    future = batcher.submit(*photo(1), announced=True)
    threading.Timer(0.05, batcher.withdraw).start()
    future.result(10)
    batcher.close()
    assert network.batches == [1]


def test_company_that_arrives_is_taken_along():
    network = Network()
    batcher = patient(network, announced=2)
    first = batcher.submit(*photo(1), announced=True)
    time.sleep(0.05)
    assert not network.batches
    second = batcher.submit(*photo(2), announced=True)
    assert wait([first, second], 10).not_done == set()
    batcher.close()
    assert network.batches == [2]


def test_no_photo_waits_longer_than_patience():
    batcher = patient(Network(), announced=2, patience=0.1)
    start = time.monotonic()
    batcher.submit(*photo(1), announced=True).result(10)
    assert 0.05 < time.monotonic() - start < 2
    batcher.close()


def test_closing_can_cancel_what_waits():
    network = Network()
    batcher = patient(network, announced=2)
    waiting = batcher.submit(*photo(1), announced=True)
    batcher.close(cancel_waiting=True)
    assert waiting.cancelled()
    assert batcher.submit(*photo(2), announced=True).cancelled()
    assert not network.batches
