"""`tintype promote` and `tintype rollback`: which version is the champion."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from tintype.cli.console import print_error, print_line
from tintype.errors import TintypeError, missing_package

if TYPE_CHECKING:
    from tintype.registry.promotion import Promotion

_NOT_COMPARED = "not compared"


def run(version: str, name: str, force: str | None, reason: str) -> int:
    """Make a version the champion and say from what to what.

    Parameters
    ----------
    version : str
        A number, an alias or a ``models:/`` address.
    name : str
        Of the registered model.
    force : str or None
        Why, in spite of the verdict ``fail``.
    reason : str
        Why; may be empty.

    Returns
    -------
    int
        Exit code: 0 it is the champion, 1 it is not.
    """

    def act() -> Promotion:
        from tintype.registry.promotion import promote

        return promote(version, name, force=force, reason=reason)

    return _carry_out(act, lambda made: [*_verdict(made), *_unneeded(made, force)])


def run_back(name: str, reason: str) -> int:
    """Make the champion before this one the champion again and say from what to what.

    Parameters
    ----------
    name : str
        Of the registered model.
    reason : str
        Why; may be empty.

    Returns
    -------
    int
        Exit code: 0 it is the champion, 1 nothing was changed.
    """

    def act() -> Promotion:
        from tintype.registry.promotion import rollback

        return rollback(name, reason=reason)

    return _carry_out(act, lambda _: [])


def _carry_out(act: Callable[[], Promotion], notes: Callable[[Promotion], list[str]]) -> int:
    try:
        made = act()
    except ModuleNotFoundError as error:
        print_error(f"error: {missing_package('The registry', error.name, 'pipeline')}")
        return 1
    except TintypeError as error:
        print_error(f"error: {error}")
        return 1
    if not made.changed:
        print_line(f"Version {made.version} of {made.name} is the champion already: nothing was changed.")
        return 0
    before = f"before it was version {made.previous}" if made.previous else "before there was none"
    print_line(f"Version {made.version} of {made.name} is the champion now; {before}.")
    for note in notes(made):
        print_error(f"note: {note}")
    return 0


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
