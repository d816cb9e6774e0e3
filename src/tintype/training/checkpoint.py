"""Training that survives a kill.

A checkpoint is the compiled network as a Keras file (weights, optimizer, moving averages), the best weights so far,
and a small state file that names both, with their checksums. The state file is written last, by a rename: killed at
any moment, the folder holds the checkpoint before or the one after. The one before the last is kept as well: a training
goes on from it if a file of the last is damaged. The folder's name is a fingerprint of parameters and data, so that a
training never continues from another one's weights.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from tintype.errors import TintypeError
from tintype.files.atomic import new_file, write_text
from tintype.files.digest import sha256_of

STATE_FILE, BEFORE_FILE = "state.json", "before.json"


class TrainingState(BaseModel):
    """How far a training has come."""

    model_config = ConfigDict(extra="forbid")

    epoch: int = 0  # epochs finished
    best_epoch: int = 0
    best_loss: float | None = None
    history: list[dict[str, float]] = []
    run_id: str | None = None  # of the tracked run, which a continued training takes up again
    network_file: str | None = None
    best_file: str | None = None
    checksums: dict[str, str] = {}  # SHA-256 of both files


class Checkpoints:
    """The checkpoint of one training.

    Parameters
    ----------
    folder : Path
        Its own folder, named by a fingerprint.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self) -> TrainingState:
        """The last state that is whole, or a fresh one if there is none.

        A damaged one is named on standard error, and gives way to the one before.

        Raises
        ------
        TintypeError
            If there are states and none of them can be used, as one of another version of this code.
        """
        damages: list[str] = []
        for name in (STATE_FILE, BEFORE_FILE):
            if not (self.folder / name).is_file():
                continue
            state, damage = self._read(name)
            if state is not None:
                if damages:
                    sys.stderr.write(
                        f"warning: {damages[0]} The training goes on from the checkpoint before, after epoch "
                        f"{state.epoch}.\n"
                    )
                    self._note(state)
                return state
            damages.append(damage)
        if damages:
            raise TintypeError(f"{' '.join(damages)} Delete {self.folder} to train from the beginning.")
        return TrainingState()

    def _read(self, name: str) -> tuple[TrainingState | None, str]:
        """A state whose files are as they were written, or what is wrong with it."""
        path = self.folder / name
        try:
            state = TrainingState.model_validate_json(path.read_bytes())
        except ValidationError:
            return None, (
                f"Expected the state of a training that was cut off in {path}, but its content is something else."
            )
        for file, checksum in state.checksums.items():
            if not (self.folder / file).is_file() or sha256_of(self.folder / file) != checksum:
                return None, (
                    f"Expected {self.folder / file} as the training wrote it, but it is damaged or missing."
                )
        return state, ""

    def load_network(self, state: TrainingState) -> Any:
        """The compiled network of a state that has one.

        Raises
        ------
        TintypeError
            If Keras cannot load it, such as a version of Keras that did not write it.
        """
        import keras

        import tintype.training.losses  # noqa: F401 - the file says the loss by name, which has to be known

        path = self.folder / str(state.network_file)
        try:
            return keras.saving.load_model(path, safe_mode=True)
        except (KeyError, OSError, TypeError, ValueError, BadZipFile) as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
            raise TintypeError(
                f"Expected a network that Keras {keras.__version__} can load in {path}. Received: {reason}. "
                f"Delete {self.folder} to train from the beginning."
            ) from error

    def load_best(self, state: TrainingState) -> list[NDArray[Any]]:
        """The best weights so far, as the network's `get_weights` gave them."""
        with np.load(self.folder / str(state.best_file)) as arrays:
            return [arrays[name] for name in arrays.files]

    def write(self, state: TrainingState, network: Any, best: list[NDArray[Any]]) -> None:
        """Save a state with its network and best weights; files of older ones than the one before go."""
        network_file, best_file = f"epoch-{state.epoch:05d}.keras", f"best-{state.best_epoch:05d}.npz"
        if network_file == state.network_file:
            return  # nothing has been learned since; a file that a state names is never written again
        older = state.checksums
        if state.network_file is not None:
            # `state` is of the new epoch already.
            before = (self.folder / STATE_FILE).read_text(encoding="utf-8")
            write_text(self.folder / BEFORE_FILE, before, durable=True)
        with new_file(self.folder / network_file, durable=True) as part:
            network.save(part)
        if best_file not in older:
            with new_file(self.folder / best_file, durable=True) as part:
                np.savez(part, *best)
        state.network_file, state.best_file = network_file, best_file
        state.checksums = {
            name: older.get(name) or sha256_of(self.folder / name) for name in (network_file, best_file)
        }
        self._note(state)
        for path in self.folder.iterdir():
            if path.name not in {STATE_FILE, BEFORE_FILE, *state.checksums, *older}:
                path.unlink()

    def note_run(self, run_id: str) -> None:
        """Remember the tracked run before the first checkpoint is due."""
        state = self.read()
        state.run_id = run_id
        self._note(state)

    def _note(self, state: TrainingState) -> None:
        write_text(self.folder / STATE_FILE, state.model_dump_json(indent=2), durable=True)

    def remove(self) -> None:
        """Forget the training: it is finished."""
        shutil.rmtree(self.folder, ignore_errors=True)
