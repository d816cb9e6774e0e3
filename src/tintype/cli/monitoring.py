"""What the commands of `tintype monitor` do."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np

from tintype.cli.console import counted, print_error, print_line
from tintype.cli.version import find_version
from tintype.errors import TintypeError, missing_package
from tintype.files.atomic import write_text

ALARMED = 3


def run_report(
    folder: Path,
    reference_file: Path | None,
    output: Path,
    days: int,
    *,
    check: bool,
    read_only: bool,
    now: datetime.datetime | None = None,
) -> int:
    """Convert, judge, and write the page.

    Parameters
    ----------
    folder : Path
        The service's TINTYPE_MONITOR_DIR.
    reference_file : Path or None
    output : Path
        The page.
    days : int
        Newest days to read.
    check : bool
        Whether alarms make the exit code.
    read_only : bool
        Whether the folder is left as it is.
    now : datetime, optional
        The time; the clock's if it is left out.

    Returns
    -------
    int
        0 written, 1 it cannot be, 3 there are alarms and `check` was asked for.
    """
    now = now or datetime.datetime.now(datetime.UTC)
    last = now.astimezone(datetime.UTC).date()
    first = last - datetime.timedelta(days=days - 1)
    try:
        _needs_pipeline()
        from tintype.monitoring.days import convert, read_days
        from tintype.monitoring.judging import judge
        from tintype.monitoring.reference import read_reference
        from tintype.monitoring.report import report

        reference = read_reference(reference_file) if reference_file else None
        converted = [] if read_only else convert(folder, now)
        found = read_days(folder, first, last)
        judgement = judge(found.photos, reference, np.datetime64(last))
        _write(output, report(found.photos, found.torn, judgement, reference, first, last, folder))
    except TintypeError as error:
        print_error(f"error: {error}")
        return 1
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
    return ALARMED if check and judgement.alarms else 0


def run_reference_of_days(folder: Path, days: int, output: Path) -> int:
    """Take days of a service as normal.

    Parameters
    ----------
    folder : Path
        The service's TINTYPE_MONITOR_DIR.
    days : int
        Newest days.
    output : Path
        The reference.

    Returns
    -------
    int
        0 written, 1 it cannot be.
    """
    last = datetime.datetime.now(datetime.UTC).date()
    first = last - datetime.timedelta(days=days - 1)
    try:
        _needs_pipeline()
        from tintype.monitoring.days import read_days
        from tintype.monitoring.reference import of_photos, write_reference

        photos = read_days(folder, first, last).photos
        reference = of_photos(photos, f"{counted(len(photos), 'photo')} of the service, {first} to {last}")
        write_reference(output, reference)
    except TintypeError as error:
        print_error(f"error: {error}")
        return 1
    return _told(output, reference.source, len(photos))


def run_reference(
    manifest: Path, raw: Path, photos: int, model: str | None, output: Path, *, inputs_only: bool
) -> int:
    """Take a data set's photos as normal.

    Parameters
    ----------
    manifest, raw : Path
        Of the pipeline.
    photos : int
        At most so many for training, and as many others.
    model : str or None
        As `tintype.cli.version.find_version` takes it.
    output : Path
        The reference.
    inputs_only : bool
        Whether nothing is coloured.

    Returns
    -------
    int
        0 written, 1 it cannot be.
    """
    try:
        _needs_pipeline()
        from tintype.colorize import Colorizer
        from tintype.models.bundle import bundle_digest
        from tintype.models.keras_backend import colours_on
        from tintype.monitoring.reference import of_manifest, write_reference

        if inputs_only:
            reference = of_manifest(manifest, raw, most=photos, colorizer=None)
        else:
            found = find_version(model)
            colorizer = Colorizer.load(found.bundle, colours_on())
            reference = of_manifest(
                manifest,
                raw,
                most=photos,
                colorizer=colorizer,
                model=f"{found.lineage.name}/{found.lineage.version or 'unregistered'}",
                bundle=bundle_digest(colorizer.info)[:12],
            )
        write_reference(output, reference)
    except TintypeError as error:
        print_error(f"error: {error}")
        return 1
    return _told(output, reference.source, min(known.count for known in reference.statistics.values()))


def _told(output: Path, source: str, count: int) -> int:
    from tintype.monitoring.drift import FEW

    print_line(f"{output}: {source}")
    if count < FEW:
        print_error(
            f"note: Drift is told from {FEW} photos on, and this reference has {count}. It will say 'too few photos'."
        )
    return 0


def _write(output: Path, page: str) -> None:
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
