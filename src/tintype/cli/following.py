"""The follower of `tintype serve --follow`: a process beside the service that asks the registry for it.

The service knows no registry. This process looks where an alias points, puts a new version's bundle into BentoML's
store and names it in the pointer file, at which the service's workers look. It ends with the service.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

from tintype.cli.console import print_error
from tintype.cli.outage import Outage
from tintype.cli.state import state_folder
from tintype.cli.version import SCHEME, find_version
from tintype.errors import TintypeError, missing_package
from tintype.serving.pointer import Pointer, PointerError, read_pointer, touch, write_pointer

_ALIAS = re.compile(rf"{SCHEME}[^@/]+@[^@/]+")
_PAUSE = 0.5  # seconds between two looks whether the service still runs


def begin_following(alias: str, port: int, every: float) -> tuple[str, Path]:
    """Fetch the version that an alias names, and start the follower for the process that this one becomes.

    Parameters
    ----------
    alias : str
        ``models:/tintype@champion``.
    port : int
        Of the service; names the pointer file.
    every : float
        Seconds between two looks at the registry.

    Returns
    -------
    tag : str
        Of the model to begin with.
    pointer : Path
        The pointer file.

    Raises
    ------
    TintypeError
        If the address is not an alias', or there is no such version and none that was served before.
    """
    if not _ALIAS.fullmatch(alias):
        raise TintypeError(
            f"Expected an alias to follow, as models:/NAME@ALIAS. Received: {alias}. What never moves is for --model."
        )
    if find_spec("mlflow") is None:
        raise missing_package("Following an alias", "mlflow", "pipeline")
    file = state_folder() / f"serve-{port}.json"
    pointer = _first(alias, file)
    write_pointer(file, pointer)
    command = [sys.executable, "-m", "tintype.cli.following", alias, str(file), str(every), str(os.getpid())]
    subprocess.Popen(command, stdin=subprocess.DEVNULL)
    return pointer.model, file


def _first(alias: str, file: Path) -> Pointer:
    """The alias' version; if it cannot be had, what this service answered with when it ran last."""
    before = _known(file)
    try:
        tag = _fetched(alias)
    except TintypeError as error:
        if before is None:
            raise
        print_error(f"error: {error} Beginning with {before.model}, which was served last.")
        return before.model_copy(update={"error": str(error)})
    return Pointer(model=tag) if before is None else before.moved(tag)


def _known(file: Path) -> Pointer | None:
    try:
        return read_pointer(file)
    except PointerError:
        return None


def _fetched(address: str) -> str:
    """The tag in BentoML's store of a version of the registry."""
    from tintype.serving.model import import_version

    found = find_version(address)
    return import_version(found.bundle, found.lineage)


def follow(alias: str, file: Path, every: float, service: int) -> None:
    """Keep the pointer where the alias is, for as long as the service runs.

    Parameters
    ----------
    alias : str
    file : Path
        The pointer file.
    every : float
        Seconds between two looks.
    service : int
        Id of the service's process, this one's parent.
    """
    from tintype.registry.resolve import exact_address

    outage, known, tag = Outage(every), "", ""
    while os.getppid() == service:
        try:
            address = exact_address(alias)
            if address != known:
                tag = _fetched(address)
                known = address
            _point(file, tag)
            touch(file)
        except (TintypeError, OSError) as error:
            pause = outage.failed(error)
            _tell(file, str(error))
        else:
            pause = outage.over()
        _wait(pause, service)


def _point(file: Path, tag: str) -> None:
    pointer = read_pointer(file)
    if pointer.model != tag or pointer.error:
        write_pointer(file, pointer.moved(tag))


def _tell(file: Path, sentence: str) -> None:
    """Leave the sentence where the service finds it, without making the pointer look fresh."""
    pointer, status = read_pointer(file), file.stat()
    if pointer.error != sentence:
        write_pointer(file, pointer.model_copy(update={"error": sentence}))
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def _wait(seconds: float, service: int) -> None:
    end = time.monotonic() + seconds
    while os.getppid() == service and (left := end - time.monotonic()) > 0:
        time.sleep(min(left, _PAUSE))


def main() -> None:
    """Take what `begin_following` wrote on the command line. Ends by itself, and in silence on Ctrl+C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    alias, file, every, service = sys.argv[1:]
    follow(alias, Path(file), float(every), int(service))


if __name__ == "__main__":
    main()
