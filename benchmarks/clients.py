"""Clients that keep a service busy, and a look at the memory of its processes.

As lean as possible, since service and clients share the machine and a client's work slows the service. Requests are
bytes made beforehand; answers are read and not looked at until the load is over.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

NO_ANSWER = 0
CONTINUE = 100


@dataclass
class Shot:
    """One request.

    Attributes
    ----------
    photo : int
        Which of the photos was sent.
    started : float
        Of `time.monotonic`.
    status : int
        Of the answer; `NO_ANSWER` if there was none.
    accepted : bool
        The service had asked for the photo: it must be answered now.
    seconds : float
        From the first byte sent to the last received.
    headers, body : bytes
        Of the answer, if bodies are kept.
    error : str
        Why there is no answer.
    """

    photo: int
    started: float
    status: int = NO_ANSWER
    accepted: bool = False
    seconds: float = 0.0
    headers: bytes = b""
    body: bytes = b""
    error: str = ""


@dataclass
class Clients:
    """Several clients, each of which sends its next photo when it has the last one's answer.

    Attributes
    ----------
    port : int
        Of the service on this machine.
    photos : sequence of bytes
        Sent in turn.
    query : str
        Options, such as ``?format=png``.
    ask_first : bool
        Send the photo only when the service asks for it (``Expect: 100-continue``): then it is known to be accepted.
    keep_bodies : bool
        Keep answers to look at them later.
    """

    port: int
    photos: Sequence[bytes]
    query: str = ""
    ask_first: bool = False
    keep_bodies: bool = False
    shots: list[Shot] = field(default_factory=list)
    patience: float = 60.0
    pause: float = 0.05  # seconds, after a refusal or a lost connection

    async def run(self, count: int, go_on: Callable[[int], bool]) -> list[Shot]:
        """Let `count` clients shoot as long as `go_on(shots so far)`, and wait for the last answers."""
        async with asyncio.TaskGroup() as group:
            for _ in range(count):
                group.create_task(self._client(go_on))
        return self.shots

    async def _client(self, go_on: Callable[[int], bool]) -> None:
        connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        while go_on(len(self.shots)):
            shot = Shot(len(self.shots) % len(self.photos), time.monotonic())
            self.shots.append(shot)
            try:
                if connection is None:
                    connection = await asyncio.open_connection("127.0.0.1", self.port)
                async with asyncio.timeout(self.patience):
                    stays = await self._shoot(shot, *connection)
            except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
                shot.error, stays = repr(error), False
            shot.seconds = time.monotonic() - shot.started
            if connection is not None and not stays:
                connection[1].close()
                connection = None
            if shot.status != 200:
                await asyncio.sleep(self.pause)
        if connection is not None:
            connection[1].close()

    async def _shoot(self, shot: Shot, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its answer; whether the connection can be used again."""
        photo = self.photos[shot.photo]
        expect = "Expect: 100-continue\r\n" if self.ask_first else ""
        head = (
            f"POST /colorize{self.query} HTTP/1.1\r\nHost: tintype\r\n{expect}"
            f"Content-Type: image/jpeg\r\nContent-Length: {len(photo)}\r\n\r\n"
        )
        if self.ask_first:
            writer.write(head.encode())
            status, headers = await _head(reader)
            if status == CONTINUE:
                shot.accepted = True
                writer.write(photo)
                status, headers = await _head(reader)
        else:
            writer.write(head.encode() + photo)
            status, headers = await _head(reader)
        body = await _body(reader, headers)
        shot.status = status
        if self.keep_bodies:
            shot.headers, shot.body = headers, body
        return b"connection: close" not in headers


async def _head(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    return int(head.split(b" ", 2)[1]), head


async def _body(reader: asyncio.StreamReader, headers: bytes) -> bytes:
    """The body, of the length in the headers or in chunks."""
    for line in headers.split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return await reader.readexactly(int(line.partition(b":")[2]))
    body = b""
    while size := int(await reader.readline(), 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return body


def tree(root: int) -> list[int]:
    """A process and all below it."""
    found = [root]
    for process in found:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{process}/task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
    return found


def megabytes(root: int, kind: str = "Pss") -> float:
    """Memory of a process and all below it; Pss counts what is shared once, Rss in each of them."""
    total = 0
    for process in tree(root):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
                if line.startswith(f"{kind}:"):
                    total += int(line.split()[1])
    return total / 1024


@contextlib.asynccontextmanager
async def sampled(root: int, every: float, into: list[tuple[float, float]]) -> AsyncIterator[None]:
    """Look at the memory again and again: (seconds since the start, megabytes)."""
    start = time.monotonic()

    async def look() -> None:
        while True:
            into.append((time.monotonic() - start, await asyncio.to_thread(megabytes, root)))
            await asyncio.sleep(every)

    task = asyncio.create_task(look())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
