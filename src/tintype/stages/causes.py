"""What stops a stage from outside, as sentences: no room on a disk, no memory, a package that cannot be imported.

Libraries say it in many ways, some of them only in words, and often behind an error of their own.
"""

from __future__ import annotations

import errno
import re
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path

from tintype.errors import TintypeError, first_line
from tintype.files.disk import FULL, UNWRITABLE, full_disk, fullest, unwritable

_FULL_WORDS = re.compile(
    r"no space left on device|disk quota exceeded|file too large|database or disk is full", re.I
)
_MEMORY_WORDS = re.compile(
    r"cannot allocate memory|insufficient memory|out of memory|std::bad_alloc|can't start new thread"
    r"|oom when allocating|failed to map segment",
    re.I,
)
# MB of address space that a stage takes with a few photos on two cores; more cores take more.
_LEAST = {
    **dict.fromkeys(("validate", "lab", "embed", "evaluate", "register"), 1200),
    "check": 800,
    **dict.fromkeys(("weights", "train"), 2200),  # TensorFlow
}
_NO_SCRATCH = "No usable temporary directory"
_FOR_SCRATCH = "Free some space there, or name another folder with TMPDIR, and run again."


def sentence_of(error: BaseException) -> str | None:
    """What an error means for the person at the keyboard; None if it is a mistake in the code."""
    if isinstance(error, TintypeError):
        return str(error)
    chain = list(_chain(error))
    for cause in chain:
        if sentence := _disk(cause):
            return sentence
    for cause in chain:
        if (
            isinstance(cause, MemoryError)
            or _errno(cause) == errno.ENOMEM
            or _MEMORY_WORDS.search(str(cause))
        ):
            return _memory(cause)
    for cause in chain:
        if isinstance(cause, ImportError) and not (cause.name or "").startswith("tintype"):
            return (
                f"Expected to import {cause.name or _imported(cause)}, but it cannot be imported: "
                f"{first_line(cause)}. `make env` installs all packages as uv.lock has them; then run again."
            )
    return None


def _imported(error: ImportError) -> str:
    """The package that we were importing when something inside it failed."""
    name = "a package"
    for frame, _ in reversed(list(traceback.walk_tb(error.__traceback__))):
        module = str(frame.f_globals.get("__name__")).partition(".")[0]
        if module in ("tintype", "__main__"):
            break
        if "importlib" not in module:
            name = module
    return name


def _disk(error: BaseException) -> str | None:
    if _NO_SCRATCH in str(error):
        return f"Expected a folder for temporary files with room in it. Received: {first_line(error)}. {_FOR_SCRATCH}"
    if isinstance(error, OSError) and error.errno in UNWRITABLE and error.filename:
        return unwritable(error, Path(str(error.filename)).parent)
    if _errno(error) not in FULL and not _FULL_WORDS.search(str(error)):
        return None
    scratch = Path(tempfile.gettempdir())
    named = getattr(error, "filename", None) or next(
        iter(re.findall(r"(?<![\w.])/[^\s'\":;,]+", str(error))), None
    )
    place = Path(str(named)) if named else fullest(Path.cwd(), scratch)
    if place.is_relative_to(scratch):
        return f"{full_disk(error, place)} {scratch} is the folder for temporary files. {_FOR_SCRATCH}"
    return f"{full_disk(error, place)} Free some space and run again."


def _memory(error: BaseException) -> str:
    return (
        f"The memory is used up: {first_line(error)}.{_limit()} Close other programs, or lower what a stage takes at "
        "a time (lab.workers, embed.batch_size, train.batch_size in params.yaml), and run again: what is finished is "
        "kept."
    )


def refuse_small_limit(stage: str) -> None:
    """Refuse a limit of address space in which a stage's packages cannot be loaded: they would crash without a word.

    Raises
    ------
    TintypeError
        With the limit, and what the stage needs.
    """
    limit, needed = _address_space(), _LEAST.get(stage, 0) * 1e6
    if limit is not None and limit < needed:
        raise TintypeError(
            f"The stage `{stage}` needs at least {needed / 1e6:,.0f} MB of address space, and more with many photos. "
            f"This process may have {limit / 1e6:,.0f} MB (`ulimit -v`). Raise the limit, or run without one: "
            "`ulimit -v unlimited`."
        )


def _limit() -> str:
    limit = _address_space()
    if limit is None:
        return ""
    return (
        f" This process may have {limit / 1e6:,.0f} MB of address space (`ulimit -v`), which can be raised."
    )


def _address_space() -> int | None:
    """How many bytes of it a process may have; None without a limit."""
    if sys.platform == "win32":
        return None
    import resource

    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    return None if limit == resource.RLIM_INFINITY else limit


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _errno(error: BaseException) -> int | None:
    return error.errno if isinstance(error, OSError) else None
