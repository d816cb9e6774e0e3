"""A door for MLflow's webhooks: `POST /` with the right signature wakes whoever waits for a promotion.

The standard library's server is enough: one small request now and then, none of its content is used, and the polling
goes on whatever happens here. Starlette and uvicorn come along with BentoML and MLflow, but an event loop in a thread
beside the watch would be more to go wrong than to gain. Size, time and number of requests are bounded.
"""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tintype.cli.console import print_error
from tintype.errors import TintypeError
from tintype.registry.webhook import DELIVERY, SIGNATURE, TIMESTAMP, WebhookError, check_signature

_MOST_BYTES = 64 * 1024
_SECONDS = 15.0  # for one request, from connecting on
_AT_ONCE = 16


@contextmanager
def listening(host: str, port: int, secret: str, notify: Callable[[], None]) -> Iterator[int]:
    """Listen for webhooks during a block.

    Parameters
    ----------
    host : str
    port : int
        0 takes any that is free.
    secret : str
        What the webhook was created with.
    notify : callable
        Called, from another thread, when a message with the right signature came.

    Yields
    ------
    int
        The port.

    Raises
    ------
    TintypeError
        If the port cannot be listened on.
    """
    handler = type("Handler", (_Handler,), {"secret": secret, "notify": staticmethod(notify)})
    try:
        server = _Server((host, port), handler)
    except OSError as error:
        raise TintypeError(
            f"Expected to listen on {host}, port {port}. Received: {error.strerror}. Give a free port with --listen."
        ) from None
    thread = threading.Thread(target=server.serve_forever, name="webhooks", daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 4 * _AT_ONCE

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._places = threading.BoundedSemaphore(_AT_ONCE)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread of its own, if there is a place."""
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, and give the place back."""
        # Whoever sends a byte a second is cut off: a socket's own timeout would start again with each.
        clock = threading.Timer(_SECONDS, _cut_off, [request])
        clock.daemon = True
        clock.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            clock.cancel()
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up, or was cut off, is no matter."""
        if not isinstance(sys.exception(), OSError | ValueError):  # ValueError: its file is closed
            super().handle_error(request, client_address)


def _cut_off(request: socket.socket) -> None:
    """End a connection, and with it the wait of the thread that reads from it."""
    with suppress(OSError):  # it ended by itself
        request.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    secret: str
    notify: Callable[[], None]
    server_version = "tintype"
    sys_version = ""
    timeout = _SECONDS

    def do_POST(self) -> None:
        """Take a message."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            self._answer(HTTPStatus.LENGTH_REQUIRED, "Expected a Content-Length.")
        elif int(length) > _MOST_BYTES:
            self._answer(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"Expected at most {_MOST_BYTES} bytes. Received: {length}.",
            )
        else:
            self._take(self.rfile.read(int(length)))

    def _take(self, body: bytes) -> None:
        try:
            given = {name: self.headers.get(name, "") for name in (SIGNATURE, TIMESTAMP, DELIVERY)}
            check_signature(self.secret, given, body, time.time())
        except WebhookError as error:
            print_error(f"note: A message from {self.client_address[0]} was refused. {error}")
            self._answer(HTTPStatus.UNAUTHORIZED, str(error))
            return
        self.notify()
        self._answer(HTTPStatus.OK, "Thank you: the registry is asked now.")

    def _answer(self, status: HTTPStatus, sentence: str) -> None:
        content = f"{sentence}\n".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = True

    def log_message(self, format: str, *arguments: Any) -> None:
        """No line a request."""
