"""Room for photos in memory."""

import asyncio
import threading

from tintype.engine.memory_budget import MemoryBudget


def entering(budget, amount):
    """A thread that waits for room, and what it got."""
    leases = []
    thread = threading.Thread(target=lambda: leases.append(budget.enter(amount)), daemon=True)
    thread.start()
    thread.join(0.1)
    return thread, leases


def test_photos_wait_for_room_by_number():
    budget = MemoryBudget(2, 100)
    first, _ = budget.enter(1), budget.enter(1)
    third, _ = entering(budget, 1)
    assert third.is_alive()
    first.release()
    first.release()  # twice is once
    third.join(5)
    assert not third.is_alive()
    assert budget.most_photos == 2


def test_photos_wait_for_room_by_amount():
    budget = MemoryBudget(9, 100)
    first = budget.enter(60)
    second, _ = entering(budget, 50)
    assert second.is_alive()
    first.release()
    second.join(5)
    assert not second.is_alive()
    assert budget.enter(50)
    assert budget.most_amount == 100


def test_those_that_wait_are_let_in_in_the_order_of_asking():
    budget = MemoryBudget(9, 100)
    first = budget.enter(60)
    large, _ = entering(budget, 60)
    small, _ = entering(budget, 10)  # it would fit, but the large one was first
    assert large.is_alive()
    assert small.is_alive()
    assert budget.try_enter(1) is None
    first.release()
    large.join(5)
    small.join(5)
    assert (budget.photos, budget.amount) == (2, 70)


def test_a_photo_larger_than_all_room_goes_alone():
    budget = MemoryBudget(9, 100)
    first = budget.enter(1)
    large, leases = entering(budget, 1000)
    assert large.is_alive()
    first.release()
    large.join(5)
    assert not large.is_alive()
    small, _ = entering(budget, 1)
    assert small.is_alive()
    leases[0].release()
    small.join(5)
    assert not small.is_alive()


def test_what_is_known_to_be_smaller_makes_room_and_what_grows_must_find_it():
    budget = MemoryBudget(9, 100)
    lease = budget.enter(100)
    assert budget.try_enter(10) is None
    lease.shrink(20)
    assert budget.try_enter(70)
    assert lease.grow(30)
    assert not lease.grow(31)
    assert lease.grow(5)  # it holds more already
    assert (lease.amount, budget.amount) == (30, 100)


def test_a_closed_budget_ends_all_waiting():
    budget = MemoryBudget(1, 1)
    budget.enter(1)
    waiting, leases = entering(budget, 1)
    budget.close()
    waiting.join(5)
    assert leases == [None]
    assert budget.enter(1) is None
    assert budget.try_enter(1) is None


def test_one_that_stops_waiting_lets_those_behind_it_in():
    async def story():
        budget = MemoryBudget(9, 100)
        budget.enter(60)
        large = asyncio.create_task(budget.enter_async(90))
        await asyncio.sleep(0)
        small = asyncio.create_task(budget.enter_async(10))
        await asyncio.sleep(0.01)
        assert not small.done()
        large.cancel()
        await asyncio.wait_for(small, 1)
        assert (budget.photos, budget.amount) == (2, 70)

    asyncio.run(story())
