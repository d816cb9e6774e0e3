"""The registry loop, once around: `make loop`.

Trains on the sample photos, changes a parameter, trains and compares again, promotes the challenger in MLflow's pages,
has `tintype watch` pack and deploy it, colours a photo through the service, traces it, and takes everything back.
Every step is held to what it must leave behind; pictures, logs and seconds go to demo/loop.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.loop.browser import add_champion, chromium, colour, desk, open_version, save
from benchmarks.loop.deploy import Deployed, deployed, stop

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "demo/loop"
PHOTO = ROOT / "data/legacy/black-canyon.jpg"
PARAMETER = (
    "decode.colourfulness=0.4"  # the sample's challenger at its preset's 0.8 is too colourful for the gate
)
OLD = "1"  # the starter, which a fresh registry has as its champion
DEPLOYED_S = 300.0
_TINTYPE = str(Path(sys.executable).with_name("tintype"))
_DVC = str(Path(sys.executable).with_name("dvc"))
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # never through a proxy

Result = TypeVar("Result")


class Steps:
    """What was done, with its seconds."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def do(self, title: str, work: Callable[[], Result], said: Callable[[Result], str] = str) -> Result:
        """Do a step and say what came of it."""
        print(f"{len(self.rows) + 1:2}. {title} ...", flush=True)
        start = time.monotonic()
        result = work()
        seconds = time.monotonic() - start
        self.rows.append({"step": title, "seconds": round(seconds, 1), "result": said(result)})
        print(f"    {said(result)} ({seconds:.1f} s)", flush=True)
        return result


def main(arguments: list[str]) -> int:
    """Go around once; 0 if all of it held."""
    parser = argparse.ArgumentParser("benchmarks.loop", description=__doc__)
    parser.parse_args(arguments)
    if (ROOT / ".mlflow").exists() or os.environ.get("MLFLOW_TRACKING_URI"):
        sys.exit(
            "error: Expected a fresh clone: this loop promotes and takes back, which a registry in use must not "
            f"suffer. Received: {os.environ.get('MLFLOW_TRACKING_URI') or ROOT / '.mlflow'}. Make another clone, "
            "without MLFLOW_TRACKING_URI, and run it there."
        )
    FOLDER.mkdir(parents=True, exist_ok=True)
    os.environ["BENTOML_HOME"] = str(FOLDER / "bentoml")  # Bentos of the loop are the loop's
    os.environ["XDG_STATE_HOME"] = str(FOLDER / "state")
    start, steps = time.monotonic(), Steps()
    try:
        with ExitStack() as stack:
            _go(steps, stack)
    finally:
        total = round(time.monotonic() - start, 1)
        (FOLDER / "loop.json").write_text(
            json.dumps({"seconds": total, "steps": steps.rows}, indent=2) + "\n"
        )
    print(f"\nOnce around in {total:.0f} s. Pictures, logs and seconds: {FOLDER.relative_to(ROOT)}")
    return 0


def _go(steps: Steps, stack: ExitStack) -> None:
    stack.callback(_end_service)
    steps.do(
        "Train on the sample photos, register (make demo)",
        lambda: _logged("demo", "make", "demo"),
        lambda _: _registered(),
    )
    steps.do(
        f"Change a parameter, train and compare again (dvc exp run -S {PARAMETER})",
        lambda: _logged("change", _DVC, "exp", "run", "-S", PARAMETER),
        lambda _: _registered(),
    )
    new = str(json.loads((ROOT / "reports/register.json").read_text())["version"])
    mlflow = steps.do("Open MLflow (make mlflow)", lambda: stack.enter_context(_mlflow()))
    stack.enter_context(_watch())
    steps.do("tintype watch packs and deploys the champion it finds", lambda: _in_service(OLD), _address)
    before = steps.do("Colour a photo, trace it", lambda: _coloured(OLD))

    page = stack.enter_context(desk(stack.enter_context(chromium())))
    steps.do(
        "Promote the challenger in MLflow's pages", lambda: _promote(page, mlflow, new), lambda _: _champion()
    )
    steps.do("tintype watch packs and deploys it", lambda: _in_service(new), _address)
    after = steps.do("Colour the photo, trace it", lambda: _coloured(new))
    steps.do("Colour it on the service's page", lambda: _on_the_page(page, new), str)
    _expect(before.content != after.content, "the two versions' photos differ")

    steps.do(
        "Roll back (tintype rollback)",
        lambda: _tintype("rollback", "--reason", "the loop ends where it began"),
        lambda said: said.strip(),
    )
    steps.do("tintype watch deploys the version of before", lambda: _in_service(OLD), _address)
    again = steps.do("Colour the photo, trace it", lambda: _coloured(OLD))
    _expect(again.content == before.content, "the version of before colours as it did before")
    open_version(page, mlflow, OLD)
    page.get_by_text("@ champion").first.wait_for()
    page.screenshot(path=FOLDER / "4-back.png")
    steps.do("Who was champion when (tintype history)", lambda: _tintype("history"), _indented)
    _picture(new)


def _expect(holds: bool, what: str) -> None:
    if not holds:
        sys.exit(f"error: Expected that {what}. It is not so; see {FOLDER}.")


def _logged(name: str, *command: str) -> str:
    """Run a command as a person would, its words into a log; what it printed."""
    log = FOLDER / f"{name}.log"
    with log.open("wb") as words:
        status = subprocess.run(command, cwd=ROOT, stdout=words, stderr=subprocess.STDOUT).returncode
    _expect(status == 0, f"`{' '.join(command)}` ends with status 0, not {status} (its words: {log})")
    return log.read_text(errors="replace")


def _registered() -> str:
    said = json.loads((ROOT / "reports/register.json").read_text())
    return f"version {said['version']}, {' and '.join(said['aliases'])}, verdict: {said['verdict']}"


@contextmanager
def _running(name: str, *command: str) -> Iterator[Path]:
    """A command in the background; the file of its words."""
    log = FOLDER / f"{name}.log"
    with log.open("wb") as words:
        process = subprocess.Popen(command, cwd=ROOT, stdout=words, stderr=subprocess.STDOUT)
    try:
        yield log
    finally:
        process.terminate()
        process.wait(60)


@contextmanager
def _mlflow() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "tintype.registry.pages", "--port", str(port)]
    with _running("mlflow", *command) as log:
        _until(lambda: "MLflow is at" in log.read_text(), 120, f"MLflow answers ({log})")
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _watch() -> Iterator[None]:
    command = f"{sys.executable} -m benchmarks.loop.deploy {FOLDER} {{bento}} {{version}}"
    with _running("watch", _TINTYPE, "watch", "--every", "2", "--deploy", command):
        yield


def _until(holds: Callable[[], bool], seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not holds():
        _expect(time.monotonic() < end, f"within {seconds:g} s {what}")
        time.sleep(0.2)


def _in_service(version: str) -> Deployed:
    def there() -> bool:
        now = deployed(FOLDER)
        return now is not None and now.version == version

    _until(
        there,
        DEPLOYED_S,
        f"version {version} is in service ({FOLDER}/watch.log, {FOLDER}/service-{version}.log)",
    )
    now = deployed(FOLDER)
    assert now is not None  # noqa: S101
    return now


def _indented(lines: str) -> str:
    return lines.rstrip().replace("\n", "\n    ")


def _address(now: Deployed) -> str:
    return f"{now.bento} at {now.address}"


@dataclass(frozen=True)
class Coloured:
    """A photo by the service, and what `tintype trace` says of it."""

    content: bytes
    trace: dict[str, Any]

    def __str__(self) -> str:
        model, registry = self.trace["model"], self.trace["registry"]
        photos = sum(self.trace["photos"].values())
        return (
            f"tintype trace: {model['name']}, version {model['version']}, now {' and '.join(registry['aliases'])}; "
            f"run {model['run_id'][:8]}; {photos} photos known by their SHA-256"
        )


def _coloured(version: str) -> Coloured:
    """The photo by the service; held to name the version."""
    request = urllib.request.Request(
        f"{_in_service(version).address}/colorize", PHOTO.read_bytes(), method="POST"
    )
    with _OPENER.open(request, timeout=60) as answer:
        content = bytes(answer.read())
    file = FOLDER / f"by-version-{version}.jpg"
    file.write_bytes(content)
    trace = json.loads(_tintype("trace", "--json", str(file)))
    (FOLDER / f"trace-{version}.json").write_text(json.dumps(trace, indent=2) + "\n")
    _expect(
        trace["model"]["version"] == version,
        f"{file} names version {version}, not {trace['model']['version']}",
    )
    _expect(trace["registry"] is not None, f"the registry knows the model of {file}")
    return Coloured(content, trace)


def _tintype(*arguments: str) -> str:
    """What the command prints."""
    said = subprocess.run([_TINTYPE, *arguments], cwd=ROOT, capture_output=True, text=True)
    _expect(said.returncode == 0, f"`tintype {' '.join(arguments)}` succeeds. It said: {said.stderr}")
    return said.stdout


def _champion() -> str:
    last = json.loads(_tintype("history", "--json"))[-1]
    return f"champion: version {last['version']}, moved by {last['by']}"


def _promote(page: Any, mlflow: str, version: str) -> None:
    open_version(page, mlflow, version)
    page.screenshot(path=FOLDER / "1-version.png")
    dialog = add_champion(page, OLD)
    page.screenshot(path=FOLDER / "2-promote.png")
    save(dialog)


def _on_the_page(page: Any, version: str) -> str:
    colour(page, _in_service(version).address, PHOTO)
    page.screenshot(path=FOLDER / "3-service.png")
    return "3-service.png"


def _picture(new: str) -> None:
    """The photo, by the version of before and by the new one."""
    from tintype.imaging.grid import draw_grid
    from tintype.imaging.photo import read_photo, write_photo

    photos = [PHOTO, FOLDER / f"by-version-{OLD}.jpg", FOLDER / f"by-version-{new}.jpg"]
    cells = [[read_photo(photo).rgb8 for photo in photos]]
    headings = ["the scan", f"version {OLD}", f"version {new}"]
    write_photo(FOLDER / "photos.png", draw_grid(cells, headings=headings, captions=[PHOTO.name], cell=480))


def _end_service() -> None:
    now = deployed(FOLDER)
    if now is not None:
        stop(now.pid)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
