"""The gateway: every request passes here first, before BentoML's own routes, and every answer last.

It belongs before them because BentoML's parsing of uploads answers strange ones with 500 and fetches addresses.
"""

from __future__ import annotations

import logging
import time
import uuid

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tintype.serving.http.errors import ClientGone, Refusal
from tintype.serving.metrics import Metrics

BENTOML_ROUTES = frozenset({"/schema.json"})  # what is left to BentoML: its client reads this one
# Of every answer.
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; font-src 'self'; "
        "connect-src 'self' blob:; manifest-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
_RAW_HEADERS = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
_log = logging.getLogger("bentoml.tintype")


class Gateway:
    """ASGI middleware.

    Parameters
    ----------
    app : ASGIApp
        BentoML's own.
    site : ASGIApp
        Ours, which answers all but `BENTOML_ROUTES`.
    routes : frozenset of str
        Paths that exist; what else is asked for is counted as one.
    """

    def __init__(self, app: ASGIApp, site: ASGIApp, routes: frozenset[str], metrics: Metrics) -> None:
        self._app = app
        self._site = site
        self._routes = routes
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})  # there are none here

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        start, status = time.perf_counter(), 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message.get("headers", ()), *_RAW_HEADERS]}
            await send(message)

        app = self._app if scope["path"] in BENTOML_ROUTES else self._site
        try:
            await app(scope, receive, noting)
        except ClientGone:
            _log.info("A client hung up before its answer was sent.")
        except Exception:  # nothing may get out unanswered; logged in full, told by its number only
            number = uuid.uuid4().hex[:12]
            _log.exception("Error %s on %s %s", number, scope["method"], ascii(scope["path"]))
            if status:
                raise  # half an answer cannot be taken back: the server cuts the connection
            await _internal_error(number).response()(scope, receive, noting)
        finally:
            self._count(scope["path"], status, time.perf_counter() - start)

    def _count(self, path: str, status: int, seconds: float) -> None:
        route = path if path in self._routes else "/static" if path.startswith("/static/") else "other"
        self._metrics.requests.labels(route, str(status or "gone")).inc()
        self._metrics.seconds.labels(route).observe(seconds)


def _internal_error(number: str) -> Refusal:
    return Refusal(
        "internal_error",
        f"Something went wrong that should not have. It is in the service's log as error {number}.",
    )
