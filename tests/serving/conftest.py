"""The real service, started as people start it.

With TINTYPE_TEST_BENTO set (`make bento-test`) every server here is the built Bento instead, in an environment of its
own that has the pinned requirements and nothing of this project: the same tests hold for it.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

READY_SECONDS = 240.0
ROOT = Path(__file__).resolve().parents[2]


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


@dataclass(frozen=True)
class Launch:
    """How to start the service.

    Attributes
    ----------
    command : tuple of str
        Up to the options.
    environment : mapping of str to str
        All of it but BENTOML_HOME, the settings that name the model among it.
    home : Path or None
        What BENTOML_HOME is a copy of; None starts with an empty one.
    """

    command: tuple[str, ...]
    environment: Mapping[str, str]
    home: Path | None = None


def from_workspace(**settings: str) -> Launch:
    """The service as it is imported here."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("CI", "KERAS_", "TINTYPE_"))
    }
    command = (sys.executable, "-m", "bentoml", "serve", "tintype.serving.service:Tintype")
    return Launch(command, {**environment, **settings})


@contextmanager
def serving(folder: Path, settings: Mapping[str, str], launch: Launch | None = None) -> Iterator[Server]:
    """Start the service with the settings `TINTYPE_...`, not waiting for it; from the workspace unless told how."""
    launch = launch or from_workspace()
    port, log, home = free_port(), folder / "log", folder / "bentoml"
    if launch.home is not None and not home.exists():
        shutil.copytree(launch.home, home)
    environment = {
        **{name: value for name, value in launch.environment.items() if name != "BENTOML_DO_NOT_TRACK"},
        "BENTOML_HOME": str(home),
        **settings,
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*launch.command, "--host", "127.0.0.1", "--port", str(port)],
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


@pytest.fixture(scope="session")
def launch(bundle: Path, request: pytest.FixtureRequest) -> Launch:
    """The way that servers start: from the workspace, unless the built Bento is asked for."""
    if os.environ.get("TINTYPE_TEST_BENTO"):
        return request.getfixturevalue("built_bento")  # type: ignore[no-any-return]
    return from_workspace(TINTYPE_BUNDLE=str(bundle))


@pytest.fixture(scope="session")
def built_bento(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Launch:
    """The Bento of the tests' bundle, and a Python that has what it requires and has never heard of this project."""
    folder = tmp_path_factory.mktemp("bento")
    home, python = folder / "home", folder / "venv/bin/python"
    tag = package(bundle, home)
    requirements = home / "bentos" / tag.replace(":", "/") / "env/python/requirements.txt"
    uv(("venv", "--quiet", "--python", sys.executable, str(folder / "venv")))
    uv(("pip", "sync", "--quiet", "--python", str(python), str(requirements)))
    kept = {name: value for name, value in os.environ.items() if name in ("HOME", "LANG", "PATH", "TMPDIR")}
    return Launch((str(python), "-m", "bentoml", "serve", tag), kept, home)


def package(bundle: Path, home: Path, *options: str, **settings: str) -> str:
    """The tag of the Bento that `tintype package` makes of a bundle in the store `home`."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("tintype")), "package", "--model", str(bundle), *options],
        cwd=ROOT,
        env={**os.environ, "BENTOML_HOME": str(home), **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    match = re.match(r"(?:Built|Unchanged:) (tintype:\S+)", done.stdout)
    assert match is not None, done.stdout
    return match[1]


def uv(arguments: Sequence[str]) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / ".ci/uv.py"), *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session", name="packed")
def _packed() -> Callable[..., str]:
    return package


@pytest.fixture(scope="session", name="serving")
def _serving() -> Callable[..., AbstractContextManager[Server]]:
    return serving


StartServer = Callable[..., Server]


@pytest.fixture(scope="session")
def way_out() -> Iterator[socket.socket]:
    """What a service takes for the way to other hosts: a connection waits here to be seen."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


@pytest.fixture(scope="session")
def server(
    launch: Launch, tmp_path_factory: pytest.TempPathFactory, way_out: socket.socket
) -> Iterator[Server]:
    """A service with settings as they come."""
    proxy = f"http://127.0.0.1:{way_out.getsockname()[1]}"
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), proxy)
    with serving(tmp_path_factory.mktemp("server"), proxies, launch) as running:
        running.wait_until("/readyz", 200)
        yield running
    assert_nobody_came(way_out)  # when it stopped


def assert_nobody_came(listener: socket.socket) -> None:
    with pytest.raises(BlockingIOError):
        listener.accept()


@pytest.fixture(scope="session")
def strict_server(launch: Launch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service with a key, one page of another origin, small limits and one place."""
    settings = {
        "TINTYPE_API_KEY": "correct-horse",
        "TINTYPE_CORS_ORIGINS": "https://archive.example",
        "TINTYPE_MAX_MEGABYTES": "1",
        "TINTYPE_MAX_MEGAPIXELS": "0.25",
        "TINTYPE_QUEUE": "1",
        "TINTYPE_READ_SECONDS": "3",
    }
    with serving(tmp_path_factory.mktemp("strict"), settings, launch) as running:
        running.wait_until("/readyz", 200)
        yield running


@pytest.fixture
def start_server(launch: Launch, tmp_path: Path) -> Iterator[StartServer]:
    """Start a service of one's own; it is not waited for."""
    with ExitStack() as stack:

        def start(**settings: str) -> Server:
            return stack.enter_context(serving(tmp_path, settings, launch))

        yield start


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


@pytest.fixture(scope="session")
def cat_file(sample: Path) -> bytes:
    return (sample / "cat.jpg").read_bytes()
