"""Packs and deploys whichever version becomes the champion.

`Deployer.look_once` looks at the registry and does what has not been done. Each step first looks whether it has been
done, so a watch that was killed is finished by the next one. A failure is written to the registry and left alone until
a person asks for another try or promotes again; the service that was there goes on.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from tintype.cli.console import print_error
from tintype.cli.deploy_command import DeployCommand, deploy_command
from tintype.cli.long_running import state_folder
from tintype.errors import TintypeError
from tintype.files.lock import locked
from tintype.find_model import MODEL
from tintype.registry.deploy import DeploymentState, champion_state, write_state
from tintype.registry.store import NoAnswerError, find_store
from tintype.registry.tags import DEPLOY_ERROR, DEPLOYED_AT, PACKAGED

_PACKING_SECONDS = 600.0  # that a single look waits for another watch, beside what a deployment may take
_SEEN_BY = "tintype watch"


@dataclass(frozen=True)
class Deployer:
    """Packs and deploys the champion.

    Attributes
    ----------
    name : str
        Of the registered model.
    seen_by : str
        Who looks, for the history of champions.
    pack : callable
        Makes the Bento of a version's address, unless BentoML's store has it, and gives its tag.
    deploy : DeployCommand or None
        None: it is only packed.
    lock : Path
        Held while a promotion is acted on: one watch at a time on this machine.
    patience : float
        Seconds to wait for the lock.
    stopped : callable
        Whether the watch was told to stop. What fails then was cut off, and the next watch does it again.
    """

    name: str
    seen_by: str
    pack: Callable[[str], str]
    deploy: DeployCommand | None
    lock: Path
    patience: float
    stopped: Callable[[], bool]

    def look_once(self, retry: bool) -> bool:
        """Look at the champion and do what has not been done.

        Parameters
        ----------
        retry : bool
            Try again what has failed.

        Returns
        -------
        bool
            False if the champion could not be packed or deployed, now or the last time.

        Raises
        ------
        NoAnswerError
            If the registry does not answer; everything is still to be done then.
        """
        state = self._state()
        if not self._is_open(state, retry):
            return _is_well(state)
        try:
            with locked(self.lock, self.patience):
                state = self._state()  # another watch may have done it meanwhile
                if state is None or not self._is_open(state, retry):
                    return _is_well(state)
                return self._carry_out(state)
        except TimeoutError:
            print_error("note: Another watch is at work on this promotion.")
            return True

    def _state(self) -> DeploymentState | None:
        return champion_state(self.name, self.seen_by)

    def _is_open(self, state: DeploymentState | None, retry: bool) -> bool:
        if state is None:
            return False
        if not state.handled:
            return True
        if state.deploy_error:
            return retry
        return not state.packaged or (self.deploy is not None and not state.deployed_at)

    def _carry_out(self, state: DeploymentState) -> bool:
        print_error(f"Version {state.version} of {state.name} is the champion: packing it ...")
        try:
            bento = self.pack(state.address)
        except NoAnswerError:
            raise
        except (TintypeError, OSError) as error:
            return self._fail(state, f"It could not be packed: {error}")
        write_state(state, {PACKAGED: bento})
        print_error(f"Packed as {bento}.")
        if self.deploy is None:
            write_state(state, {DEPLOY_ERROR: None}, handled=True)
            return True
        now = self._state()
        if now is None or now.version != state.version:
            print_error(f"Version {state.version} is not the champion any more: it is not deployed.")
            return True
        print_error(f"Deploying {bento}; the command's output is in {self.deploy.log} ...")
        try:
            self.deploy.run(bento, state.version)
        except TintypeError as error:
            return self._fail(state, f"It could not be deployed: {error}")
        write_state(state, {DEPLOYED_AT: _now(), DEPLOY_ERROR: None}, handled=True)
        print_error(f"Deployed {bento}.")
        return True

    def _fail(self, state: DeploymentState, sentence: str) -> bool:
        if self.stopped():
            print_error(f"note: Stopped. {sentence}")
            return False
        print_error(f"error: Version {state.version}: {sentence}")
        print_error("note: What was in service is left as it is. `tintype watch --retry` tries again.")
        write_state(state, {DEPLOY_ERROR: f"{_now()}: {sentence}"}, handled=True)
        return False


def lock_for(folder: Path, registry: str, name: str) -> Path:
    """The lock file, in a folder, of one model in the registry of an address."""
    return folder / f"watch-{hashlib.sha256(f'{registry} {name}'.encode()).hexdigest()[:16]}.lock"


def deployer_of_champion(
    variant: str,
    command: str | None,
    seconds: float,
    log: Path | None,
    stop: threading.Event,
    *,
    waits: bool,
) -> Deployer:
    """The deployer of the project's registry, as the options of `tintype watch` describe it.

    Parameters
    ----------
    variant : str
        ``cpu`` or ``gpu``.
    command : str or None
        What deploys a Bento; None: it is only packed.
    seconds : float
        How long the command may take.
    log : Path or None
        For its output; None for a file in the state folder.
    stop : threading.Event
        Is set when the watch is told to stop.
    waits : bool
        Whether another watch is waited for, instead of leaving the promotion to it.

    Raises
    ------
    TintypeError
        If the command is not a command, or there is no project here and no registry is named.
    """
    found = None
    if command is not None:
        found = deploy_command(command, seconds, log or state_folder() / "watch-deploy.log")
    return Deployer(
        MODEL,
        _SEEN_BY,
        partial(_pack, variant),
        found,
        lock_for(state_folder(), find_store().uri, MODEL),
        seconds + _PACKING_SECONDS if waits else 0.0,
        stop.is_set,
    )


def _pack(variant: str, address: str) -> str:
    from tintype.cli.package import package_version

    return package_version(address, variant).tag


def _is_well(state: DeploymentState | None) -> bool:
    return state is None or not state.deploy_error


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
