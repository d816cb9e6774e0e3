"""`tintype watch`: looks at the registry, once or until it is told to stop, and has each new champion deployed."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from tintype.cli.arguments import Variant
from tintype.cli.console import print_error
from tintype.cli.serve import needs_bentoml
from tintype.errors import TintypeError, UsageError, missing_package
from tintype.find_model import MODEL


def watch(
    every: Annotated[
        float,
        typer.Option("--every", metavar="SECONDS", min=0.1, help="Pause between two looks at the registry."),
    ] = 10.0,
    once: Annotated[bool, typer.Option("--once", help="Look once, do what is to be done, and end.")] = False,
    deploy: Annotated[
        str | None,
        typer.Option(
            "--deploy",
            metavar="COMMAND",
            help="What to run for each new champion's Bento, without a shell. {bento} and {version} are replaced; "
            "TINTYPE_BENTO and TINTYPE_VERSION have them too.",
            show_default="it is only packed",
        ),
    ] = None,
    deploy_timeout: Annotated[
        float,
        typer.Option("--deploy-timeout", metavar="SECONDS", min=1, help="How long the command may take."),
    ] = 600.0,
    log: Annotated[
        Path | None,
        typer.Option(
            "--log",
            metavar="FILE",
            help="A file for the output of the deploy command.",
            show_default="watch-deploy.log in ~/.local/state/tintype",
        ),
    ] = None,
    retry: Annotated[bool, typer.Option("--retry", help="Try again what failed the last time.")] = False,
    variant: Variant = "cpu",
) -> None:
    """Pack and deploy whichever version becomes the champion. Run it in the project's folder.

    What was done stands in the registry, as tags of the version: packaged, deployed_at, deploy_error. One promotion is
    packed and deployed once, however often this is started; what failed waits for --retry or another promotion.

    Exit code: 0 told to stop, or with --once all is done; 1 with --once: it could not be done; 2 wrong usage.
    """
    from importlib.util import find_spec

    stop = threading.Event()
    try:
        if find_spec("mlflow") is None:
            raise missing_package("Watching the registry", "mlflow", "pipeline")
        needs_bentoml()
        from tintype.cli.deployer import deployer_of_champion

        deployer = deployer_of_champion(variant, deploy, deploy_timeout, log, stop, waits=once)
    except TintypeError as error:
        raise UsageError(str(error)) from None
    with _stopping(stop):
        if once:
            raise typer.Exit(0 if deployer.look_once(retry) else 1)
        _repeat(deployer.look_once, every, retry, stop)


def _repeat(look_once: Callable[[bool], bool], every: float, retry: bool, stop: threading.Event) -> None:
    from tintype.cli.long_running import Outage

    print_error(f"Watching the champion of {MODEL}, every {every:g} s (Ctrl+C ends it) ...")
    outage = Outage(every)
    while not stop.is_set():
        try:
            look_once(retry)
        except TintypeError as error:
            pause = outage.failed(error)
        else:
            pause, retry = outage.over(), False
        stop.wait(pause)


@contextmanager
def _stopping(stop: threading.Event) -> Iterator[None]:
    """On the first SIGINT or SIGTERM what is under way is finished; the second ends it at once."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def handle(number: int, frame: FrameType | None) -> None:
        stop.set()
        for known, handler in before.items():
            signal.signal(known, handler)

    for number in before:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
