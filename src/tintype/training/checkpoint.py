"""Training that survives a kill.

A checkpoint is the compiled network as a Keras file (weights, optimizer, moving averages), the best weights so far,
and a small state file that names both. The state file is written last, by a rename: killed at any moment,
the folder holds the checkpoint before or the one after. The folder's name is a fingerprint of parameters and data, so
that a training never continues from another one's weights.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from tintype.errors import TintypeError
from tintype.files.atomic import new_file, write_text

STATE_FILE = "state.json"


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
        """The last state that was saved, or a fresh one if there is none.

        Raises
        ------
        TintypeError
            If there is a state that cannot be read, such as one of another version of this code.
        """
        path = self.folder / STATE_FILE
        if not path.is_file():
            return TrainingState()
        try:
            return TrainingState.model_validate_json(path.read_bytes())
        except ValidationError:
            raise TintypeError(
                f"Expected the state of a training that was cut off in {path}, but its content is something else. "
                f"Delete {self.folder} to train from the beginning."
            ) from None

    def load_network(self, state: TrainingState) -> Any:
        """The compiled network of a state that has one."""
        import keras

        import tintype.training.losses  # noqa: F401 - the file says the loss by name, which has to be known

        return keras.saving.load_model(self.folder / str(state.network_file), safe_mode=True)

    def load_best(self, state: TrainingState) -> list[NDArray[Any]]:
        """The best weights so far, as the network's `get_weights` gave them."""
        with np.load(self.folder / str(state.best_file)) as arrays:
            return [arrays[name] for name in arrays.files]

    def write(self, state: TrainingState, network: Any, best: list[NDArray[Any]]) -> None:
        """Save a state with its network and best weights; older files go once the state names the new ones."""
        state.network_file = f"epoch-{state.epoch:05d}.keras"
        best_file = f"best-{state.best_epoch:05d}.npz"
        with new_file(self.folder / state.network_file, durable=True) as part:
            network.save(part)
        if best_file != state.best_file:
            with new_file(self.folder / best_file, durable=True) as part:
                np.savez(part, *best)
            state.best_file = best_file
        write_text(self.folder / STATE_FILE, state.model_dump_json(indent=2), durable=True)
        for path in self.folder.iterdir():
            if path.name not in (STATE_FILE, state.network_file, state.best_file):
                path.unlink()

    def note_run(self, run_id: str) -> None:
        """Remember the tracked run before the first checkpoint is due."""
        state = self.read()
        state.run_id = run_id
        write_text(self.folder / STATE_FILE, state.model_dump_json(indent=2), durable=True)

    def remove(self) -> None:
        """Forget the training: it is finished."""
        shutil.rmtree(self.folder, ignore_errors=True)
