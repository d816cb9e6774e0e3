"""The real service on this machine, for as long as a measurement takes."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

READY_S = 300.0
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # never through a proxy


@dataclass
class Service:
    """A running service."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def get(self, path: str) -> str:
        """The body of an answer with status 200."""
        with _OPENER.open(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return str(answer.read().decode())

    def is_ready(self) -> bool:
        """Whether the worker that answers takes photos."""
        try:
            return bool(self.get("/readyz"))
        except (OSError, urllib.error.URLError):
            return False

    def wait(self, workers: int = 1) -> None:
        """Until each worker is ready: as many answers in a row as leave no doubt."""
        end, row = time.monotonic() + READY_S, 0
        while row < (1 if workers == 1 else 20 * workers):
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"Expected the service to become ready. Received:\n{self.log.read_text()}")
            row = row + 1 if self.is_ready() else 0
            time.sleep(0.02 if row else 0.2)

    def workers(self) -> list[int]:
        """Process ids of the workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [
            int(child)
            for child in children
            if b"_bentoml_impl" in Path(f"/proc/{child}/cmdline").read_bytes()
        ]

    def figures(self) -> dict[str, float]:
        """What /metrics says, by series."""
        lines = [line.rpartition(" ") for line in self.get("/metrics").splitlines() if line[:1] != "#"]
        return {series: float(value) for series, _, value in lines}


@contextlib.contextmanager
def service(settings: Mapping[str, str]) -> Iterator[Service]:
    """Start the service with settings `TINTYPE_...` and wait until it is ready; stop it in the end."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
        probe.close()
        log = Path(folder) / "log"
        command = [sys.executable, "-m", "bentoml", "serve", "tintype.serving.service:Tintype"]
        environment = {**os.environ, "BENTOML_HOME": folder, "BENTOML_DO_NOT_TRACK": "True", **settings}
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*command, "--host", "127.0.0.1", "--port", str(port)],
                env=environment,
                cwd=folder,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            running = Service(port, process, log)
            try:
                running.wait(int(settings.get("TINTYPE_WORKERS", "1")))
                yield running
            finally:
                if process.poll() is None:
                    process.send_signal(signal.SIGTERM)
                process.wait(120)
