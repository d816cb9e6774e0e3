"""`tintype serve`: the service on this machine, with a version of the registry or a bundle's folder."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import closing
from typing import NoReturn

from tintype.cli.console import print_error
from tintype.cli.version import find_version
from tintype.errors import TintypeError, missing_package

SERVICE = "tintype.serving.service:Tintype"


def run(
    model: str | None,
    host: str,
    port: int,
    workers: int | None,
    backend: str | None,
    follow: str | None = None,
    every: float = 10.0,
) -> int:
    """Become the server; comes back only if that fails.

    Parameters
    ----------
    model : str or None
        As `tintype.cli.version.find_version` takes it.
    host : str
        Address to listen on.
    port : int
        Port to listen on.
    workers : int or None
        Processes that answer; None leaves it to the service.
    backend : str or None
        Keras' backend; None leaves it to the service.
    follow : str or None
        Address of an alias, instead of `model`: the version that it names answers, whenever it is moved.
    every : float
        Seconds between two looks at it.

    Returns
    -------
    int
        1: there is no such model, or the port is taken. 2: the command cannot be meant so.
    """
    if follow is not None and model is not None:
        print_error(f"error: Expected --model or --follow. Received both: {model} and {follow}.")
        return 2
    try:
        _refuse_taken(host, port)
        needs_bentoml()
        environment = _environment(workers, backend)
        if follow is None:
            found = find_version(model)
            from tintype.serving.model.store import import_version

            tag = import_version(found.bundle, found.lineage)
        else:
            from tintype.cli.following import begin_following

            tag, pointer = begin_following(follow, port, every)
            environment |= {"TINTYPE_FOLLOW": follow, "TINTYPE_POINTER": str(pointer)}
    except TintypeError as error:
        print_error(f"error: {error}")
        return 1
    print_error(f"Serving {tag} at http://{_shown(host)}:{port} (Ctrl+C ends it) ...")
    return _become_server(tag, host, port, environment | {"TINTYPE_MODEL": tag})


def _become_server(tag: str, host: str, port: int, environment: dict[str, str]) -> NoReturn:
    """The server takes this process' place: signals reach it, and its exit code is ours."""
    command = [sys.executable, "-m", "bentoml", "serve", SERVICE]
    command += ["--host", host, "--port", str(port), "--arg", f"model_tag={tag}"]
    os.execve(sys.executable, command, environment)


def _environment(workers: int | None, backend: str | None) -> dict[str, str]:
    chosen = {}
    if workers is not None:
        chosen["TINTYPE_WORKERS"] = str(workers)
    if backend is not None:
        chosen |= {"TINTYPE_BACKEND": backend, "KERAS_BACKEND": backend}
    return {"BENTOML_DO_NOT_TRACK": "True", **os.environ, **chosen}


def _refuse_taken(host: str, port: int) -> None:
    """Say at once what BentoML would say with a traceback after it has loaded everything."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise TintypeError(
                f"Expected to listen on {host}, port {port}. Received: {error.strerror}. "
                "Give a free port with --port."
            ) from None


def needs_bentoml() -> None:
    """Say it in a sentence where BentoML is not installed."""
    from importlib.util import find_spec

    if find_spec("bentoml") is None:
        raise missing_package("The server", "bentoml", "serve")


def _shown(host: str) -> str:
    return "localhost" if host in ("0.0.0.0", "::", "127.0.0.1") else host
