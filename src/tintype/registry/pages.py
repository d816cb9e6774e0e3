"""MLflow's pages on the pipeline's own store: `python -m tintype.registry.pages --port 5000`, or `make mlflow`.

The server answers this machine only, as one process for requests and without MLflow's job runners (which are
eight more processes for features that nothing here uses).
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from tintype.errors import TintypeError
from tintype.registry.store import SQLITE, RegistryError, Store, find_store

HOST = "127.0.0.1"
_LEAN = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
_PATIENCE = 180  # seconds; the first start on a cold disk has taken one minute


def serve_pages(store: Store, port: int) -> int:
    """Run MLflow's server until it ends or is interrupted, and tell its address as soon as it answers.

    Parameters
    ----------
    store : Store
        A database; a store that is a server has its pages already.
    port : int
        The port to listen on, 1 to 65535.

    Returns
    -------
    int
        The server's exit status.

    Raises
    ------
    RegistryError
        If the port is taken or the server does not start.
    """
    _refuse_taken(port)
    if store.uri.startswith(SQLITE):
        Path(store.uri.removeprefix(SQLITE)).parent.mkdir(parents=True, exist_ok=True)
    server = subprocess.Popen(_command(store, port), env={**_LEAN, **os.environ})
    try:
        address = f"http://{HOST}:{port}"
        _wait_until_ready(server, address)
        sys.stderr.write(_addresses(address, store))
        return server.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        server.terminate()
        server.wait()


def _addresses(address: str, store: Store) -> str:
    lines = [f"MLflow is at {address} (Ctrl+C ends it), with the store {store.shown}"]
    # Without the workflow type an experiment opens on pages about language models.
    lines += [
        f"  runs of {name}: {address}/#/experiments/{number}?workflowType=machine_learning"
        for name, number in _experiments(address)
    ]
    return "\n".join([*lines, f"  versions: {address}/#/models", ""])


def _experiments(address: str) -> list[tuple[str, str]]:
    """Names and ids of the experiments used last, without the empty one that MLflow makes."""
    question = urllib.request.Request(
        f"{address}/api/2.0/mlflow/experiments/search",
        json.dumps({"max_results": 5, "order_by": ["last_update_time DESC"]}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(question, timeout=30) as answer:
        found = json.load(answer).get("experiments", [])
    return [(item["name"], item["experiment_id"]) for item in found if item["name"] != "Default"]


def _command(store: Store, port: int) -> list[str]:
    command = [
        sys.executable,
        "-m",
        "mlflow",
        "server",
        "--host",
        HOST,
        "--port",
        str(port),
        "--workers",
        "1",
    ]
    command += ["--backend-store-uri", store.uri, "--uvicorn-opts", "--log-level warning"]
    if store.artifacts is not None:
        command += ["--artifacts-destination", store.artifacts.as_uri()]
    return command


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as error:
            raise RegistryError(
                f"Expected port {port} to be free. Received: {error}. Choose another: make mlflow PORT=5001."
            ) from None


def _wait_until_ready(server: subprocess.Popen[bytes], address: str) -> None:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        if server.poll() is not None:
            raise RegistryError(f"MLflow's server ended with status {server.returncode}; it says why above.")
        try:
            urllib.request.urlopen(f"{address}/health", timeout=2).close()
            return
        except OSError:
            time.sleep(0.3)
    raise RegistryError(f"MLflow's server did not answer at {address} within {_PATIENCE} s.")


def main() -> None:
    """Take the port from the command line and serve the pages of this project's store."""
    parser = argparse.ArgumentParser(description="Serve MLflow's pages on the pipeline's own store.")
    parser.add_argument("--port", type=int, default=5000)
    port = parser.parse_args().port
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that the server ends too
    try:
        store = find_store()
        if store.uri.startswith("http"):
            raise RegistryError(f"The store is a server already. Its pages are at {store.shown}.")
        sys.exit(serve_pages(store, port))
    except TintypeError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
