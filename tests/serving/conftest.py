"""The real service, started as people start it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

READY_SECONDS = 240.0


@dataclass
class Server:
    """A running service."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, **options: object) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=60, trust_env=False, **options)  # type: ignore[arg-type]

    def wait_until(self, path: str, status: int, seconds: float = READY_SECONDS) -> httpx.Response:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert self.process.poll() is None, self.log.read_text()
            try:
                response = httpx.get(self.url + path, timeout=5, trust_env=False)
            except httpx.TransportError:
                response = None
            if response is not None and response.status_code == status:
                return response
            time.sleep(0.1)
        raise AssertionError(f"{path} did not answer {status}:\n{self.log.read_text()}")

    def workers(self) -> list[int]:
        """Process ids of the workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [
            int(child)
            for child in children
            if b"_bentoml_impl" in Path(f"/proc/{child}/cmdline").read_bytes()
        ]

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(folder: Path, settings: Mapping[str, str]) -> Iterator[Server]:
    """Start the service with the settings `TINTYPE_...`, not waiting for it."""
    port, log = free_port(), folder / "log"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TINTYPE_")}
    environment |= {"BENTOML_HOME": str(folder / "bentoml"), "BENTOML_DO_NOT_TRACK": "True", **settings}
    command = [sys.executable, "-m", "bentoml", "serve", "tintype.serving.service:Tintype"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port)],
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        server = Server(port, process, log)
        try:
            yield server
        finally:
            server.stop()


StartServer = Callable[..., Server]


@pytest.fixture(scope="session")
def server(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service with settings as they come."""
    with serving(tmp_path_factory.mktemp("server"), {"TINTYPE_BUNDLE": str(bundle)}) as running:
        running.wait_until("/readyz", 200)
        yield running


@pytest.fixture(scope="session")
def strict_server(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service with a key, one page of another origin, small limits and one place."""
    settings = {
        "TINTYPE_BUNDLE": str(bundle),
        "TINTYPE_API_KEY": "correct-horse",
        "TINTYPE_CORS_ORIGINS": "https://archive.example",
        "TINTYPE_MAX_MEGABYTES": "1",
        "TINTYPE_MAX_MEGAPIXELS": "0.25",
        "TINTYPE_QUEUE": "1",
        "TINTYPE_READ_SECONDS": "3",
    }
    with serving(tmp_path_factory.mktemp("strict"), settings) as running:
        running.wait_until("/readyz", 200)
        yield running


@pytest.fixture
def start_server(bundle: Path, tmp_path: Path) -> Iterator[StartServer]:
    """Start a service of one's own; it is not waited for."""
    with ExitStack() as stack:

        def start(**settings: str) -> Server:
            return stack.enter_context(serving(tmp_path, {"TINTYPE_BUNDLE": str(bundle), **settings}))

        yield start


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


@pytest.fixture(scope="session")
def cat_file(sample: Path) -> bytes:
    return (sample / "cat.jpg").read_bytes()
