"""`tintype store move`: mending the project's store of runs and versions after the project was moved or copied."""

from __future__ import annotations

import typer

from tintype.cli.console import print_line
from tintype.errors import missing_package

store = typer.Typer(
    name="store",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="The project's own store of runs and versions.",
)


@store.callback()
def _group() -> None:
    """Keep `move` a command of its own: Typer drops the name of an only one."""


@store.command()
def move() -> None:
    """After the project was moved or copied, make its store name its own files.

    MLflow keeps absolute paths. They are changed at once or not at all; no file is touched, here or elsewhere.
    """
    try:
        from tintype.registry.moved_store import move_store

        moved = move_store()
    except ModuleNotFoundError as error:
        raise missing_package("The registry", error.name, "pipeline") from None
    if not moved.before:
        print_line(f"The store in {moved.folder} names its own files already: nothing was changed.")
        return
    before = " and ".join(map(str, moved.before))
    print_line(
        f"The store in {moved.folder} names its own files now, in {moved.changed} places; before it was {before}."
    )
