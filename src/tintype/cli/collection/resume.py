"""What is left to do: the plan, the log of earlier runs and the files that are there, held side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from glob import escape
from pathlib import Path

from tintype.cli.collection.plan import Job, Options
from tintype.cli.collection.results_log import Record, ResultsLog
from tintype.cli.console import counted
from tintype.errors import UsageError
from tintype.files.digest import sha256_of


@dataclass(frozen=True)
class Identity:
    """What a result depends on beside its photo."""

    bundle_sha256: str
    parameters: Mapping[str, str]


@dataclass
class Decision:
    """What happens to each photo.

    Attributes
    ----------
    todo : list of Job
        To be coloured.
    done : list of Job
        Coloured by an earlier run just as they would be now.
    stale : list of (Job, str)
        Coloured by an earlier run from another photo, by another model or in another way, and what differs.
    existing : list of Job
        Left out because of ``--skip-existing``.
    foreign : list of Job
        Whose place is taken by files that no known run has written.
    retried : int
        How many of `todo` failed before.
    replaced : int
        How many of `todo` have a result that is replaced.
    finished : list of Record
        Lines that a killed run could not write any more.
    """

    todo: list[Job] = field(default_factory=list)
    done: list[Job] = field(default_factory=list)
    stale: list[tuple[Job, str]] = field(default_factory=list)
    existing: list[Job] = field(default_factory=list)
    foreign: list[Job] = field(default_factory=list)
    retried: int = 0
    replaced: int = 0
    finished: list[Record] = field(default_factory=list)

    def refuse_foreign(self) -> None:
        """Raise a `UsageError` if a file would be overwritten that must stay."""
        if not self.foreign:
            return
        first = next(path for path in self.foreign[0].outputs if path.exists())
        more = f" and {len(self.foreign) - 1} more" if len(self.foreign) > 1 else ""
        raise UsageError(
            f"{first}{more} already {'exist' if more else 'exists'}. "
            "Use --force to replace, or --skip-existing to colour only the others."
        )


def decide(
    jobs: Sequence[Job], log: ResultsLog, options: Options, identity: Callable[[], Identity]
) -> Decision:
    """Sort the jobs.

    Parameters
    ----------
    jobs : sequence of Job
        Of the plan.
    log : ResultsLog
        Of the folder of results.
    options : Options
        `force` and `skip_existing` are used.
    identity : callable
        Asked for only where an earlier result must be compared: it takes the model.
    """
    decision = Decision()
    for job in jobs:
        record = log.content.records.get(log.name_of(job.destination))
        _decide_one(decision, job, record, options, identity)
    return decision


def _decide_one(
    decision: Decision, job: Job, record: Record | None, options: Options, identity: Callable[[], Identity]
) -> None:
    there = job.destination.exists() or (record is None and any(path.exists() for path in job.outputs))
    if not there:
        decision.todo.append(job)
        decision.retried += record is not None and record.status == "failed"
        return
    if options.skip_existing:
        decision.existing.append(job)
        return
    ours = record is not None and _wrote(record, job.destination)
    if record is None or not ours:
        _replace_or(decision, job, options, lambda: decision.foreign.append(job))
        return
    difference = _difference(record, job, identity())
    if difference:
        _replace_or(decision, job, options, lambda: decision.stale.append((job, difference)))
        return
    decision.done.append(job)
    if record.status == "writing":
        decision.finished.append(replace(record, status="done"))


def _replace_or(decision: Decision, job: Job, options: Options, otherwise: Callable[[], None]) -> None:
    if not options.force:
        otherwise()
        return
    decision.todo.append(job)
    decision.replaced += 1


def _wrote(record: Record, destination: Path) -> bool:
    """Whether the file there is the record's: a run may have been killed before it put it in its place."""
    if record.status == "writing":
        return sha256_of(destination) == record.result_sha256
    return record.status == "done"


def _difference(record: Record, job: Job, identity: Identity) -> str:
    """What makes an earlier result another one than would be made now; empty if nothing does."""
    if record.model.get("bundle_sha256") != identity.bundle_sha256:
        return f"by another model ({_model_name(record.model)})"
    other = sorted(
        name for name, value in identity.parameters.items() if record.parameters.get(name) != value
    )
    if other:
        return "with " + ", ".join(f"{name} {record.parameters.get(name, 'unknown')}" for name in other)
    if not _same_photo(record, job.source):
        return "from a photo that has changed since"
    if job.destination.stat().st_size != record.result_bytes:
        return "and changed since"
    return ""


def _model_name(model: Mapping[str, str]) -> str:
    return f"{model.get('name', 'unknown')} {model.get('version') or model.get('bundle_sha256', '')[:12]}"


def _same_photo(record: Record, source: Path) -> bool:
    try:
        status = source.stat()
        if (str(source.absolute()), status.st_size, status.st_mtime_ns) == (
            record.source,
            record.bytes,
            record.mtime_ns,
        ):
            return True
        return status.st_size == record.bytes and sha256_of(source) == record.sha256
    except OSError:
        return False


def stale_lines(decision: Decision, shown: int = 20) -> list[str]:
    """A sentence for each earlier result that was left as it is, up to `shown` of them."""
    lines = [f"left: {job.destination} was coloured {why}." for job, why in decision.stale[:shown]]
    if len(decision.stale) > shown:
        lines.append(f"left: {counted(len(decision.stale) - shown, 'more result')} of that kind.")
    if decision.stale:
        lines.append("Use --force to colour them anew.")
    return lines


def remove_leftovers(jobs: Sequence[Job], log: ResultsLog) -> None:
    """Remove half-written files of a run that was killed while it wrote these jobs' results."""
    for job in jobs:
        record = log.content.records.get(log.name_of(job.destination))
        if record is None or record.status != "writing":
            continue
        for path in job.outputs:
            for part in path.parent.glob(f".{escape(path.stem)}-*.part{escape(path.suffix)}"):
                part.unlink(missing_ok=True)
