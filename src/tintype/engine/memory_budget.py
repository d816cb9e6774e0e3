"""How much may be in memory at once, so that memory is bounded however many photos come.

Command line and service both use it. A thread waits with `enter`, the event loop with `enter_async`, and `try_enter`
never waits. Those that wait are let in in the order of asking. An amount larger than the whole budget is let in when
nothing else is inside, so that no caller waits for ever.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from concurrent.futures import Future


class MemoryBudget:
    """A budget of photos and of an amount, such as pixels or bytes; used from any thread.

    Parameters
    ----------
    photos : int
        The most at a time, at least 1.
    amount : int
        The most of all of them at a time, at least 1.

    Attributes
    ----------
    photos, amount : int
        What is inside now.
    most_photos, most_amount : int
        The most that was ever inside.
    """

    def __init__(self, photos: int, amount: int) -> None:
        self._photo_limit, self._amount_limit = photos, amount
        self.photos = self.amount = 0
        self.most_photos = self.most_amount = 0
        self._is_closed = False
        self._lock = threading.Lock()
        self._waiting: deque[tuple[int, Future[Lease | None]]] = deque()

    def try_enter(self, amount: int) -> Lease | None:
        """A lease, or None if there is no room for it now, or others wait for room."""
        with self._lock:
            if self._is_closed or self._waiting or not self._fits(amount):
                return None
            return self._let_in(amount)

    def enter(self, amount: int) -> Lease | None:
        """Wait in this thread until there is room; None once the budget is closed."""
        return self._ask(amount).result()

    async def enter_async(self, amount: int) -> Lease:
        """Wait without blocking the event loop until there is room.

        Raises
        ------
        RuntimeError
            If the budget is closed.
        """
        grant = self._ask(amount)
        try:
            lease = grant.result() if grant.done() else await asyncio.wrap_future(grant)
        except asyncio.CancelledError:
            if not grant.cancel():  # it had just been let in
                _release(grant.result())
            with self._lock:
                self._call_in()  # those behind it may fit
            raise
        if lease is None:
            raise RuntimeError("Expected an open budget. Received: a closed one.")
        return lease

    def close(self) -> None:
        """Grant no more leases, and end the waiting of all that wait for one."""
        with self._lock:
            self._is_closed = True
            while self._waiting:
                _, grant = self._waiting.popleft()
                if grant.set_running_or_notify_cancel():
                    grant.set_result(None)

    def _ask(self, amount: int) -> Future[Lease | None]:
        grant: Future[Lease | None] = Future()
        with self._lock:
            if self._is_closed:
                grant.set_result(None)
            elif self._waiting or not self._fits(amount):
                self._waiting.append((amount, grant))
            else:
                grant.set_result(self._let_in(amount))
        return grant

    def _fits(self, amount: int, photos: int = 1) -> bool:
        return self.photos + photos <= self._photo_limit and (
            self.amount == 0 or self.amount + amount <= self._amount_limit
        )

    def _let_in(self, amount: int) -> Lease:
        self.photos += 1
        self._take(amount)
        self.most_photos = max(self.most_photos, self.photos)
        return Lease(self, amount)

    def _take(self, amount: int) -> None:
        self.amount += amount
        self.most_amount = max(self.most_amount, self.amount)

    def _call_in(self) -> None:
        while self._waiting:
            amount, grant = self._waiting[0]
            if not grant.cancelled() and not self._fits(amount):
                return
            self._waiting.popleft()
            if grant.set_running_or_notify_cancel():
                grant.set_result(self._let_in(amount))

    def grow(self, more: int) -> bool:
        """Take more for a lease that is held; False, and nothing is taken, if there is no room for it."""
        with self._lock:
            if not self._fits(more, photos=0):
                return False
            self._take(more)
            return True

    def give_back(self, photos: int, amount: int) -> None:
        """Give an amount back, and let in those that fit now."""
        with self._lock:
            self.photos -= photos
            self.amount -= amount
            self._call_in()


class Lease:
    """What one photo holds of a budget."""

    def __init__(self, budget: MemoryBudget, amount: int) -> None:
        self._budget: MemoryBudget | None = budget
        self.amount = amount

    def grow(self, amount: int) -> bool:
        """Hold `amount` in all, never less than before; False, and nothing changes, if there is no room for it."""
        if self._budget is None or amount <= self.amount:
            return True
        if not self._budget.grow(amount - self.amount):
            return False
        self.amount = amount
        return True

    def shrink(self, amount: int) -> None:
        """Hold only so much, once it is known."""
        if self._budget is not None and amount < self.amount:
            self._budget.give_back(0, self.amount - amount)
            self.amount = amount

    def release(self) -> None:
        """Give everything back; a second time changes nothing."""
        if self._budget is not None:
            self._budget.give_back(1, self.amount)
            self._budget = None


def _release(lease: Lease | None) -> None:
    if lease is not None:
        lease.release()
