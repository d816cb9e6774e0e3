"""What a service keeps of each photo: one line of JSON, in a file for each day and each process.

The days are those of UTC. Nothing here tells whose photo it was or shows it: no file name, no address, no time finer
than a minute, no hash.
"""

from __future__ import annotations

import datetime
import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tintype.measures.statistics import STATISTICS

FIELDS: dict[str, type] = {
    "time": str,  # UTC, to the minute, as 2026-11-25T15:30Z
    "model": str,  # name and version in the registry, as tintype/3
    "bundle": str,  # the first 12 digits of its digest
    "saturation": float,  # as the client chose it
    "format": str,  # of the file that came
    "bits": int,  # 8 or 16 a channel
    "kind": str,  # one of KINDS
    "bytes": int,  # of the file that came
    **{statistic.name: float for statistic in STATISTICS},
    "picture": str,  # what the kept copies are called, if any are kept
}
PICTURES = "pictures"  # the folder beside the days
_DAY_FILE = re.compile(r"(\d{4}-\d\d-\d\d)\.([0-9a-f]{16})\.jsonl")
_DIGITS = 4  # after the point


@dataclass(frozen=True)
class DayFile:
    """A file of one day by one process."""

    path: Path
    day: datetime.date


def day_file(folder: Path, day: datetime.date, writer: str) -> Path:
    """The file in which a process, identified by 16 hex digits, writes its photos of a day."""
    return folder / f"{day}.{writer}.jsonl"


def day_files(folder: Path) -> list[DayFile]:
    """All files of photos in a folder, by day."""
    found = ((path, _DAY_FILE.fullmatch(path.name)) for path in folder.iterdir())
    return sorted(
        (DayFile(path, datetime.date.fromisoformat(match[1])) for path, match in found if match),
        key=lambda file: (file.day, file.path.name),
    )


def line_of(record: dict[str, Any]) -> bytes:
    """A record as a line.

    Parameters
    ----------
    record : dict
        Of `FIELDS`; what is left out, NaN or None is not known.
    """
    known = {name: _plain(record[name]) for name in FIELDS if record.get(name) is not None}
    return json.dumps({name: value for name, value in known.items() if value is not None}).encode() + b"\n"


def _plain(value: Any) -> Any:
    """Numbers with the digits that mean something; what is no number is left out."""
    if not isinstance(value, float):
        return value
    return round(value, _DIGITS) if math.isfinite(value) else None


def record_of(line: bytes) -> dict[str, Any] | None:
    """A line as a record, with None for what is not known; None for a line that is torn or no record."""
    try:
        content = json.loads(line)
    except ValueError:  # not JSON, or not UTF-8
        return None
    if not isinstance(content, dict):
        return None
    try:
        return {name: _as(content.get(name), kind) for name, kind in FIELDS.items()}
    except TypeError:
        return None


def _as(value: Any, kind: type) -> Any:
    if value is None:
        return None
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise TypeError
    return value
