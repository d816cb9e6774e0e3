"""`tintype promote`, `rollback` and `history`: which version is the champion, and who was when."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from tintype.cli.arguments import Json, ModelName, Reason
from tintype.cli.console import print_line, print_note
from tintype.errors import missing_package

if TYPE_CHECKING:
    from tintype.registry.history import Change
    from tintype.registry.promotion import Promotion

_NOT_COMPARED = "not compared"
_HEAD = ("when (UTC)", "version", "before", "by", "reason")


def promote(
    version: Annotated[
        str,
        typer.Argument(
            metavar="VERSION",
            help="A number, an alias such as challenger, or models:/NAME/VERSION.",
            show_default=False,
        ),
    ],
    force: Annotated[
        str | None,
        typer.Option(
            "--force",
            metavar="REASON",
            help="Make it champion though its verdict is fail, for this reason, which is kept with it.",
            show_default=False,
        ),
    ] = None,
    reason: Reason = "",
    name: ModelName = "tintype",
) -> None:
    """Make a version of the registry the champion.

    A version is refused if its verdict is fail or its files are not whole. The command does what moving the alias in
    MLflow's pages does, and writes it into the history.

    Exit code: 0 it is the champion, 1 it was refused.
    """
    with _needing_mlflow():
        from tintype.registry import promotion

        made = promotion.promote(version, name, force=force, reason=reason)
    _tell(made, [*_verdict(made), *_unneeded(made, force)])


def rollback(reason: Reason = "", name: ModelName = "tintype") -> None:
    """Make the champion before this one the champion again. A second rollback goes further back.

    Exit code: 0 it is, 1 there was none before, or its files are not whole.
    """
    with _needing_mlflow():
        from tintype.registry import promotion

        made = promotion.rollback(name, reason=reason)
    _tell(made, [])


def history(as_json: Json = False, name: ModelName = "tintype") -> None:
    """List who was champion when, the newest first. What was moved in MLflow's pages is noticed by this."""
    with _needing_mlflow():
        from tintype.registry.promotion import champions

        changes = champions(name, seen_by="tintype history")
    if as_json:
        print_line(json.dumps([change.describe() for change in changes], indent=2, ensure_ascii=False))
    elif not changes:
        print_line(f"{name} has had no champion yet.")
    else:
        for line in _table(list(reversed(changes))):
            print_line(line)


@contextmanager
def _needing_mlflow() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise missing_package("The registry", error.name, "pipeline") from None


def _tell(made: Promotion, notes: Iterable[str]) -> None:
    if not made.changed:
        print_line(f"Version {made.version} of {made.name} is the champion already: nothing was changed.")
        return
    before = f"before it was version {made.previous}" if made.previous else "before there was none"
    print_line(f"Version {made.version} of {made.name} is the champion now; {before}.")
    for note in notes:
        print_note(note)


def _verdict(made: Promotion) -> Iterator[str]:
    reasons = f": {made.verdict_reasons}" if made.verdict_reasons else "."
    if made.forced:
        yield f"Its verdict is fail{reasons} The reason given is kept in the history and on the version."
    elif not made.verdict:
        yield "It has no verdict: it was never compared with a champion."
    elif made.verdict == _NOT_COMPARED:
        yield f"It was not compared with the champion{reasons}"


def _unneeded(made: Promotion, force: str | None) -> Iterator[str]:
    if force is not None and not made.forced:
        yield "--force was not needed; its reason is kept in the history."


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
