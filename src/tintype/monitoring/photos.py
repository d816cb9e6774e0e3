"""Photos that a service told of, as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow
from numpy.typing import NDArray

from tintype.measures.records import FIELDS

_TYPES = {str: pyarrow.string(), int: pyarrow.int64(), float: pyarrow.float32()}
SCHEMA = pyarrow.schema([(name, _TYPES[kind]) for name, kind in FIELDS.items()])


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
        """Those for which a mask of shape (n,) is true."""
        return Photos(self.table.filter(pyarrow.array(chosen)), self.day[chosen])

    def of_days(self, first: np.datetime64, last: np.datetime64) -> Photos:
        """Those of the days from `first` to `last`."""
        return self.where((self.day >= first) & (self.day <= last))

    @property
    def days(self) -> list[np.datetime64]:
        """Days that have any, ascending."""
        return list(np.unique(self.day))

    def as_the_model_gives_them(self) -> Photos:
        """Those of which no client asked for stronger or paler colours."""
        return self.where(self.values("saturation") == 1)


def join(tables: Sequence[Any], days: Sequence[str]) -> Photos:
    """One for several tables, each of one day."""
    return Photos(
        pyarrow.concat_tables([SCHEMA.empty_table(), *tables]),
        np.repeat(np.array(days, "datetime64[D]"), [len(table) for table in tables]),
    )
