"""A call of `tintype colorize`: from its plan to the sentence that sums it up."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tintype.cli.collection.plan import Job, Options, Plan, plan
from tintype.cli.collection.results_log import LOG_FILE, ResultsLog
from tintype.cli.collection.resume import Decision, Identity, decide, remove_leftovers
from tintype.cli.collection.run import CollectionRun
from tintype.cli.collection.summary import Summary, say_found, say_left_out
from tintype.cli.collection.write import ResultWriter
from tintype.cli.console import print_error, print_line, print_note, progress
from tintype.errors import TintypeError
from tintype.find_model import FoundModel, find_model

if TYPE_CHECKING:
    from tintype.colorize import Colorizer

OK, FAILED, STOPPED = 0, 1, 130
_GO_ON = "Run the same command again to go on."


def run(
    photos: Sequence[Path], output: Path, model: str | None, options: Options, *, dry_run: bool = False
) -> int:
    """Colour photos and say how it went.

    Parameters
    ----------
    photos : sequence of Path
        Photos and folders of photos.
    output : Path
        A folder, or a file for one photo.
    model : str or None
        As `tintype.find_model.find_model` takes it.
    options : Options
        How.
    dry_run : bool
        Whether only to say what would be done.

    Returns
    -------
    int
        Exit code: 0 all were coloured, 1 some were not, 130 it was stopped by Ctrl+C.

    Raises
    ------
    UsageError
        If the call makes no sense as it stands; nothing was begun.
    TintypeError
        If there is no such model, or the log of results cannot be read or written.
    """
    warnings.filterwarnings("ignore", module="PIL")  # what matters in them comes as a photo's notes
    find = cache(lambda: find_model(model, print_note))
    try:
        planned = plan(photos, output, options)
        if dry_run:
            from tintype.cli.collection.estimate import say_estimate

            log = ResultsLog.as_read(_folder_of_log(planned))
            code = say_estimate(_decided(planned, log, options, find), options)
            say_found(planned.found)
            return code
        with ResultsLog(_folder_of_log(planned)) as log:
            return _run(planned, output, log, options, find)
    except KeyboardInterrupt:
        print_error(f"Stopped. {_GO_ON}")
        return STOPPED


def _folder_of_log(planned: Plan) -> Path | None:
    """Where the results' log is kept: beside the results of a collection, not for a single photo."""
    if planned.folder is None:
        return None
    kept = planned.collects or (planned.folder / LOG_FILE).exists()
    return planned.folder if kept else None


def _decided(planned: Plan, log: ResultsLog, options: Options, find: Callable[[], FoundModel]) -> Decision:
    return decide(
        planned.jobs,
        log,
        options,
        lambda: Identity(find().lineage.bundle_sha256, options.parameters),
    )


def _run(
    planned: Plan, output: Path, log: ResultsLog, options: Options, find: Callable[[], FoundModel]
) -> int:
    if log.content.torn:
        print_error(
            f"note: {output / LOG_FILE}: Its last line was cut off, as by a kill; the photo is looked at anew."
        )
    decision = _decided(planned, log, options, find)
    decision.refuse_foreign()
    for record in decision.finished:
        log.append(record)
    code = OK
    if decision.todo:
        remove_leftovers(decision.todo, log)
        found = find()
        colorizer = _load(found.bundle)
        if options.needs_confidence:
            colorizer.check_confidence()
        collection = CollectionRun(colorizer, ResultWriter(options, found.lineage, log))
        code = _colour_all(collection, decision.todo, output)
    elif decision.stale:
        print_line(
            "Nothing was coloured: every photo has a result already, but not all are what was asked for."
        )
    else:
        print_line("Nothing to do: every photo has its result already.")
    say_left_out(decision)
    say_found(planned.found)
    return FAILED if code == OK and (decision.stale or planned.found.unreadable) else code


def _load(bundle: Path) -> Colorizer:
    if sys.stderr.isatty():
        print_error(f"Loading {bundle} ...")
    from tintype.colorize import Colorizer
    from tintype.models.keras_backend import colours_on

    colorizer = Colorizer.load(bundle, colours_on())
    if colorizer.lacks_ir:
        print_error(
            f"note: {bundle} is from before bundles had an IR. Keras colours, and takes longer to start."
        )
    return colorizer


def _colour_all(collection: CollectionRun, jobs: Sequence[Job], output: Path) -> int:
    """Colour each photo, name those that fail, and sum up."""
    start, summary, code = time.monotonic(), Summary(len(jobs)), OK
    with progress(len(jobs)) as bar:
        try:
            for result in collection.run(jobs):
                bar.update()
                summary.add(result)
                if result.fatal is not None:
                    raise result.fatal
        except KeyboardInterrupt:
            print_error("Stopping: photos that are being written are finished first ...")
            code = STOPPED
        except TintypeError:
            code = FAILED  # said with its photo
            print_error("Stopped: nothing can be written any more.")
        finally:
            for result in collection.stop():
                summary.add(result)
    summary.say(output, time.monotonic() - start)
    if summary.answered < len(jobs):
        print_error(f"{len(jobs) - summary.answered:,} not begun. {_GO_ON}")
    elif summary.failed:
        print_error(f"{summary.failed:,} failed. Run the same command again to try them again.")
    return code or (FAILED if summary.failed else OK)
