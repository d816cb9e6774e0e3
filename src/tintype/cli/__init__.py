"""The command `tintype`.

Commands import what they need when they run, so that `tintype --help` answers at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

app = typer.Typer(
    name="tintype",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Entry point of the installed command."""
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


@app.command()
def colorize(
    photos: Annotated[
        list[Path],
        typer.Argument(metavar="PHOTO", help="Photos, or folders of photos.", show_default=False),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="OUT",
            help="A folder; for one photo also a file name, whose suffix chooses the format.",
            show_default=False,
        ),
    ],
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            help="A bundle's folder, or models:/NAME@ALIAS or models:/NAME/VERSION of the registry.",
            show_default="models/tintype, else models:/tintype@champion",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there already.")] = False,
    skip_existing: Annotated[
        bool, typer.Option("--skip-existing", help="Leave out photos whose result is there already.")
    ] = False,
) -> None:
    """Colour photos at their full size; each keeps its own lightness.

    Below a folder all photos are taken, and OUT gets the same tree. A photo that fails is named, the others go on.

    Exit code: 0 all were coloured, 1 some failed, 2 nothing was begun because the command cannot be meant so.
    """
    from tintype.cli.colorize import run

    raise typer.Exit(run(photos, output, model, force=force, skip_existing=skip_existing))


@app.command()
def serve(
    model: Annotated[
        str,
        typer.Option(
            "--model", "-m", help="models:/NAME@ALIAS or models:/NAME/VERSION, or a bundle's folder."
        ),
    ] = "models:/tintype@champion",
    host: Annotated[str, typer.Option("--host", help="Address to listen on; 0.0.0.0 for all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", "-p", help="Port to listen on.", min=1, max=65535)] = 3000,
    workers: Annotated[
        int | None,
        typer.Option("--workers", help="Processes that answer.", min=1, show_default="one"),
    ] = None,
    backend: Annotated[
        Literal["openvino", "tensorflow"] | None,
        typer.Option("--backend", help="What computes the network.", show_default="the service's own"),
    ] = None,
) -> None:
    """Serve a model: the page at /, the interface at /colorize. Ends by Ctrl+C or SIGTERM, after what it accepted."""
    from tintype.cli.serve import run

    raise typer.Exit(run(model, host, port, workers, backend))


@app.command()
def package(
    model: Annotated[
        str,
        typer.Option(
            "--model", "-m", help="models:/NAME@ALIAS or models:/NAME/VERSION, or a bundle's folder."
        ),
    ] = "models:/tintype@champion",
    variant: Annotated[
        Literal["cpu", "gpu"], typer.Option("--variant", help="The machine that it will serve on.")
    ] = "cpu",
) -> None:
    """Pack a model with its lineage and pinned requirements as a Bento. Run it in the project's folder."""
    from tintype.cli.package import run

    raise typer.Exit(run(model, variant))
