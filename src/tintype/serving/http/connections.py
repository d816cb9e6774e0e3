"""Connections that end in unusual ways: the client hangs up, is answered early, or the server is told to stop."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Coroutine
from types import FrameType
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tintype.serving.http.errors import ClientGone

T = TypeVar("T")
_DRAIN_SECONDS = 5.0  # in all
_IDLE_SECONDS = 1.0  # without a byte: the client heard, or waits itself


async def unless_gone(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which is cancelled if the client hangs up first.

    Returns only when `work` has ended. What a photo holds of the service's memory is given back by the caller, and must
    not be while a thread still works on that photo.

    Parameters
    ----------
    request : Request
        Whose body was read.

    Raises
    ------
    ClientGone
        If the client hangs up.
    """
    task = asyncio.create_task(work)
    watch = asyncio.create_task(_hang_up(request))
    try:
        await asyncio.wait({task, watch}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientGone
        return task.result()
    finally:
        watch.cancel()
        task.cancel()
        await _ended(task)


async def _ended(task: asyncio.Task[Any]) -> None:
    """Wait until a task has ended, even if the one that waits is cancelled meanwhile."""
    is_cancelled = False
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            is_cancelled = True
    if is_cancelled:
        raise asyncio.CancelledError


async def _hang_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        continue


def on_stop(notice: Callable[[], None], seconds: float) -> None:
    """Handle SIGTERM and SIGINT before the server does, and set it a deadline.

    On these signals the server accepts nothing more, answers the requests that it has and ends. A client that takes its
    answer forever must not hold that up, so after a while the process ends anyway.

    Parameters
    ----------
    notice : callable
        Called at once.
    seconds : float
        Until the process ends whatever is under way.
    """
    if threading.current_thread() is not threading.main_thread():
        return  # signals are the main thread's; a server in another thread is stopped by the code that started it
    for number in (signal.SIGTERM, signal.SIGINT):
        _before(number, notice, seconds)


def _before(number: signal.Signals, notice: Callable[[], None], seconds: float) -> None:
    then = signal.getsignal(number)

    def handle(received: int, frame: FrameType | None) -> None:
        notice()
        deadline = threading.Timer(seconds, os._exit, [1])
        deadline.daemon = True
        deadline.start()
        if callable(then):
            then(received, frame)

    signal.signal(number, handle)


class DrainRequestBody:
    """ASGI middleware that reads and drops the rest of a request which was answered before its body was read.

    A server that answers and closes while the client still sends makes the network throw the answer away: the client
    sees a broken connection instead of "too large". So the connection is closed only when the client has stopped
    sending, or after some seconds.

    Parameters
    ----------
    app : ASGIApp
        May answer at any time.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and drain its body if it was answered early."""
        if scope["type"] == "http" and _has_body(scope):
            exchange = _Exchange(receive, send)
            await self._app(scope, exchange.receive, exchange.send)
        else:
            await self._app(scope, receive, send)


class _Exchange:
    """One request and its answer."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._read = False  # to its end, or the client hung up

    async def receive(self) -> Message:
        message = await self._receive()
        self._read = self._read or message["type"] != "http.request" or not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        if self._read:
            await self._send(message)
        elif message["type"] == "http.response.start":
            await self._send({**message, "headers": [*message["headers"], (b"connection", b"close")]})
        elif message.get("more_body", False):
            await self._send(message)
        else:
            await self._send({**message, "more_body": True})  # all there is, but not yet its end
            await self._drain()
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _drain(self) -> None:
        try:
            async with asyncio.timeout(_DRAIN_SECONDS):
                while not self._read:
                    async with asyncio.timeout(_IDLE_SECONDS):
                        await self.receive()
        except TimeoutError:
            return


def _has_body(scope: Scope) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip() != b"0")
        for name, value in scope["headers"]
    )
