"""The routes, and how a photo is answered."""

from __future__ import annotations

import hmac
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from tintype.engine.memory_budget import Lease
from tintype.engine.photo_job import is_out_of_memory
from tintype.imaging.limits import MEGA, PhotoError
from tintype.imaging.provenance import Lineage
from tintype.pages.render import render
from tintype.serving.http.answer import PhotoAnswer
from tintype.serving.http.connections import DrainRequestBody, unless_gone
from tintype.serving.http.contract import openapi
from tintype.serving.http.errors import ClientGone, Refusal, refusal_of
from tintype.serving.http.upload import Upload, announced, read_upload, refuse_announced
from tintype.serving.model.follow import Follower
from tintype.serving.photo_pipeline import ColouredContent, PhotoPipeline
from tintype.serving.settings import Settings
from tintype.serving.worker import WorkerState

_BEARER = "bearer "
PAGE = Path(__file__).parents[1] / "page"
ROUTES = frozenset(
    {
        "/",
        "/colorize",
        "/model_info",
        "/livez",
        "/healthz",
        "/readyz",
        "/metrics",
        "/docs",
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


def build_app(worker: WorkerState) -> Starlette:
    """The service's own application.

    Parameters
    ----------
    worker : WorkerState
        What its routes share.
    """
    routes = _Routes(worker)
    middleware = [Middleware(DrainRequestBody)]
    if worker.settings.cors_origins:
        middleware.append(
            Middleware(
                CORSMiddleware,
                allow_origins=worker.settings.cors_origins,
                allow_methods=["GET", "POST"],
                allow_headers=["Authorization", "Content-Type", "X-Api-Key"],
                expose_headers=EXPOSED,
            )
        )
    app = Starlette(
        routes=[
            Route("/", routes.page),
            Mount("/static", _PageFiles(directory=PAGE)),
            Route("/colorize", routes.colorize, methods=["POST"]),
            Route("/model_info", routes.model_info),
            Route("/livez", routes.livez),
            Route("/healthz", routes.livez),
            Route("/readyz", routes.readyz),
            Route("/metrics", routes.metrics),
            Route("/docs", routes.docs_page),
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
    def __init__(self, worker: WorkerState) -> None:
        self._worker = worker
        self.colorize = _Colorize(worker)

    async def page(self, request: Request) -> Response:
        return FileResponse(PAGE / "index.html", headers={"Cache-Control": "no-cache"})

    async def model_info(self, request: Request) -> Response:
        worker = self._worker
        worker.check_ready()
        with worker.model.use() as pipeline:
            return JSONResponse(_model_info(pipeline, worker.settings, worker.follower))

    async def livez(self, request: Request) -> Response:
        return PlainTextResponse("alive\n")

    async def readyz(self, request: Request) -> Response:
        self._worker.check_ready()
        return PlainTextResponse("ready\n")

    async def metrics(self, request: Request) -> Response:
        _check_key(request, self._worker.settings.api_key)
        content, media_type = await run_in_threadpool(self._worker.metrics.exposition)
        return Response(content, headers={"Content-Type": media_type})

    async def docs(self, request: Request) -> Response:
        return JSONResponse(openapi(self._worker.settings))

    async def docs_page(self, request: Request) -> Response:
        settings = self._worker.settings
        page = render(
            Path(__file__).with_name("docs.html.j2"),
            document=openapi(settings),
            address=str(request.base_url).rstrip("/"),
            keyed=settings.api_key is not None,
        )
        return HTMLResponse(page, headers={"Cache-Control": "no-cache"})


class _Colorize:
    """POST /colorize, an ASGI application: what a photo holds is given back only when its answer was sent."""

    def __init__(self, worker: WorkerState) -> None:
        self._worker = worker

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        outcome = "error"
        try:
            await self._answer(Request(scope, receive), send)
            outcome = "ok"
        except Refusal as refusal:
            outcome = refusal.code
            raise
        except ClientGone:
            outcome = "gone"
            raise
        finally:
            self._worker.metrics.outcomes.labels(outcome).inc()

    async def _answer(self, request: Request, send: Send) -> None:
        worker, settings = self._worker, self._worker.settings
        _check_key(request, settings.api_key)
        limits = settings.limits
        refuse_announced(request, limits.bytes)
        worker.check_ready()
        async with AsyncExitStack() as stack:
            slot = worker.capacity.enter(announced(request))
            stack.callback(slot.leave)
            upload = await read_upload(request, limits.bytes, settings.read_seconds, slot.hold)
            worker.metrics.file_megabytes.observe(len(upload.content) / MEGA)
            lease = await unless_gone(
                request, stack.enter_async_context(worker.capacity.pixel_lease(limits.pixels))
            )
            coloured, lineage = await self._colour(request, upload, lease)
            slot.leave()  # the lease is kept, for the answer takes memory until it is sent
            answer = PhotoAnswer(coloured, lineage, upload.file_name, settings.send_seconds)
            await answer(request.scope, request.receive, send)

    async def _colour(
        self, request: Request, upload: Upload, lease: Lease
    ) -> tuple[ColouredContent, Lineage]:
        """A photo and the version that coloured it, which is no longer in use when the answer is sent."""
        with self._worker.model.use() as pipeline:
            colour = pipeline.colour(upload.content, upload.options, lease)
            try:
                return await unless_gone(request, colour), pipeline.lineage
            except PhotoError as error:
                raise refusal_of(error) from None
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                raise Refusal(
                    "too_much_memory",
                    "Expected a photo that fits into this service's memory. Received a larger one. Send it smaller.",
                ) from None


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
        refusal = Refusal("not_found", "Expected one of this service's paths; they are listed in /docs.")
    else:
        refusal = Refusal("bad_request", str(error.detail), error.headers)
    return refusal.response()


class _PageFiles(StaticFiles):
    """Static files that browsers keep but ask after, so that page and scripts always fit each other."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """One file."""
        if "\0" in path:
            raise HTTPException(404)
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


def _check_key(request: Request, key: SecretStr | None) -> None:
    """Refuse a request without the right key, if one is set."""
    if key is None:
        return
    # Bytes, because compare_digest takes no other text than ASCII; it takes as long for any wrong key.
    expected = key.get_secret_value().encode()
    if not hmac.compare_digest(_given_key(request).encode("latin-1"), expected):
        raise Refusal(
            "unauthorized",
            "Expected this service's key as 'Authorization: Bearer KEY' or 'X-Api-Key: KEY'. Received none or another.",
            {"WWW-Authenticate": "Bearer"},
        )


def _given_key(request: Request) -> str:
    authorization = request.headers.get("authorization", "")
    if authorization.lower().startswith(_BEARER):
        return authorization[len(_BEARER) :].strip()
    return request.headers.get("x-api-key", "")


def _model_info(pipeline: PhotoPipeline, settings: Settings, follower: Follower | None) -> dict[str, Any]:
    """Which model this is, what it was made from, and the limits, ready for JSON."""
    info, limits = pipeline.colorizer.info, settings.limits
    return {
        **asdict(pipeline.lineage),
        "version": pipeline.lineage.version or "unregistered",
        "backend": pipeline.colorizer.backend,
        "ir": pipeline.colorizer.uses_ir,
        "network": {**info.network.model_dump(), "size": info.size, "backbone": info.backbone.name},
        "trained": info.trained.model_dump(),
        "preset": info.preset,
        "limits": {"bytes": limits.bytes, "pixels": limits.pixels, "queue": settings.queue},
        "key_needed": settings.api_key is not None,
        "following": None if follower is None else _following(settings.follow, follower),
    }


def _following(address: str, follower: Follower) -> dict[str, str]:
    """What is followed and how far: `error` says why another version answers than the one wanted."""
    return {"alias": address, "wanted": follower.wanted, "served": follower.served, "error": follower.error}
