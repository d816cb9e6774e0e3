"""`tintype monitor`: its two commands, `report`, which needs not be named, and `reference`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup


class _ReportUnlessNamed(TyperGroup):
    """`tintype monitor DIR` is `tintype monitor report DIR`."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["report", *args]
        return super().parse_args(ctx, args)


monitor = typer.Typer(
    name="monitor",
    cls=_ReportUnlessNamed,
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Watch a service by what it wrote down of its photos: `tintype monitor DIR`.",
)

Days = Annotated[int, typer.Option("--days", min=1, max=3660, help="Newest days to read.")]


@monitor.command()
def report(
    folder: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="The service's TINTYPE_MONITOR_DIR.", show_default=False),
    ],
    reference: Annotated[
        Path | None,
        typer.Option("--reference", "-r", metavar="FILE", help="By `tintype monitor reference`."),
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="HTML", help="The page to write.")] = Path(
        "monitor.html"
    ),
    days: Days = 28,
    check: Annotated[bool, typer.Option("--check", help="Exit with 3 if there is an alarm.")] = False,
    read_only: Annotated[
        bool,
        typer.Option("--read-only", help="Leave DIR as it is: make no Parquet files of days that are over."),
    ] = False,
) -> None:
    """Make Parquet files of the days that are over, judge the newest days, and write a page about them.

    Exit code: 0 written; 1 it cannot be; 2 the command cannot be meant so; 3 there is an alarm, and --check was given.
    """
    from tintype.cli.monitoring import run_report

    raise typer.Exit(run_report(folder, reference, output, days, check=check, read_only=read_only))


@monitor.command()
def reference(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The reference to write.")
    ] = Path("reference.json"),
    days_of: Annotated[
        Path | None,
        typer.Option(
            "--days-of",
            metavar="DIR",
            help="Take days of a service that were good, instead of the photos of the manifest.",
        ),
    ] = None,
    days: Days = 28,
    manifest: Annotated[
        Path, typer.Option("--manifest", metavar="FOLDER", help="Which photos there are.")
    ] = Path("data/manifest"),
    raw: Annotated[Path, typer.Option("--raw", metavar="FOLDER", help="Where they are.")] = Path("data/raw"),
    photos: Annotated[
        int, typer.Option("--photos", min=1, help="At most so many for training, and as many others.")
    ] = 1000,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            help="What answers: models:/NAME@ALIAS or models:/NAME/VERSION, a bundle's folder, or starter.",
            show_default="the registry's champion, else the starter",
        ),
    ] = None,
    inputs_only: Annotated[
        bool, typer.Option("--inputs-only", help="Colour nothing: the reference says nothing of answers.")
    ] = False,
) -> None:
    """Write down what is normal, to compare a service's photos with: once for each version in service.

    Exit code: 0 written; 1 it cannot be; 2 the command cannot be meant so.
    """
    from tintype.cli.monitoring import run_reference, run_reference_of_days

    if days_of is not None:
        raise typer.Exit(run_reference_of_days(days_of, days, output))
    raise typer.Exit(run_reference(manifest, raw, photos, model, output, inputs_only=inputs_only))
