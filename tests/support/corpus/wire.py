"""HTTP as bytes on the wire: what no client library would let one send."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

BOUNDARY = "corpus-boundary"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
Parts = Iterable[bytes]


@dataclass(frozen=True)
class Answer:
    """What came back; headers in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


def send(host: str, port: int, parts: Parts, *, wait: bool = True, seconds: float = 30) -> Answer | None:
    """Send the parts over a connection of their own.

    Returns
    -------
    Answer or None
        None if the client does not `wait`, or the server hangs up without a word.

    Raises
    ------
    TimeoutError
        If no answer comes for that many `seconds`.
    """
    method = "POST"
    with socket.create_connection((host, port), timeout=seconds) as connection:
        try:
            for part in parts:
                method = "HEAD" if part.startswith(b"HEAD ") else method  # its answer has no body
                connection.sendall(part)
        except ConnectionError:
            pass  # the server has heard enough: its answer is there to be read
        if not wait:
            return None
        response = http.client.HTTPResponse(connection, method=method)
        try:
            response.begin()
            body = response.read()
        except (ConnectionError, http.client.HTTPException):
            return None
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, body)


def head(headers: Sequence[str] = (), method: str = "POST", target: str = "/colorize") -> bytes:
    """The head of a request; a line break in a header is the caller's wish."""
    return "\r\n".join(
        [f"{method} {target} HTTP/1.1", "Host: tintype", "Connection: close", *headers, "", ""]
    ).encode("utf-8", "surrogateescape")


def whole(
    body: bytes, content_type: str | None, *, target: str = "/colorize", method: str = "POST"
) -> list[bytes]:
    """A request with its length said."""
    kind = [] if content_type is None else [f"Content-Type: {content_type}"]
    return [head([*kind, f"Content-Length: {len(body)}"], method, target), body]


def part(
    content: bytes,
    disposition: str = 'form-data; name="photo"; filename="photo.jpg"',
    content_type: str | None = "image/jpeg",
) -> bytes:
    """One part of a form, with its opening boundary."""
    kind = "" if content_type is None else f"Content-Type: {content_type}\r\n"
    start = f"--{BOUNDARY}\r\nContent-Disposition: {disposition}\r\n{kind}\r\n"
    return start.encode("utf-8", "surrogateescape") + content + b"\r\n"


def closed(*parts: bytes) -> bytes:
    """A form of these parts."""
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def form(*parts: bytes, content_type: str = MULTIPART, target: str = "/colorize") -> list[bytes]:
    return whole(closed(*parts), content_type, target=target)


def value(name: str, content: str) -> bytes:
    """A field that is not a file."""
    return part(content.encode(), f'form-data; name="{name}"', None)


def in_chunks(content: bytes, size: int, headers: Sequence[str] = ()) -> Iterator[bytes]:
    """A chunked request."""
    yield head([*headers, "Transfer-Encoding: chunked"])
    for at in range(0, len(content), size):
        piece = content[at : at + size]
        yield f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
    yield b"0\r\n\r\n"
