"""An expectation as plain data: reading or changing it needs no Great Expectations, `checkpoint` runs it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class Rule:
    """One expectation.

    Attributes
    ----------
    kind : str
        Class in `great_expectations.expectations`.
    expected : str
        What is expected, in words, as the rest of a sentence that begins with "Expected".
    reason : str
        Why, as a sentence.
    arguments : dict
        For the class.
    """

    kind: str
    expected: str
    reason: str
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """Rows and what is expected of them; `row_name` is the column that tells a person which row it is."""

    name: str
    rows: pd.DataFrame
    row_name: str
    rules: list[Rule]


@dataclass(frozen=True)
class Finding:
    """What was found of one rule.

    Attributes
    ----------
    received : str or None
        None if it holds, else what was found instead, in words.
    seen : str
        What was measured, in short, whether it holds or not.
    """

    table: str
    rule: Rule
    received: str | None
    seen: str

    @property
    def sentence(self) -> str:
        """The failure as a sentence."""
        return f"{self.table}: expected {self.rule.expected}; {self.received}."
