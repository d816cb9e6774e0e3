"""The follower of `tintype serve --follow`: a process beside the service that asks the registry for it.

The service knows no registry. This process looks where an alias points, puts a new version's bundle into BentoML's
store and names it in the served-version file, at which the service's workers look. It ends with the service.
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
from tintype.cli.long_running import Outage, state_folder
from tintype.errors import TintypeError, missing_package
from tintype.find_model import SCHEME, find_model
from tintype.serving.model.served_version_file import (
    ServedVersion,
    ServedVersionError,
    read_served_version,
    touch,
    write_served_version,
)

_ALIAS = re.compile(rf"{SCHEME}[^@/]+@[^@/]+")
_PAUSE = 0.5  # seconds between two looks whether the service still runs


def begin_following(alias: str, port: int, every: float) -> tuple[str, Path]:
    """Fetch the version that an alias names, and start the follower for the process that this one becomes.

    Parameters
    ----------
    alias : str
        ``models:/tintype@champion``.
    port : int
        Of the service; names the served-version file.
    every : float
        Seconds between two looks at the registry.

    Returns
    -------
    tag : str
        Of the model to begin with.
    file : Path
        The served-version file.

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
    served = _first(alias, file)
    write_served_version(file, served)
    command = [sys.executable, "-m", "tintype.cli.following", alias, str(file), str(every), str(os.getpid())]
    subprocess.Popen(command, stdin=subprocess.DEVNULL)
    return served.model, file


def _first(alias: str, file: Path) -> ServedVersion:
    """The alias' version; if it cannot be had, what this service answered with when it ran last."""
    before = _served_before(file)
    try:
        tag = _fetched(alias)
    except TintypeError as error:
        if before is None:
            raise
        print_error(f"error: {error} Beginning with {before.model}, which was served last.")
        return before.model_copy(update={"error": str(error)})
    return ServedVersion(model=tag) if before is None else before.moved_to(tag)


def _served_before(file: Path) -> ServedVersion | None:
    try:
        return read_served_version(file)
    except ServedVersionError:
        return None


def _fetched(address: str) -> str:
    """The tag in BentoML's store of a version of the registry."""
    from tintype.serving.model.store import import_version

    found = find_model(address)
    return import_version(found.bundle, found.lineage)


def follow(alias: str, file: Path, every: float, service: int) -> None:
    """Keep the file at what the alias names, for as long as the service runs.

    Parameters
    ----------
    file : Path
        The served-version file.
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
    served = read_served_version(file)
    if served.model != tag or served.error:
        write_served_version(file, served.moved_to(tag))


def _tell(file: Path, sentence: str) -> None:
    """Leave the sentence where the service finds it, without making the file look fresh."""
    served, status = read_served_version(file), file.stat()
    if served.error != sentence:
        write_served_version(file, served.model_copy(update={"error": sentence}))
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
