"""A monitor's folder: lines of JSON by the service become one Parquet file for each day that is over.

The new file appears whole, with the names of the files it was made from inside; only then are those removed. So a
conversion that was cut off, or that another process does at the same time, loses no photo and counts none twice.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
from numpy.typing import NDArray
from pyarrow import parquet

from tintype.errors import TintypeError
from tintype.files.atomic import new_file
from tintype.files.lock import locked
from tintype.measures.records import FIELDS, day_files, record_of

_TYPES = {str: pyarrow.string(), int: pyarrow.int64(), float: pyarrow.float32()}
SCHEMA = pyarrow.schema([(name, _TYPES[kind]) for name, kind in FIELDS.items()])
_GRACE = datetime.timedelta(minutes=10)  # after midnight: what was being written then is written by now
_SOURCES, _TORN = b"tintype.sources", b"tintype.torn"
_LOCK, _LOCK_SECONDS = ".converting.lock", 600.0


class MonitorError(TintypeError):
    """A monitor's folder cannot be read or written."""


@dataclass(frozen=True)
class Photos:
    """Columns of equal length.

    Attributes
    ----------
    table : pyarrow.Table
        With `SCHEMA`.
    day : ndarray of shape (n,), datetime64[D]
        Of each photo, in UTC.
    """

    table: Any
    day: NDArray[np.datetime64]

    def __len__(self) -> int:
        """How many."""
        return len(self.day)

    def values(self, name: str) -> NDArray[Any]:
        """A column, of shape (n,): numbers as float64 with NaN for what is not known, else objects with None."""
        column = self.table.column(name)
        if FIELDS[name] is str:
            return np.array(column.to_pylist(), dtype=object)
        return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)

    def where(self, chosen: NDArray[np.bool_]) -> Photos:
        """The photos for which a mask of shape (n,) is true."""
        return Photos(self.table.filter(pyarrow.array(chosen)), self.day[chosen])

    def of_days(self, first: np.datetime64, last: np.datetime64) -> Photos:
        """The photos of the days from `first` to `last`."""
        return self.where((self.day >= first) & (self.day <= last))

    @property
    def days(self) -> list[np.datetime64]:
        """Days that have any, ascending."""
        return list(np.unique(self.day))

    def as_the_model_gives_them(self) -> Photos:
        """The photos for which no client asked for stronger or paler colours."""
        return self.where(self.values("saturation") == 1)


def join(tables: Sequence[Any], days: Sequence[str]) -> Photos:
    """One table of several, each of one day."""
    return Photos(
        pyarrow.concat_tables([SCHEMA.empty_table(), *tables]),
        np.repeat(np.array(days, "datetime64[D]"), [len(table) for table in tables]),
    )


@dataclass(frozen=True)
class _Lines:
    table: Any
    torn: int  # lines that are no records


@dataclass(frozen=True)
class _Day:
    """What a Parquet file holds."""

    table: Any
    sources: list[str]
    torn: int


def convert(folder: Path, now: datetime.datetime) -> list[datetime.date]:
    """Make Parquet files of the days that are over, and remove their lines.

    Parameters
    ----------
    folder : Path
        The service's TINTYPE_MONITOR_DIR.
    now : datetime
        With its time zone.

    Returns
    -------
    list of date
        Days that were converted, or that had lines which came late.

    Raises
    ------
    MonitorError
        If the folder cannot be read or written, or a file in it is no Parquet file.
    """
    _require_folder(folder)
    today = (now.astimezone(datetime.UTC) - _GRACE).date()
    if all(file.day >= today for file in day_files(folder)):
        return []
    try:
        with locked(folder / _LOCK, _LOCK_SECONDS):
            days: dict[datetime.date, list[Path]] = {}
            for file in day_files(folder):
                if file.day < today:
                    days.setdefault(file.day, []).append(file.path)
            for day, paths in days.items():
                _convert(parquet_of(folder, day), paths)
    except OSError as error:  # TimeoutError is one
        raise MonitorError(
            f"Expected to make Parquet files in {folder}. Received: {error}. Run it as somebody who may write there, "
            "or with --read-only."
        ) from None
    return sorted(days)


def parquet_of(folder: Path, day: datetime.date) -> Path:
    """A day's file."""
    return folder / f"{day}.parquet"


def _convert(destination: Path, paths: Sequence[Path]) -> None:
    known = _read(destination) if destination.exists() else _Day(SCHEMA.empty_table(), [], 0)
    new = [path for path in paths if path.name not in known.sources]
    if new or not destination.exists():
        lines = [_lines(path) for path in new]
        table = pyarrow.concat_tables([known.table, *(part.table for part in lines)])
        notes = {
            _SOURCES: json.dumps([*known.sources, *(path.name for path in new)]),
            _TORN: str(known.torn + sum(part.torn for part in lines)),
        }
        with new_file(destination) as part:
            parquet.write_table(table.replace_schema_metadata(notes), part, compression="zstd")
    for path in paths:
        path.unlink(missing_ok=True)


def _lines(path: Path) -> _Lines:
    records, torn = [], 0
    for line in _complete_lines(path):
        record = record_of(line)
        if record is None:
            torn += 1
        else:
            records.append(record)
    return _Lines(pyarrow.Table.from_pylist(records, schema=SCHEMA), torn)


def _complete_lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from (line for line in file if line.strip())


def _read(path: Path) -> _Day:
    try:
        found = parquet.read_table(path)
    except (OSError, pyarrow.ArrowException) as error:
        raise MonitorError(
            f"Expected a Parquet file at {path}. Received: {error}. Move it away, and run again."
        ) from None
    notes = found.schema.metadata or {}
    # A column that a later or an earlier version knows and this file does not have is empty.
    columns = [
        found.column(field.name).cast(field.type)
        if field.name in found.column_names
        else pyarrow.nulls(len(found), field.type)
        for field in SCHEMA
    ]
    return _Day(
        pyarrow.table(columns, schema=SCHEMA),
        json.loads(notes.get(_SOURCES, b"[]")),
        int(notes.get(_TORN, b"0")),
    )


@dataclass(frozen=True)
class Record:
    """What a folder says.

    Attributes
    ----------
    torn : int
        Lines that could not be read: torn by the end of a process.
    """

    photos: Photos
    torn: int


def read_days(folder: Path, first: datetime.date, last: datetime.date) -> Record:
    """The photos of some days, converted or not.

    Raises
    ------
    MonitorError
        If the folder cannot be read.
    """
    _require_folder(folder)
    # Lines first: what is converted meanwhile is then found twice, and known by the names in the Parquet file.
    lines = {
        file.path.name: (str(file.day), found)
        for file in day_files(folder)
        if first <= file.day <= last and (found := _lines_if_there(file.path)) is not None
    }
    paths = {str(day): parquet_of(folder, day) for day in _between(first, last)}
    converted = {day: _read(path) for day, path in paths.items() if path.exists()}
    sources = {name for day in converted.values() for name in day.sources}
    loose = [(day, found) for name, (day, found) in lines.items() if name not in sources]
    return Record(
        join(
            [*(day.table for day in converted.values()), *(found.table for _, found in loose)],
            [*converted, *(day for day, _ in loose)],
        ),
        sum(day.torn for day in converted.values()) + sum(found.torn for _, found in loose),
    )


def _lines_if_there(path: Path) -> _Lines | None:
    try:
        return _lines(path)
    except FileNotFoundError:  # converted since it was listed
        return None


def _between(first: datetime.date, last: datetime.date) -> Iterable[datetime.date]:
    return (first + datetime.timedelta(days=more) for more in range((last - first).days + 1))


def _require_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise MonitorError(
            f"Expected the folder that a service writes to, its TINTYPE_MONITOR_DIR. Received: {folder}, which is no "
            "folder."
        )
    if not any(folder.glob("*.jsonl")) and not any(folder.glob("*.parquet")):
        raise MonitorError(
            f"Expected a monitor's days in {folder}. Received: none. A service with TINTYPE_MONITOR_DIR set to it "
            "writes there once it has coloured a photo."
        )
