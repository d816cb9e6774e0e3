"""The routes, and how a photo is answered."""

from __future__ import annotations

from contextlib import AsyncExitStack

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from tintype.imaging.limits import MEGA
from tintype.imaging.provenance import Lineage
from tintype.serving.admission import Room
from tintype.serving.answer import PhotoAnswer
from tintype.serving.auth import check_key
from tintype.serving.body import announced, refuse_announced, unless_gone
from tintype.serving.linger import Linger
from tintype.serving.model_info import model_info
from tintype.serving.openapi import openapi
from tintype.serving.pages import PAGE, PageFiles
from tintype.serving.painter import Painted
from tintype.serving.responses import Gone, Refusal
from tintype.serving.studio import Studio
from tintype.serving.uploads import Upload, read_upload

ROUTES = frozenset(
    {
        "/",
        "/colorize",
        "/model_info",
        "/livez",
        "/healthz",
        "/readyz",
        "/metrics",
        "/docs.json",
        "/schema.json",
    }
)
EXPOSED = (
    "Content-Disposition",
    "Retry-After",
    "X-Tintype-Bundle",
    "X-Tintype-Model",
    "X-Tintype-Notes",
    "X-Tintype-Receipt",
    "X-Tintype-Run",
)


def build_app(studio: Studio) -> Starlette:
    """The service's own application.

    Parameters
    ----------
    studio : Studio
        What its routes share.
    """
    routes = _Routes(studio)
    middleware = [Middleware(Linger)]
    if studio.settings.cors_origins:
        middleware.append(
            Middleware(
                CORSMiddleware,
                allow_origins=studio.settings.cors_origins,
                allow_methods=["GET", "POST"],
                allow_headers=["Authorization", "Content-Type", "X-Api-Key"],
                expose_headers=EXPOSED,
            )
        )
    app = Starlette(
        routes=[
            Route("/", routes.page),
            Mount("/static", PageFiles(directory=PAGE)),
            Route("/colorize", routes.colorize, methods=["POST"]),
            Route("/model_info", routes.model_info),
            Route("/livez", routes.livez),
            Route("/healthz", routes.livez),
            Route("/readyz", routes.readyz),
            Route("/metrics", routes.metrics),
            Route("/docs.json", routes.docs),
        ],
        middleware=middleware,
        exception_handlers={Refusal: _refused, HTTPException: _not_there},
    )
    app.router.redirect_slashes = (
        False  # /colorize/ is another path: a redirect would have a photo sent twice
    )
    return app


class _Routes:
    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self.colorize = _Colorize(studio)

    async def page(self, request: Request) -> Response:
        return FileResponse(PAGE / "index.html", headers={"Cache-Control": "no-cache"})

    async def model_info(self, request: Request) -> Response:
        studio = self._studio
        studio.check_ready()
        with studio.shift.take() as painter:
            return JSONResponse(model_info(painter, studio.settings, studio.follower))

    async def livez(self, request: Request) -> Response:
        return PlainTextResponse("alive\n")

    async def readyz(self, request: Request) -> Response:
        self._studio.check_ready()
        return PlainTextResponse("ready\n")

    async def metrics(self, request: Request) -> Response:
        check_key(request, self._studio.settings.api_key)
        content, media_type = await run_in_threadpool(self._studio.metrics.exposition)
        return Response(content, headers={"Content-Type": media_type})

    async def docs(self, request: Request) -> Response:
        return JSONResponse(openapi(self._studio.settings))


class _Colorize:
    """POST /colorize, an ASGI application: what a photo holds is given back only when its answer was sent."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        outcome = "error"
        try:
            await self._answer(Request(scope, receive), send)
            outcome = "ok"
        except Refusal as refusal:
            outcome = refusal.code
            raise
        except Gone:
            outcome = "gone"
            raise
        finally:
            self._studio.metrics.outcomes.labels(outcome).inc()

    async def _answer(self, request: Request, send: Send) -> None:
        studio, settings = self._studio, self._studio.settings
        check_key(request, settings.api_key)
        limits = settings.limits
        refuse_announced(request, limits.bytes)
        studio.check_ready()
        async with AsyncExitStack() as stack:
            place = studio.house.enter(announced(request))
            stack.callback(place.leave)
            upload = await read_upload(request, limits.bytes, settings.read_seconds, place.hold)
            studio.metrics.file_megabytes.observe(len(upload.content) / MEGA)
            room = await unless_gone(request, stack.enter_async_context(studio.house.room(limits.pixels)))
            painted, lineage = await self._paint(request, upload, room)
            place.leave()  # its pixels' room is kept, for the answer takes memory until it is sent
            answer = PhotoAnswer(painted, lineage, upload.file_name, settings.send_seconds)
            await answer(request.scope, request.receive, send)

    async def _paint(self, request: Request, upload: Upload, room: Room) -> tuple[Painted, Lineage]:
        """A photo and the version that painted it; the painter is free again before the answer is sent."""
        with self._studio.shift.take() as painter:
            return await unless_gone(request, painter.paint(upload, room)), painter.lineage


async def _refused(request: Request, error: Exception) -> Response:
    if not isinstance(error, Refusal):
        raise error
    return error.response()


async def _not_there(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "GET")
        refusal = Refusal(
            "method_not_allowed", f"Expected {allowed}. Received: {request.method}.", error.headers
        )
    elif error.status_code == 404:
        refusal = Refusal("not_found", "Expected one of this service's paths; they are listed in /docs.json.")
    else:
        refusal = Refusal("bad_request", str(error.detail), error.headers)
    return refusal.response()
