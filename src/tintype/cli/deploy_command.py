"""The command that brings a Bento into service: whatever a person configured, with a time limit."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tintype.errors import TintypeError

_GRACE_SECONDS = 10.0  # between asking a command to end and ending it
_LAST_LINE = 300  # characters of it that go into the sentence


class DeployError(TintypeError):
    """A deploy command failed."""


@dataclass(frozen=True)
class DeployCommand:
    """What to run for a Bento.

    Attributes
    ----------
    words : tuple of str
        Program and arguments. ``{bento}`` and ``{version}`` in them are replaced.
    seconds : float
        How long it may take.
    log : Path
        Its output is appended to.
    """

    words: tuple[str, ...]
    seconds: float
    log: Path

    def run(self, bento: str, version: str) -> None:
        """Deploy.

        Parameters
        ----------
        bento : str
            Tag, such as ``tintype:v3-cpu-0f343b0931b1``; in the environment `TINTYPE_BENTO`.
        version : str
            Number in the registry; in the environment `TINTYPE_VERSION`.

        Raises
        ------
        DeployError
            If the command cannot be started, takes too long or ends with another status than 0.
        """
        words = [word.replace("{bento}", bento).replace("{version}", version) for word in self.words]
        environment = {**os.environ, "TINTYPE_BENTO": bento, "TINTYPE_VERSION": version}
        try:
            self.log.parent.mkdir(parents=True, exist_ok=True)
            with self.log.open("ab") as log:
                log.write(f"--- {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} deploying {bento}\n".encode())
                log.flush()
                start = log.tell()
                # A session of its own: Ctrl+C at the watch lets it finish, and the clock ends all that it started.
                process = subprocess.Popen(
                    words,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=environment,
                    start_new_session=True,
                )
        except OSError as error:
            raise DeployError(f"Expected to run {words[0]}. Received: {error}.") from None
        status = self._wait(process)
        if status is None:
            raise DeployError(
                f"Expected the deploy command to end within {self.seconds:g} s. It was stopped. {self._output(start)}"
            )
        if status != 0:
            raise DeployError(
                f"Expected the deploy command to end with status 0. Received: {status}. {self._output(start)}"
            )

    def _wait(self, process: subprocess.Popen[bytes]) -> int | None:
        """The status; None if it had to be stopped."""
        try:
            return process.wait(self.seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        return None

    def _output(self, start: int) -> str:
        with self.log.open("rb") as log:
            log.seek(max(start, self.log.stat().st_size - 10_000))
            lines = log.read().decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return (
            f"Its last line: {last[-_LAST_LINE:]} (all of it is in {self.log})"
            if last
            else "It had no output."
        )


def deploy_command(text: str, seconds: float, log: Path) -> DeployCommand:
    """A command as a person writes it, taken apart as a shell would, but run without one.

    Parameters
    ----------
    text : str
        Such as ``kubectl set image deployment/tintype tintype=registry.example.org/{bento}``.

    Raises
    ------
    DeployError
        If a quote is not closed, or there is no such program.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise DeployError(f"Expected a command after --deploy. Received: {text} ({error}).") from None
    if not words or shutil.which(words[0]) is None:
        raise DeployError(
            f"Expected a program that can be run after --deploy. Received: {words[0] if words else 'nothing'}. "
            "There is no shell: for pipes and variables write a script and name it."
        )
    return DeployCommand(tuple(words), seconds, log)
