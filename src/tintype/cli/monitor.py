"""`tintype monitor`: its two commands, `report`, whose name may be left out, and `reference`."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup

from tintype.cli.arguments import Model
from tintype.cli.console import counted, print_line, print_note
from tintype.errors import TintypeError, missing_package
from tintype.find_model import find_model

if TYPE_CHECKING:
    from tintype.monitoring.reference import Reference

ALARMED = 3


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
    help="Judge a service by what it wrote down of its photos.\n\n"
    "`tintype monitor DIR` is short for `tintype monitor report DIR`.",
)

Days = Annotated[
    int,
    typer.Option("--days", metavar="NUMBER", min=1, max=3660, help="How many of the newest days to read."),
]


@monitor.command()
def report(
    folder: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="The service's TINTYPE_MONITOR_DIR.", show_default=False),
    ],
    reference: Annotated[
        Path | None,
        typer.Option(
            "--reference", "-r", metavar="FILE", help="What is normal, by `tintype monitor reference`."
        ),
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
    """Judge the newest days and write a page about them.

    Days that are over are made into Parquet files.

    Exit code: 0 written; 1 it cannot be; 2 wrong usage; 3 there is an alarm, and --check was given.
    """
    alarms = write_report(folder, reference, output, days, read_only=read_only)
    raise typer.Exit(ALARMED if check and alarms else 0)


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
        int,
        typer.Option(
            "--photos", metavar="NUMBER", min=1, help="Take at most so many for training, and as many others."
        ),
    ] = 1000,
    model: Model = None,
    inputs_only: Annotated[
        bool, typer.Option("--inputs-only", help="Colour nothing: the reference says nothing of answers.")
    ] = False,
) -> None:
    """Write down what is normal.

    A service's photos are compared with it. Make it once for each version in service.

    Exit code: 0 written; 1 it cannot be; 2 wrong usage.
    """
    _needs_pipeline()
    from tintype.monitoring.drift import FEW
    from tintype.monitoring.reference import write_reference

    if days_of is not None:
        normal, count = _reference_of_days(days_of, days)
    else:
        normal = _reference_of_manifest(manifest, raw, photos, model, inputs_only=inputs_only)
        count = min(known.count for known in normal.statistics.values())
    write_reference(output, normal)
    print_line(f"{output}: {normal.source}")
    if count < FEW:
        print_note(
            f"Drift is told from {FEW} photos on, and this reference has {count}. It will say 'too few photos'."
        )


def write_report(
    folder: Path,
    reference_file: Path | None,
    output: Path,
    days: int,
    *,
    read_only: bool,
    now: datetime.datetime | None = None,
) -> int:
    """Convert, judge, and write the page.

    Parameters
    ----------
    folder : Path
        The service's TINTYPE_MONITOR_DIR.
    output : Path
        The page.
    days : int
        Newest days to read.
    read_only : bool
        Whether the folder is left as it is.
    now : datetime, optional
        The time; the clock's if it is left out.

    Returns
    -------
    int
        How many alarms there are.

    Raises
    ------
    TintypeError
        If a file cannot be read or written, or a package is missing.
    """
    now = now or datetime.datetime.now(datetime.UTC)
    first, last = _newest(days, now)
    _needs_pipeline()
    import numpy as np

    from tintype.monitoring.days import convert, read_days
    from tintype.monitoring.judging import judge
    from tintype.monitoring.reference import read_reference
    from tintype.monitoring.report import report

    normal = read_reference(reference_file) if reference_file else None
    converted = [] if read_only else convert(folder, now)
    found = read_days(folder, first, last)
    judgement = judge(found.photos, normal, np.datetime64(last))
    _write(output, report(found.photos, found.torn, judgement, normal, first, last, folder))
    if converted:
        print_line(f"{counted(len(converted), 'day')} made into Parquet in {folder}")
    for alarm in judgement.alarms:
        print_line(f"ALARM  {alarm}")
    for note in judgement.notes:
        print_line(f"note   {note}")
    print_line(
        f"{counted(len(found.photos), 'photo')} from {first} to {last}, "
        f"{counted(len(judgement.alarms), 'alarm')}: {output}"
    )
    return len(judgement.alarms)


def _newest(days: int, now: datetime.datetime) -> tuple[datetime.date, datetime.date]:
    """The first and the last of the newest days."""
    last = now.astimezone(datetime.UTC).date()
    return last - datetime.timedelta(days=days - 1), last


def _reference_of_days(folder: Path, days: int) -> tuple[Reference, int]:
    """What is normal by days of a service, and how many photos say so."""
    from tintype.monitoring.days import read_days
    from tintype.monitoring.reference import of_photos

    first, last = _newest(days, datetime.datetime.now(datetime.UTC))
    photos = read_days(folder, first, last).photos
    return of_photos(photos, f"{counted(len(photos), 'photo')} of the service, {first} to {last}"), len(
        photos
    )


def _reference_of_manifest(
    manifest: Path, raw: Path, photos: int, model: str | None, *, inputs_only: bool
) -> Reference:
    """What is normal by the photos of a data set, and by a model's colours for them."""
    from tintype.monitoring.reference import of_manifest

    if inputs_only:
        return of_manifest(manifest, raw, most=photos, colorizer=None)
    from tintype.colorize import Colorizer
    from tintype.models.bundle import bundle_digest
    from tintype.models.keras_backend import colours_on

    found = find_model(model, print_note)
    colorizer = Colorizer.load(found.bundle, colours_on())
    return of_manifest(
        manifest,
        raw,
        most=photos,
        colorizer=colorizer,
        model=f"{found.lineage.name}/{found.lineage.version or 'unregistered'}",
        bundle=bundle_digest(colorizer.info)[:12],
    )


def _write(output: Path, page: str) -> None:
    from tintype.files.atomic import write_text

    try:
        write_text(output, page)
    except OSError as error:
        raise TintypeError(f"Expected to write the page to {output}. Received: {error.strerror}.") from None


def _needs_pipeline() -> None:
    """Say it in a sentence where what reads Parquet is not installed."""
    from importlib.util import find_spec

    for package in ("pyarrow", "pandas"):
        if find_spec(package) is None:
            raise missing_package("The monitor's report", package, "pipeline")
