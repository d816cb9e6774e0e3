"""What follows a promotion: the champion is packed, and the deploy command run with its Bento.

Each step first looks whether it has been done, so that a watch that was killed is finished by the next one. What has
failed is told in the registry and left alone until somebody asks for it or promotes again: the service that was
there goes on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tintype.cli.console import print_error
from tintype.cli.deploying import DeployCommand
from tintype.errors import TintypeError
from tintype.files.turns import in_turn
from tintype.registry.rollout import DEPLOY_ERROR, DEPLOYED_AT, PACKAGED, Rollout, Rollouts
from tintype.registry.store import NoAnswerError

Pack = Callable[[str], str]


@dataclass(frozen=True)
class Promoter:
    """Acts on promotions.

    Attributes
    ----------
    promotions : Rollouts
        Of the registry.
    pack : callable
        Makes the Bento of a version's address, unless it is in BentoML's store, and gives its tag.
    deploy : DeployCommand or None
        None: it is only packed.
    lock : Path
        One watch after the other, on this machine.
    patience : float
        Seconds to wait for another watch.
    stopped : callable
        Whether the watch was told to stop: what fails then was cut off, and is done again by the next one.
    """

    promotions: Rollouts
    pack: Pack
    deploy: DeployCommand | None
    lock: Path
    patience: float
    stopped: Callable[[], bool]

    def act(self, retry: bool) -> bool:
        """Look at the champion and do what is not done.

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
            If the registry does not answer; all is to be done again then.
        """
        promotion = self.promotions.look()
        if promotion is None or not self._is_open(promotion, retry):
            return promotion is None or not promotion.deploy_error
        try:
            with in_turn(self.lock, self.patience):
                promotion = self.promotions.look()  # another watch may have done it meanwhile
                if promotion is None or not self._is_open(promotion, retry):
                    return promotion is None or not promotion.deploy_error
                return self._promote(promotion)
        except TimeoutError:
            print_error("note: Another watch is at work on this promotion.")
            return True

    def _is_open(self, promotion: Rollout, retry: bool) -> bool:
        if not promotion.handled:
            return True
        if promotion.deploy_error:
            return retry
        return not promotion.packaged or (self.deploy is not None and not promotion.deployed_at)

    def _promote(self, promotion: Rollout) -> bool:
        print_error(f"Version {promotion.version} of {promotion.name} is the champion: packing it ...")
        try:
            bento = self.pack(promotion.address)
        except NoAnswerError:
            raise
        except (TintypeError, OSError) as error:
            return self._fail(promotion, f"It could not be packed: {error}")
        self.promotions.remember(promotion, {PACKAGED: bento})
        print_error(f"Packed as {bento}.")
        if self.deploy is not None:
            now = self.promotions.look()
            if now is None or now.version != promotion.version:
                print_error(f"Version {promotion.version} is not the champion any more: it is not deployed.")
                return True
            print_error(f"Deploying {bento}; what the command says is in {self.deploy.log} ...")
            try:
                self.deploy.run(bento, promotion.version)
            except TintypeError as error:
                return self._fail(promotion, f"It could not be deployed: {error}")
            self.promotions.remember(promotion, {DEPLOYED_AT: _now(), DEPLOY_ERROR: None})
            print_error(f"Deployed {bento}.")
        elif promotion.deploy_error:
            self.promotions.remember(promotion, {DEPLOY_ERROR: None})
        self.promotions.settle(promotion)
        return True

    def _fail(self, promotion: Rollout, sentence: str) -> bool:
        if self.stopped():
            print_error(f"note: Stopped. {sentence}")
            return False
        print_error(f"error: Version {promotion.version}: {sentence}")
        print_error("note: What was in service is left as it is. `tintype watch --retry` tries again.")
        self.promotions.remember(promotion, {DEPLOY_ERROR: f"{_now()}: {sentence}"})
        self.promotions.settle(promotion)
        return False


def lock_for(folder: Path, registry: str, name: str) -> Path:
    """The lock of one model in one registry.

    Parameters
    ----------
    folder : Path
        For locks.
    registry : str
        Address of the store.
    name : str
        Of the registered model.
    """
    return folder / f"watch-{hashlib.sha256(f'{registry} {name}'.encode()).hexdigest()[:16]}.lock"


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
