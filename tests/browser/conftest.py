"""A real service, a real Chromium, and a visit of one to the other that notes what must not happen."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from tests.support import desk as hands

ROOT = Path(__file__).parents[2]
PATIENCE = 60_000  # milliseconds for what the service does; machines of CI are slow
START = 240  # seconds for the service to load its model


@dataclass
class Visit:
    """A page that is open, and what was noted meanwhile."""

    page: Page
    requests: list[str] = field(default_factory=list)  # addresses
    troubles: list[str] = field(default_factory=list)  # of console, scripts and content security policy
    expected: list[str] = field(default_factory=list)  # parts of troubles that a test brings about itself

    def add(self, *paths: Path) -> None:
        """Pick photos, as in the file dialog."""
        self.page.set_input_files("#files", paths)

    def wait_for(self, selector: str) -> None:
        """Wait until it is visible."""
        self.page.wait_for_selector(selector, timeout=PATIENCE)

    def wait_until_coloured(self, *paths: Path) -> None:
        """Wait for the results of all photos that were added; the first of the last ones is then under the slider."""
        for place in range(1, len(paths) + 1):
            self.page.wait_for_selector(
                f"#photos li:nth-child({place}) [data-state=done]", state="attached", timeout=PATIENCE
            )
        self.wait_for("#compare")

    def colour(self, *paths: Path) -> None:
        """Pick photos and wait for their results."""
        self.add(*paths)
        self.wait_until_coloured(*paths)

    def save(self, button: str, folder: Path) -> Path:
        """Press a button that downloads, and keep what comes."""
        with self.page.expect_download(timeout=PATIENCE) as waiting:
            self.page.click(button)
        target = folder / waiting.value.suggested_filename
        waiting.value.save_as(target)
        return target

    def unexpected(self) -> list[str]:
        """Troubles that no test asked for."""
        return [trouble for trouble in self.troubles if not any(part in trouble for part in self.expected)]


@contextmanager
def _serving(bundle: Path, home: Path, **settings: str) -> Iterator[str]:
    """The service as people start it, in a process of its own; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("KERAS_", "TINTYPE_"))
    }
    environ |= {"TINTYPE_BUNDLE": str(bundle), "BENTOML_HOME": str(home / "bentoml"), **settings}
    command = [sys.executable, "-m", "bentoml", "serve", "tintype.serving.service:Tintype"]
    log = home / "serve.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port)],
            env=environ, stdout=output, stderr=subprocess.STDOUT, cwd=home, start_new_session=True,
        )  # fmt: skip
        try:
            _wait_until_ready(f"http://127.0.0.1:{port}", process, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)


def _wait_until_ready(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    pytest.fail(f"Expected the service to be ready within {START} s. It wrote:\n{log.read_text()[-3000:]}")


@pytest.fixture(scope="session")
def service(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a service that anyone may use."""
    with _serving(bundle, tmp_path_factory.mktemp("service")) as address:
        yield address


@pytest.fixture(scope="session")
def strict_key() -> str:
    """What `strict_service` wants to be given."""
    return "a-key-for-tests"


@pytest.fixture(scope="session")
def strict_service(bundle: Path, strict_key: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a service that wants a key and has room for one photo at a time."""
    folder = tmp_path_factory.mktemp("strict")
    with _serving(bundle, folder, TINTYPE_API_KEY=strict_key, TINTYPE_QUEUE="1") as address:
        yield address


# For a file, not for all: Playwright's event loop runs in this thread, and tests of others would find it there.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium; without one there is no test of the page, and that is a failure."""
    with hands.chromium() as browser:
        yield browser


@contextmanager
def _visiting(context: BrowserContext, address: str) -> Iterator[Visit]:
    visit = Visit(context.new_page())
    visit.page.on("request", lambda request: visit.requests.append(request.url))
    visit.page.on("pageerror", lambda error: visit.troubles.append(str(error)))
    visit.page.on(
        "console",
        lambda message: visit.troubles.append(message.text) if message.type in ("error", "warning") else None,
    )
    visit.page.goto(f"{address}/", wait_until="load")
    yield visit
    assert visit.unexpected() == []
    own = (address, "blob:", "data:")
    assert [url for url in visit.requests if not url.startswith(own)] == []


Visitor = Callable[..., AbstractContextManager[Visit]]


@pytest.fixture
def visiting(chromium: Browser) -> Visitor:
    """Opens a page in a fresh browser profile; options are Playwright's for a context. No visit may go elsewhere,
    write errors to the console or violate the content security policy (Chromium writes those there too)."""

    @contextmanager
    def open_page(address: str, **options: object) -> Iterator[Visit]:
        context = chromium.new_context(**options)  # type: ignore[arg-type]
        try:
            with _visiting(context, address) as visit:
                yield visit
        finally:
            context.close()

    return open_page


@pytest.fixture
def visit(visiting: Visitor, service: str) -> Iterator[Visit]:
    """The page on a desktop."""
    with visiting(service, viewport={"width": 1280, "height": 800}) as open_visit:
        yield open_visit


@pytest.fixture(scope="session")
def legacy() -> Path:
    """The folder of historical photographs."""
    return ROOT / "data/legacy"


@pytest.fixture
def canyon(legacy: Path) -> Path:
    """A sepia JPEG of 1024 x 750."""
    return legacy / "black-canyon.jpg"


@pytest.fixture
def text_file(tmp_path: Path) -> Path:
    """No photo, whatever its name says."""
    path = tmp_path / "holiday.jpg"
    path.write_text("This is a text.")
    return path
