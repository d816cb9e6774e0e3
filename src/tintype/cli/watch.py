"""`tintype watch`: packs and deploys whichever version becomes the champion, for as long as it runs."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from types import FrameType

from tintype.cli.console import print_error
from tintype.cli.deploying import SECRET, DeployCommand, deploy_command
from tintype.cli.outage import Outage
from tintype.cli.promoting import Promoter, lock_for
from tintype.cli.serve import needs_bentoml
from tintype.cli.state import state_folder
from tintype.cli.version import MODEL
from tintype.errors import TintypeError

_PACKING_SECONDS = 600.0  # that a single look waits for another watch, beside what a deployment may take
_SHORTEST_SECRET = 16
_SEEN_BY = "tintype watch"


@dataclass(frozen=True)
class Wishes:
    """What the command line says; see `tintype.cli.watch`'s options."""

    every: float
    once: bool
    retry: bool
    variant: str
    deploy: str | None
    deploy_seconds: float
    log: Path | None
    listen: str | None


def run(wishes: Wishes) -> int:
    """Watch until told to stop.

    Parameters
    ----------
    wishes : Wishes

    Returns
    -------
    int
        0 told to stop, or with `once` all is done; 1 with `once`: the champion is not packed or deployed, or the
        registry does not answer; 2 the command cannot be meant so.
    """
    wake, stop = threading.Event(), threading.Event()
    try:
        promoter = _promoter(wishes, stop)
        door = nullcontext() if wishes.listen is None else _Door.of(wishes.listen).open(wake)
        with _stopping(stop, wake):
            if wishes.once:
                return _once(promoter, wishes.retry)
            with door:
                _watch(promoter, wishes, wake, stop)
    except TintypeError as error:
        print_error(f"error: {error}")
        return 2
    return 0


def _promoter(wishes: Wishes, stop: threading.Event) -> Promoter:
    if find_spec("mlflow") is None:
        raise TintypeError("Watching the registry needs the package mlflow: run `uv sync --group pipeline`.")
    from tintype.registry.rollout import Rollouts
    from tintype.registry.store import find_store

    needs_bentoml()
    return Promoter(
        Rollouts(MODEL, _SEEN_BY),
        partial(_pack, wishes.variant),
        _deploy(wishes),
        lock_for(state_folder(), find_store().uri, MODEL),
        wishes.deploy_seconds + _PACKING_SECONDS if wishes.once else 0.0,
        stop.is_set,
    )


def _once(promoter: Promoter, retry: bool) -> int:
    try:
        return 0 if promoter.act(retry) else 1
    except TintypeError as error:
        print_error(f"error: {error}")
        return 1


def _watch(promoter: Promoter, wishes: Wishes, wake: threading.Event, stop: threading.Event) -> None:
    """Look, do, wait; a registry that does not answer is waited for."""
    print_error(f"Watching the champion of {MODEL}, every {wishes.every:g} s (Ctrl+C ends it) ...")
    outage, retry = Outage(wishes.every), wishes.retry
    while not stop.is_set():
        try:
            promoter.act(retry)
        except TintypeError as error:
            pause = outage.failed(error)
        else:
            pause, retry = outage.over(), False
        wake.wait(pause)
        wake.clear()


def _pack(variant: str, address: str) -> str:
    from tintype.cli.package import package_version

    return package_version(address, variant).tag


def _deploy(wishes: Wishes) -> DeployCommand | None:
    if wishes.deploy is None:
        return None
    return deploy_command(
        wishes.deploy, wishes.deploy_seconds, wishes.log or state_folder() / "watch-deploy.log"
    )


@dataclass(frozen=True)
class _Door:
    """Where webhooks come in."""

    host: str
    port: int
    secret: str

    @classmethod
    def of(cls, address: str) -> _Door:
        host, _, port = address.rpartition(":")
        if not port.isdecimal() or not 0 <= int(port) < 65536:
            raise TintypeError(f"Expected PORT or HOST:PORT after --listen. Received: {address}.")
        secret = os.environ.get(SECRET, "")
        if len(secret) < _SHORTEST_SECRET:
            raise TintypeError(
                f"Expected the webhook's secret in {SECRET}, of at least {_SHORTEST_SECRET} characters, since anybody "
                f"can send messages. Received: {len(secret)} characters."
            )
        return cls(host.strip("[]") or "127.0.0.1", int(port), secret)

    @contextmanager
    def open(self, wake: threading.Event) -> Iterator[None]:
        from tintype.cli.listening import listening

        with listening(self.host, self.port, self.secret, wake.set) as port:
            print_error(f"Listening for MLflow's webhooks at {self.host}, port {port}.")
            yield


@contextmanager
def _stopping(stop: threading.Event, wake: threading.Event) -> Iterator[None]:
    """On the first SIGINT or SIGTERM what is under way is finished; the second is not waited for."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def handle(number: int, frame: FrameType | None) -> None:
        stop.set()
        wake.set()
        for known, handler in before.items():
            signal.signal(known, handler)

    for number in before:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
