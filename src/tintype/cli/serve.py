"""`tintype serve`: the service on this machine, with a version of the registry or a bundle's folder."""

from __future__ import annotations

import os
from contextlib import closing, suppress
from pathlib import Path
from typing import Annotated, Literal

import typer

from tintype.cli.arguments import Model
from tintype.cli.console import print_error, print_note
from tintype.errors import TintypeError, UsageError, missing_package
from tintype.find_model import find_model


def serve(
    model: Model = None,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="Address to listen on; 0.0.0.0 for all.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", "-p", metavar="PORT", help="Port to listen on.", min=1, max=65535)
    ] = 3000,
    workers: Annotated[
        int | None,
        typer.Option("--workers", metavar="NUMBER", help="Processes that answer.", min=1, show_default="one"),
    ] = None,
    backend: Annotated[
        Literal["openvino", "tensorflow"] | None,
        typer.Option("--backend", help="What computes the network.", show_default="the service's own"),
    ] = None,
    follow: Annotated[
        str | None,
        typer.Option(
            "--follow",
            metavar="ALIAS",
            envvar="TINTYPE_FOLLOW",
            help="Instead of --model: serve what models:/NAME@ALIAS names, and take over what it is moved to while "
            "running, without losing a request.",
            show_default="the version stays",
        ),
    ] = None,
    every: Annotated[
        float,
        typer.Option(
            "--every",
            metavar="SECONDS",
            min=0.1,
            help="With --follow: pause between two looks at the registry.",
        ),
    ] = 10.0,
) -> None:
    """Serve a model: the page at /, the interface at /colorize. Ends by Ctrl+C or SIGTERM, after what it accepted.

    Exit code: 1 there is no such model, or the port is taken; 2 wrong usage.
    """
    if follow is not None and model is not None:
        raise UsageError(f"Expected --model or --follow. Received both: {model} and {follow}.")
    _refuse_taken(host, port)
    needs_bentoml()
    environment = _environment(workers, backend)
    if follow is None:
        found = find_model(model, print_note)
        from tintype.serving.model.store import import_version

        tag = import_version(found.bundle, found.lineage)
    else:
        from tintype.cli.following import begin_following

        tag, pointer = begin_following(follow, port, every)
        environment |= {"TINTYPE_FOLLOW": follow, "TINTYPE_POINTER": str(pointer)}
    shown = "localhost" if host in ("0.0.0.0", "::", "127.0.0.1") else host
    print_error(f"Serving {tag} at http://{shown}:{port} (Ctrl+C ends it) ...")
    os.environ |= environment | {"TINTYPE_MODEL": tag}  # for the workers
    from tintype.serving.run import run_server

    run_server(tag, host, port)


def _environment(workers: int | None, backend: str | None) -> dict[str, str]:
    chosen = {}
    if workers is not None:
        chosen["TINTYPE_WORKERS"] = str(workers)
    if backend is not None:
        chosen |= {"TINTYPE_BACKEND": backend, "KERAS_BACKEND": backend}
    return {"BENTOML_DO_NOT_TRACK": "True", **chosen}


def _refuse_taken(host: str, port: int) -> None:
    """Say at once what BentoML would say with a traceback after it has loaded everything."""
    import socket

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
    """Raise an error with the cure where BentoML is not installed; else give it a store in the project's folder.

    `BENTOML_HOME` names another. Outside of a project BentoML takes the home folder.
    """
    from importlib.util import find_spec

    from tintype.registry.store import RegistryError, find_project

    if find_spec("bentoml") is None:
        raise missing_package("The server", "bentoml", "serve")
    with suppress(RegistryError):
        os.environ.setdefault("BENTOML_HOME", str(find_project(Path.cwd()) / ".bentoml"))
