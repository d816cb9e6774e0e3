import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from tintype.cli import app
from tintype.cli.collection import command
from tintype.cli.collection.results_log import LOG_FILE
from tintype.models.bundle import bundle_digest, read_info


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def photo(here):
    """Make a small photo at a path relative to the working folder."""

    def make(path: str, gray: int = 90) -> Path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((6, 9, 3), gray, np.uint8)).save(path)
        return Path(path)

    return make


@pytest.fixture
def photos(here, odd_photos, sample):
    """A folder `in` of six photos of all kinds, two of them in a folder."""
    Path("in/deep").mkdir(parents=True)
    for name in ("gray.jpg", "rotated.jpg", "palette.png", "lzw.tiff"):
        shutil.copy(odd_photos / name, "in")
    for source, name in ((odd_photos / "gray16.png", "gray16.png"), (sample / "coffee.jpg", "coffee.jpg")):
        shutil.copy(source, Path("in/deep") / name)
    return Path("in")


@pytest.fixture(scope="session")
def loaded():
    """Bundles that this process has loaded: to load one takes seconds, and the tests call the command a lot."""
    return {}


def load_once(loaded, folder):
    from tintype.colorize import Colorizer

    digest = bundle_digest(read_info(folder))
    if digest not in loaded:
        # As the command does for people: on TensorFlow, last digits depend on how many photos come at once.
        loaded[digest] = Colorizer.load(folder, "openvino")
    return loaded[digest]


@pytest.fixture
def tintype(bundle, loaded, monkeypatch):
    """The command `tintype`, in this process."""
    monkeypatch.setattr(command, "_load", lambda folder: load_once(loaded, folder))

    def invoke(*arguments):
        given = [str(argument) for argument in arguments]
        if given[0] == "colorize" and "--model" not in given:
            given += ["--model", str(bundle)]
        return CliRunner().invoke(app, given)

    return invoke


@pytest.fixture(scope="session")
def colorizer(bundle, loaded):
    """The bundle, loaded."""
    return load_once(loaded, bundle)


@pytest.fixture
def log_lines():
    """The lines of a folder's log of results."""

    def read(folder="out"):
        text = (Path(folder) / LOG_FILE).read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    return read


def _interruptible():
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture(scope="session")
def environment():
    """That of a person, who has not chosen a backend as these tests have."""
    return {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}


@pytest.fixture
def process(environment):
    """Start the installed command as a process of its own; whatever still runs at the end is killed."""
    started = []

    def start(*arguments, **options):
        command = [str(Path(sys.executable).with_name("tintype")), *map(str, arguments)]
        options = {
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "text": True,
            "env": environment,
        } | options
        # Whoever runs the tests in the background has SIGINT ignored, and a child would inherit that.
        started.append(subprocess.Popen(command, preexec_fn=_interruptible, **options))
        return started[-1]

    yield start
    for one in started:
        one.kill()
        one.communicate()
