"""One command over a folder in which a file of each kind of the corpus lies."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tintype.formats.photo import read_photo
from tintype.imaging.limits import COLLECTION

OF_THE_SERVICE = {"too_many_bytes"}  # only the service's limit forbids it


def taken(corpus: ModuleType) -> list[Any]:
    return [case for case in corpus.KINDS if case.outcome.codes != OF_THE_SERVICE]


@pytest.fixture(scope="module")
def run(
    corpus: ModuleType, bundle: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[subprocess.CompletedProcess[str], Path]]:
    folder = tmp_path_factory.mktemp("collection")
    photos, out = folder / "photos", folder / "out"
    photos.mkdir()
    for case in taken(corpus):
        (photos / case.name).write_bytes(case.content)
    command = Path(sys.executable).with_name("tintype")
    done = subprocess.run(
        [command, "colorize", photos, "--output", out, "--model", bundle],
        capture_output=True,
        text=True,
        timeout=240,
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"},
        check=False,
    )
    return done, out


def result_of(out: Path, case: Any) -> Path | None:
    """The coloured photo of a case: under its own name, or as PNG where its format is not written."""
    return next((path for path in (out / case.name, out / f"{case.name}.png") if path.is_file()), None)


def test_it_ends_and_says_that_some_failed(run: Any) -> None:
    done, _ = run
    assert done.returncode == 1, done.stderr[-2000:]
    assert "Traceback" not in done.stderr + done.stdout


def test_every_bad_file_is_named_with_a_reason(run: Any, corpus: ModuleType) -> None:
    done, out = run
    lines = done.stderr.splitlines()
    for case in taken(corpus):
        if case.outcome.size is None:
            told = [line for line in lines if f"/{case.name}:" in line]
            assert len(told) == 1, f"{case.name}: {told}"
            assert len(told[0].partition(f"/{case.name}:")[2]) > 20, told
            assert result_of(out, case) is None, case.name


def test_every_good_photo_is_coloured_at_its_own_size(run: Any, corpus: ModuleType) -> None:
    done, out = run
    for case in taken(corpus):
        result = result_of(out, case)
        if case.outcome.size and not case.outcome.codes:
            assert result is not None, case.name
        if result is not None:
            height, width = read_photo(result, COLLECTION).pixels.shape[:2]
            assert (width, height) == case.outcome.size, case.name
        else:
            assert f"/{case.name}:" in done.stderr, f"{case.name} was skipped without a word"


def test_nothing_else_is_left_behind(run: Any, corpus: ModuleType) -> None:
    _, out = run
    known = {path for case in taken(corpus) if (path := result_of(out, case))}
    others = {path for path in out.rglob("*") if path.is_file()} - known
    assert all(path.name.startswith((".tintype", "tintype")) for path in others), others
