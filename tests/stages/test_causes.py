"""What stops a stage from outside is a sentence with its cause, however a library says it."""

from __future__ import annotations

import errno
import re
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from tintype.errors import TintypeError
from tintype.files import disk
from tintype.files.atomic import new_file, new_folder
from tintype.files.disk import DiskError, disk_errors
from tintype.stages.causes import sentence_of
from tintype.stages.entrypoint import run_stage


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """A limit that the system holds this process to, as a disk of that size would."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    error.__cause__ = cause
    return error


ROOT = Path(__file__).parents[2]
FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "data/x.npy"),
            r"is full: No space.* in data/x.npy \(",
        ),
        (OSError(errno.EDQUOT, "Disk quota exceeded", "reports"), r"is full: Disk quota exceeded in reports"),
        (raised(RuntimeError("cannot save"), FULL), r"The disk is full: No space left on device in /"),
        (sqlite3.OperationalError("database or disk is full"), r"is full: database or disk is full"),
        (
            RuntimeError("/data/saved_model.pb; No space left on device"),
            r"is full: .* in /data/saved_model.pb",
        ),
        (OSError(errno.ENOSPC, "No space", f"{tempfile.gettempdir()}/a"), r"temporary files.*TMPDIR"),
        (FileNotFoundError(2, "No usable temporary directory found in ['/tmp']"), r"temporary files.*TMPDIR"),
        (PermissionError(errno.EACCES, "Permission denied", "models/a"), r"models/a cannot be written"),
        (MemoryError(), r"memory is used up: MemoryError\..*train.batch_size"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), r"memory is used up: .*Cannot allocate memory\."),
        (RuntimeError("can't start new thread"), r"memory is used up: can't start new thread"),
        (ImportError("a.so: failed to map segment from shared object"), r"memory is used up: a.so"),
        (
            ModuleNotFoundError("No module named 'gx'", name="gx"),
            r"import gx, .*No module named 'gx'\. `make env`",
        ),
        (TintypeError("Expected this. Received: that."), r"^Expected this. Received: that.$"),
    ],
)
def test_the_cause_is_named(error: BaseException, sentence: str) -> None:
    assert re.search(sentence, sentence_of(error) or "")


@pytest.mark.parametrize(
    "error",
    [
        KeyError("shape"),
        ImportError("cannot import name 'fit'", name="tintype.training"),
        FileNotFoundError(2, "No such file or directory", "a"),
    ],
)
def test_a_mistake_in_the_code_keeps_its_traceback(error: BaseException) -> None:
    assert sentence_of(error) is None


def test_an_array_that_memory_cannot_hold_is_named() -> None:
    with pytest.raises(MemoryError) as caught:
        np.empty(2**60, np.uint8)
    assert "memory is used up: Unable to allocate 1.00 EiB for an array" in str(sentence_of(caught.value))


def test_a_full_disk_is_named_by_the_file_that_was_to_be_there_and_by_its_need(tmp_path: Path) -> None:
    place = tmp_path / "models" / "network.keras"
    with (
        files_of_at_most(3_000_000),
        pytest.raises(OSError, match="too large") as caught,
        new_file(place) as part,
    ):
        part.write_bytes(bytes(5_000_000))
    assert f"in {place} (it needs more than the 3.0 MB written of it, and " in str(sentence_of(caught.value))
    with (
        files_of_at_most(1_000_000),
        pytest.raises(DiskError, match=r"needs more than the 1\.0 MB written of it"),
        disk_errors(tmp_path),
        new_folder(tmp_path / "docs") as folder,
        new_file(folder / "page") as part,
    ):
        part.write_bytes(bytes(5_000_000))
    assert list(tmp_path.iterdir()) == [tmp_path / "models"]


def test_where_no_file_is_named_the_fullest_disk_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "free_bytes", lambda folder: 0 if folder == Path(tempfile.gettempdir()) else 1)
    assert re.search(r"temporary files.*TMPDIR", sentence_of(FULL) or "")


def test_a_stage_says_it_and_ends_with_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(Path(__file__).parents[2] / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["stages/lab.py"])

    def main(params: object) -> None:
        Path("/dev/full").write_bytes(b"much")

    with pytest.raises(SystemExit) as caught:
        run_stage(main)
    assert str(caught.value).startswith("error: The disk is full: No space left on device in ")


def test_a_package_that_fails_inside_is_named_by_what_was_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "expected_greatly.py").write_text("from json import no_such_thing\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ImportError) as caught:
        exec("import expected_greatly", {"__name__": "tintype.data"})
    caught.value.name = None  # as libraries raise it themselves
    assert "import expected_greatly, but it cannot be imported: cannot import name" in str(
        sentence_of(caught.value)
    )


@pytest.mark.parametrize("stage", ["validate", "train"])
def test_a_limit_in_which_a_stages_packages_cannot_be_loaded_is_refused(stage: str) -> None:
    # In a process of its own, which cannot raise its limit again; without the sentence it dies of SIGSEGV.
    command = f"ulimit -v 400000 && exec {sys.executable} -m tintype.stages.{stage} " + " ".join("abcdef")
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    needs = (
        rf"error: The stage `{stage}` needs at least [\d,]+ MB of address space, and more with many photos\. "
    )
    assert re.match(needs + r"This process may have 410 MB \(`ulimit -v`\)\. ", done.stderr)
    assert done.stderr.count("\n") == 1
    assert done.returncode == 1
