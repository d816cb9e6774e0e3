"""The service as BentoML starts it: ``bentoml serve tintype.serving.service:Tintype``.

BentoML gives processes, sockets, packaging and its client. Requests are answered by our own application
(`tintype.serving.app`) at the front door, before BentoML's routes. Importing this reads the settings and loads
nothing.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

import bentoml
from bentoml.models import BentoModel
from bentoml.validators import ContentType
from pydantic import BaseModel
from starlette.types import ASGIApp

from tintype.errors import TintypeError
from tintype.serving.app import ROUTES, build_app
from tintype.serving.front import FrontDoor
from tintype.serving.loading import find_model
from tintype.serving.log import keep_lines_whole
from tintype.serving.monitor.day_writer import check_folder
from tintype.serving.settings import Settings, read_settings
from tintype.serving.studio import Studio
from tintype.serving.telemetry import send_none

# Seconds for a photo in the house, the longest queue before it included. Each step has a clock of its own; BentoML's,
# which cannot be switched off, answers 504 and keeps a timer for each request until it is over.
_WORK_SECONDS = 300.0

send_none()


class Arguments(BaseModel):
    """What ``--arg NAME=VALUE`` gives to `bentoml serve` and `bentoml build`."""

    model_tag: str = ""  # of the model in BentoML's store; else TINTYPE_MODEL


def _stop(error: TintypeError) -> NoReturn:
    """End the process with a sentence instead of a traceback."""
    sys.stderr.write(f"{error}\n")
    raise SystemExit(2)


def _settings() -> Settings:
    tag = bentoml.use_arguments(Arguments).model_tag
    try:
        settings = read_settings(os.environ)
    except TintypeError as error:
        _stop(error)
    return settings.model_copy(update={"model": tag}) if tag else settings


SETTINGS = _settings()


@cache
def studio() -> Studio:
    """What the requests to this worker process share."""
    return Studio(SETTINGS)


@bentoml.service(
    name="tintype",
    workers=SETTINGS.workers,
    traffic={"timeout": SETTINGS.read_seconds + _WORK_SECONDS},
    metrics={"enabled": False},  # ours, see tintype.serving.metrics
)
class Tintype:
    """Photo in, coloured photo out."""

    if SETTINGS.model and SETTINGS.bundle is None:
        model = BentoModel(SETTINGS.model)  # here, or a built Bento would not hold it

    def __init__(self) -> None:
        keep_lines_whole()
        studio().open()

    @bentoml.on_deployment
    def check() -> None:  # BentoML calls it without an instance, once before the workers start
        """Tell at the start, in a sentence, that there is nothing to serve, or nowhere to write."""
        try:
            if SETTINGS.monitor_dir is not None:
                check_folder(SETTINGS.monitor_dir)
            find_model(SETTINGS)
        except TintypeError as error:
            _stop(error)

    @bentoml.on_shutdown
    def close(self) -> None:
        """Finish what is under way; BentoML calls it when all requests were answered."""
        studio().close()

    async def __is_ready__(self) -> bool:
        return studio().is_ready

    @bentoml.api(route="/colorize")
    async def colorize(
        self,
        photo: Path,
        saturation: float = 1.0,
        format: Literal["jpeg", "png", "tiff", "webp"] | None = None,
        metadata: Literal["strip", "no-gps", "keep"] = "strip",
    ) -> Annotated[Path, ContentType("image/*")]:
        """Colour a photo. This is the schema for BentoML's client; the front door answers."""
        raise RuntimeError(
            "Expected the front door to answer POST /colorize. Received the request behind it."
        )


def _front_door(app: ASGIApp) -> FrontDoor:
    return FrontDoor(app, build_app(studio()), ROUTES, studio().metrics)


_service: Any = Tintype  # what the decorator made of it has no types
_service.add_asgi_middleware(_front_door)
