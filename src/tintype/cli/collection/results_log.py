"""The log of a collection's results: a line of JSON for everything that happens to a photo, in the results' folder.

It is only ever appended to, and the last line about a photo holds. Before a result is put in its place a line
``writing`` says which bytes it will have, and a line ``done`` follows when they are there: so a run that is killed
between the two leaves no doubt whether a file is its own. A run that is killed in the middle of a line leaves a torn
one, which the next run cuts off.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, fields
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Literal, get_args

from tintype.errors import TintypeError
from tintype.files.disk import disk_errors

LOG_FILE = "tintype-manifest.jsonl"


Status = Literal["writing", "done", "failed"]
_STATUSES = get_args(Status)


class LogError(TintypeError):
    """A results' log cannot be used."""


@dataclass(frozen=True)
class Record:
    """A line: what is known of one photo and its result.

    Attributes
    ----------
    status : str
        ``writing``, ``done`` or ``failed``.
    source : str
        The photo's absolute path.
    destination : str
        The result's path below the log's folder, which names the photo here.
    bytes, mtime_ns, sha256
        Of the photo's file: size, time of its last change, SHA-256; 0 and empty where it could not be read.
    result_bytes, result_sha256
        Of the result's file.
    model : mapping
        ``name``, ``version`` and ``bundle_sha256``.
    parameters : mapping
        See `tintype.cli.collection.plan.Options.parameters`.
    mean_dl, max_dl : float or None
        The receipt.
    notes : list of str
        What was left behind in reading the photo.
    reason, code : str
        Why it failed, for people and for programs.
    at : str
        When, in UTC.
    """

    status: Status
    source: str
    destination: str
    bytes: int = 0
    mtime_ns: int = 0
    sha256: str = ""
    result_bytes: int = 0
    result_sha256: str = ""
    model: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    mean_dl: float | None = None
    max_dl: float | None = None
    notes: list[str] = field(default_factory=list)
    reason: str = ""
    code: str = ""
    at: str = ""


_FIELDS = {item.name for item in fields(Record)}


@dataclass(frozen=True)
class Content:
    """A log as it was read.

    Attributes
    ----------
    records : dict
        The last line about each destination.
    torn : bool
        Whether the last line is incomplete.
    length : int
        Bytes of all whole lines.
    """

    records: dict[str, Record]
    torn: bool = False
    length: int = 0


def read_log(path: Path) -> Content:
    """Read a log.

    Parameters
    ----------
    path : Path
        The file; if there is none, nothing has happened yet.

    Raises
    ------
    LogError
        If it cannot be read, or a line before the last one does not belong to such a log.
    """
    try:
        if path.exists() and not path.is_file():
            raise LogError(
                f"Expected a log of results at {path}, but that is no file. Choose another output."
            )
        content = path.read_bytes()
    except FileNotFoundError:
        return Content({})
    except OSError as error:
        raise LogError(f"Expected a log of results at {path}. Received: {error.strerror}.") from None
    whole, _, rest = content.rpartition(b"\n")
    lines = whole.split(b"\n") if whole else []
    records = {
        record.destination: record
        for record in (_parse(line, path, number) for number, line in enumerate(lines, 1))
    }
    return Content(records, torn=bool(rest), length=len(content) - len(rest))


def _parse(line: bytes, path: Path, number: int) -> Record:
    try:
        values = json.loads(line)
        if values["status"] not in _STATUSES:
            raise ValueError(values["status"])
        return Record(**{name: value for name, value in values.items() if name in _FIELDS})
    except (ValueError, TypeError, KeyError, AttributeError):
        raise LogError(
            f"Expected what happened to a photo in line {number} of {path}. Received: {line[:60]!r}. "
            "Remove this line; its photo is then looked at as if for the first time. Or choose another output."
        ) from None


class ResultsLog:
    """An open log. A folder has one at a time.

    Parameters
    ----------
    folder : Path or None
        The folder of results; None keeps no log.

    Attributes
    ----------
    content : Content
        What it held when it was opened.
    """

    def __init__(self, folder: Path | None) -> None:
        self.content = Content({})
        self._folder = folder
        self._made_folder = False
        self._file: FileIO | None = None
        self._lock = threading.Lock()

    @classmethod
    def as_read(cls, folder: Path | None) -> ResultsLog:
        """A log opened for reading: nothing is made, locked or repaired, and nothing can be appended."""
        log = cls(folder)
        if folder is not None:
            log.content = read_log(folder / LOG_FILE)
        return log

    def __enter__(self) -> ResultsLog:
        if self._folder is not None:
            path = self._folder / LOG_FILE
            with _writable(self._folder):
                self._made_folder = not self._folder.exists()
                self._folder.mkdir(parents=True, exist_ok=True)
                self._file = path.open("ab", buffering=0)
            try:
                self._begin(path)
            except BaseException:
                self._file.close()
                raise
        return self

    def _begin(self, path: Path) -> None:
        from filelock import lock_descriptor

        file = self._opened()
        if not lock_descriptor(file.fileno(), blocking=False):
            raise LogError(f"Another run is writing to {path.parent} right now. Wait for it, then run again.")
        self.content = read_log(path)
        if self.content.torn:
            with _writable(path.parent):
                file.truncate(self.content.length)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is None or self._folder is None:
            return
        path = self._folder / LOG_FILE
        if path.is_file() and path.stat().st_size == 0:  # a call that began nothing leaves nothing
            path.unlink()
            if self._made_folder and not any(self._folder.iterdir()):
                self._folder.rmdir()
        self._file.close()

    @property
    def keeps(self) -> bool:
        """Whether there is a file."""
        return self._folder is not None

    def name_of(self, destination: Path) -> str:
        """A destination as its record calls it."""
        return destination.relative_to(self._folder).as_posix() if self._folder else destination.as_posix()

    def append(self, record: Record) -> None:
        """Add a line, which is on the disk when this returns; from any thread.

        Raises
        ------
        DiskError
            If it cannot be written. The log is then as it was before.
        """
        if self._folder is None:
            return
        with self._lock, _writable(self._folder):
            _append(self._opened().fileno(), _line_of(record))

    def _opened(self) -> FileIO:
        if self._file is None:
            raise ValueError("Expected an open log: use it in a `with` block.")
        return self._file


def _line_of(record: Record) -> bytes:
    known = {name: value for name, value in asdict(record).items() if value not in (None, "", [], {})}
    try:
        return json.dumps(known, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:  # a file name that is no UTF-8
        return json.dumps(known).encode() + b"\n"


def _append(file: int, line: bytes) -> None:
    """Write all of a line to the disk, or nothing of it."""
    before = os.fstat(file).st_size
    try:
        written = 0
        while written < len(line):
            written += os.write(file, line[written:])
        os.fsync(file)
    except OSError:
        with suppress(OSError):  # what cannot be cut off now is a torn line, which the next run cuts off
            os.ftruncate(file, before)
        raise


@contextmanager
def _writable(folder: Path) -> Iterator[None]:
    try:
        with disk_errors(folder):
            yield
    except OSError as error:
        raise LogError(
            f"Expected to write to the folder {folder}. Received: {error.strerror}. Choose another output."
        ) from None
