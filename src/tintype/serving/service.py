"""The service as BentoML starts it: ``bentoml serve tintype.serving.service:Tintype``.

BentoML gives processes, sockets, packaging and its client. Requests are answered by our own application
(`tintype.serving.http.app`) at the gateway, before BentoML's routes. Importing this reads the settings and loads
nothing.
"""

from __future__ import annotations

import logging
import os
import sys
from functools import cache
from pathlib import Path
from typing import Annotated, Any, NoReturn

import bentoml
from bentoml.models import BentoModel
from bentoml.validators import ContentType
from pydantic import BaseModel
from starlette.types import ASGIApp

from tintype.errors import TintypeError
from tintype.serving.http.app import ROUTES, build_app
from tintype.serving.http.contract import signature_with_options
from tintype.serving.http.gateway import Gateway
from tintype.serving.model.store import find_model
from tintype.serving.monitor.day_writer import check_folder
from tintype.serving.settings import Settings, read_settings
from tintype.serving.worker import WorkerState

# Seconds for a photo inside the service, the longest queue before it included. Each step has a clock of its own;
# BentoML's, which cannot be switched off, answers 504 and keeps a timer for each request until it is over.
_WORK_SECONDS = 300.0


def _send_no_telemetry() -> None:
    """Switch off the reports of its use that BentoML sends at every start, every 12 hours and at the end.

    Its command asks once, before it imports the service, and keeps the answer: make it ask again.
    """
    from bentoml._internal.utils.analytics import usage_stats

    os.environ["BENTOML_DO_NOT_TRACK"] = "True"  # for the workers too
    usage_stats.do_not_track.cache_clear()


class _OneLine(logging.Filter):
    """Paths come from clients and are logged as they are: a line break in one would forge a line of the log."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = ascii(record.getMessage())[1:-1], None
        return True


def _keep_log_lines_whole() -> None:
    """Let each request have one line in the access log, whatever it asked for. Queries are not logged at all."""
    logger = logging.getLogger("bentoml.access")
    if not any(isinstance(known, _OneLine) for known in logger.filters):
        logger.addFilter(_OneLine())


_send_no_telemetry()


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
def worker() -> WorkerState:
    """What the requests to this worker process share."""
    return WorkerState(SETTINGS)


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
        _keep_log_lines_whole()
        worker().open()

    @bentoml.on_deployment
    def check() -> None:  # BentoML calls it without an instance, once before the workers start
        """Say at the start, in a sentence, if there is nothing to serve or nowhere to write."""
        try:
            if SETTINGS.monitor_dir is not None:
                check_folder(SETTINGS.monitor_dir)
            find_model(SETTINGS)
        except TintypeError as error:
            _stop(error)

    @bentoml.on_shutdown
    def close(self) -> None:
        """Finish what is under way; BentoML calls it when all requests were answered."""
        worker().close()

    async def __is_ready__(self) -> bool:
        return worker().is_ready

    @bentoml.api(route="/colorize")
    @signature_with_options
    async def colorize(self, photo: Path, **options: Any) -> Annotated[Path, ContentType("image/*")]:
        """Colour a photo. This is the schema for BentoML's client; the gateway answers."""
        raise RuntimeError("Expected the gateway to answer POST /colorize. Received the request behind it.")


def _gateway(app: ASGIApp) -> Gateway:
    return Gateway(app, build_app(worker()), ROUTES, worker().metrics)


_service: Any = Tintype  # what the decorator made of it has no types
_service.add_asgi_middleware(_gateway)
