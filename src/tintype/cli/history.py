"""`tintype history`: who was champion when."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tintype.cli.console import print_error, print_line
from tintype.errors import TintypeError, missing_package

if TYPE_CHECKING:
    from tintype.registry.history import Change

_HEAD = ("when (UTC)", "version", "before", "by", "reason")


def run(name: str, *, as_json: bool) -> int:
    """List the champions.

    Parameters
    ----------
    name : str
        Of the registered model.
    as_json : bool
        For programs, oldest first, instead of for people, newest first.

    Returns
    -------
    int
        Exit code: 0 listed, 1 the registry does not answer or has no such model.
    """
    try:
        from tintype.registry.promotion import champions

        changes = champions(name, seen_by="tintype history")
    except ModuleNotFoundError as error:
        print_error(f"error: {missing_package('The registry', error.name, 'pipeline')}")
        return 1
    except TintypeError as error:
        print_error(f"error: {error}")
        return 1
    if as_json:
        print_line(json.dumps([change.describe() for change in changes], indent=2, ensure_ascii=False))
    elif not changes:
        print_line(f"{name} has had no champion yet.")
    else:
        for line in _table(list(reversed(changes))):
            print_line(line)
    return 0


def _table(changes: list[Change]) -> Iterator[str]:
    rows = [_HEAD, *map(_row, changes)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _row(change: Change) -> tuple[str, str, str, str, str]:
    by = f"{change.by} ({change.user})" if change.user else change.by
    reason = f"forced: {change.reason}" if change.forced else change.reason
    return (
        f"{change.at:%Y-%m-%d %H:%M:%S}",
        change.version or "none",
        change.previous or "none",
        by,
        reason,
    )
