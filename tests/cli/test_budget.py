"""Room for photos in memory."""

import threading
import time

from tintype.cli.budget import Budget


def entering(budget, pixels):
    """A thread that waits for room."""
    thread = threading.Thread(target=budget.enter, args=(pixels,), daemon=True)
    thread.start()
    thread.join(0.1)
    return thread


def test_photos_wait_for_room_by_number():
    budget = Budget(2, 100)
    assert budget.enter(1)
    assert budget.enter(1)
    third = entering(budget, 1)
    assert third.is_alive()
    budget.leave(1)
    third.join(5)
    assert not third.is_alive()
    assert budget.most_photos == 2


def test_photos_wait_for_room_by_pixels():
    budget = Budget(9, 100)
    assert budget.enter(60)
    second = entering(budget, 50)
    assert second.is_alive()
    assert budget.enter(40)
    budget.leave(60)
    second.join(5)
    assert not second.is_alive()
    assert budget.most_pixels == 100


def test_a_photo_larger_than_all_room_goes_alone():
    budget = Budget(9, 100)
    assert budget.enter(1)
    large = entering(budget, 1000)
    assert large.is_alive()
    budget.leave(1)
    large.join(5)
    assert not large.is_alive()
    small = entering(budget, 1)
    assert small.is_alive()
    budget.leave(1000)
    small.join(5)
    assert not small.is_alive()


def test_nobody_waits_for_a_closed_budget():
    budget = Budget(1, 1)
    budget.enter(1)
    answers = []
    thread = threading.Thread(target=lambda: answers.append(budget.enter(1)), daemon=True)
    thread.start()
    time.sleep(0.05)
    budget.close()
    thread.join(5)
    assert answers == [False]
