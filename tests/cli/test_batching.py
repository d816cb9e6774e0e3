"""Company for the network."""

import threading
import time

from tintype.cli.batching import Waiting


def waiting_with(*items, coming=0, patience=60.0):
    waiting = Waiting(3, patience)
    for _ in range(len(items) + coming):
        waiting.announce()
    for item in items:
        waiting.put(item)
    return waiting


def test_a_full_batch_goes_at_once_and_in_order():
    waiting = waiting_with(1, 2, 3, 4, coming=5)
    assert waiting.take() == [1, 2, 3]


def test_what_nobody_will_join_goes_at_once():
    waiting = waiting_with(1)
    assert waiting.take() == [1]
    waiting = waiting_with(1, coming=1)
    threading.Timer(0.05, waiting.give_up).start()
    assert waiting.take() == [1]


def test_company_that_arrives_is_taken_along():
    waiting = waiting_with(1, coming=1)
    threading.Timer(0.05, waiting.put, [2]).start()
    assert waiting.take() == [1, 2]


def test_nobody_waits_longer_than_patience():
    waiting = waiting_with(1, coming=1, patience=0.1)
    start = time.monotonic()
    assert waiting.take() == [1]
    assert 0.05 < time.monotonic() - start < 2


def test_closing_ends_the_waiting():
    waiting = waiting_with(coming=1)
    threading.Timer(0.05, waiting.close).start()
    assert waiting.take() == []
