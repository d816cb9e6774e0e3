"""The command `tintype`.

Each command is a module with its options, its help and what it does. They import what they need when they run, so that
`tintype --help` answers at once. What goes wrong is a `TintypeError` and becomes a sentence and an exit code here.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from tintype.cli import adapt, apply, colorize, monitor, package, promote, serve, store, strip, trace, watch
from tintype.errors import TintypeError, UsageError

FAILED, MEANINGLESS = 1, 2


class _Commands(TyperGroup):
    """Commands whose errors are told in a sentence."""

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        try:
            return super().invoke(ctx)
        except TintypeError as error:
            from tintype.cli.console import print_error

            print_error(f"error: {error}")
            raise typer.Exit(MEANINGLESS if isinstance(error, UsageError) else FAILED) from None


app = typer.Typer(
    name="tintype",
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    colorize.colorize,
    strip.strip,
    apply.apply,
    trace.trace,
    adapt.adapt,
    serve.serve,
    package.package,
    watch.watch,
    promote.promote,
    promote.rollback,
    promote.history,
):
    app.command()(command)
app.add_typer(monitor.monitor)
app.add_typer(store.store)


def main() -> None:
    """Entry point of the installed command."""
    from tintype.models.keras_backend import own_this_process

    own_this_process()
    app()


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"tintype {version('tintype')}")
        raise typer.Exit


@app.callback()
def tintype(
    version: Annotated[
        bool,
        typer.Option("--version", help="Say which version this is.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Turn black-and-white photographs into colour."""
