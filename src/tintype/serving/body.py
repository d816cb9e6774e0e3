"""A request's body, read under a limit and a clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request

from tintype.imaging.limits import MEGA
from tintype.serving.responses import Gone, Refusal

T = TypeVar("T")
FRAMING = 64 * 1024  # what a form may add to the photo: boundaries, headers, options


async def chunks(
    request: Request, most: int, seconds: float, hold: Callable[[int], None]
) -> AsyncIterator[bytes]:
    """The body as it comes in.

    Parameters
    ----------
    request : Request
    most : int
        Bytes that a photo's file may have. The body may have a little more, for a form.
    seconds : float
        For the whole body to arrive.
    hold : callable
        Told the number of bytes so far; may refuse them.

    Yields
    ------
    bytes

    Raises
    ------
    Refusal
        413 as soon as it is known to be too large, by its announced length or on the way; 408 if it takes too long.
    Gone
        If the client hangs up.
    """
    refuse_announced(request, most)
    received = 0
    body = request.stream()
    end = asyncio.get_running_loop().time() + seconds
    while True:
        try:
            async with asyncio.timeout_at(end):
                chunk = await anext(body, None)
        except TimeoutError:
            raise Refusal(
                "too_slow_upload",
                f"Expected the whole request within {seconds:g} seconds. Received {received} bytes. Send it again.",
            ) from None
        except ClientDisconnect:
            raise Gone from None
        if chunk is None:
            return
        received += len(chunk)
        if received > most + FRAMING:
            raise too_large(most)
        hold(received)
        yield chunk


async def unless_gone(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which is cancelled if the client hangs up first: nobody would hear the answer.

    Returns only when `work` has ended. What a photo holds of the service's memory is given back by the caller, and must
    not be while a thread still works on that photo.

    Parameters
    ----------
    request : Request
        Whose body was read.
    work : coroutine

    Raises
    ------
    Gone
        If the client hangs up.
    """
    task = asyncio.create_task(work)
    watch = asyncio.create_task(_hang_up(request))
    try:
        await asyncio.wait({task, watch}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise Gone
        return task.result()
    finally:
        watch.cancel()
        task.cancel()
        await _ended(task)


async def _ended(task: asyncio.Task[Any]) -> None:
    """Wait until a task has ended, even if whoever waits is cancelled meanwhile."""
    is_cancelled = False
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            is_cancelled = True
    if is_cancelled:
        raise asyncio.CancelledError


async def in_thread(pool: Executor, function: Callable[..., T], *args: Any) -> T:
    """Run a function in a pool's thread; if this is cancelled, wait until the thread has left the function.

    A thread cannot be stopped. Who went on at once would give back memory that the thread still uses.

    Parameters
    ----------
    pool : Executor
    function : callable
    *args
        Its arguments.
    """
    running = pool.submit(function, *args)
    done = asyncio.wrap_future(running)
    try:
        return await asyncio.shield(done)
    except asyncio.CancelledError:
        if not running.cancel():  # it has begun
            await asyncio.wait({done})
        raise


async def _hang_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        continue


def refuse_announced(request: Request, most: int) -> None:
    """Refuse a body whose announced length is too large: nothing of it is read."""
    if announced(request) > most + FRAMING:
        raise too_large(most)


def announced(request: Request) -> int:
    """The body's length as the client says it, 0 if it does not."""
    length = request.headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() else 0


def too_large(most: int) -> Refusal:
    """The refusal of a file that is too large."""
    return Refusal(
        "too_many_bytes",
        f"Expected a file of at most {most / MEGA:g} MB. Received more. Send a smaller one.",
    )
