"""Answering before a request's body was read, so that the client hears it.

A server that answers and closes while the client still sends makes the network throw the answer away: the client
sees a broken connection instead of "too large". So the rest is read and dropped for a while, and only then is the
connection closed.
"""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECONDS = 5.0  # in all
_IDLE = 1.0  # seconds without a byte: the client heard, or waits itself


class Linger:
    """ASGI middleware.

    Parameters
    ----------
    app : ASGIApp
        May answer at any time.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and linger if it was answered early."""
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
            await self._drop()
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _drop(self) -> None:
        try:
            async with asyncio.timeout(SECONDS):
                while not self._read:
                    async with asyncio.timeout(_IDLE):
                        await self.receive()
        except TimeoutError:
            return


def _has_body(scope: Scope) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip() != b"0")
        for name, value in scope["headers"]
    )
