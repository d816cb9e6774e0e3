"""Tables as CSV files."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tintype.files.atomic import new_file

DIGITS = 4  # after the point: more is noise in a diff


def write_csv(destination: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows under the names of the first one's keys; what is not defined (NaN) is left empty."""
    with new_file(destination) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({key: _cell(value) for key, value in row.items()} for row in rows)


def _cell(value: Any) -> Any:
    if not isinstance(value, float):
        return value
    return "" if math.isnan(value) else round(value, DIGITS)
