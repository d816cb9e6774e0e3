"""Fitting: epochs, the best of them, and going on after a kill."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tintype.models.keras_backend import make_deterministic, prepare_keras, set_precision

prepare_keras()

import keras  # noqa: E402  the backend has to be chosen before
from numpy.typing import NDArray  # noqa: E402

from tintype.params import TrainParams  # noqa: E402
from tintype.training.batches import ShardSet, batches  # noqa: E402
from tintype.training.checkpoint import Checkpoints, TrainingState  # noqa: E402
from tintype.training.observer import Observer  # noqa: E402
from tintype.training.optimizers import loss_of, optimizer_of  # noqa: E402
from tintype.training.progress import ProgressBar, StopOnNaN  # noqa: E402

CHECKPOINT_SECONDS = 20  # the most work, give or take an epoch, that a kill costs


@dataclass(frozen=True)
class Fitted:
    """The result of a training.

    Attributes
    ----------
    network : keras.Model
        In float32, with the weights of the best epoch (their moving average, if there is one).
    history : list of dict
        One for each epoch: epoch, loss, val_loss, learning_rate, seconds, crops_per_second.
    best_epoch : int
        From 1.
    """

    network: Any
    history: list[dict[str, float]]
    best_epoch: int


def fit(
    build: Callable[[], Any],
    params: TrainParams,
    train: ShardSet,
    validation: ShardSet,
    *,
    checkpoints: Checkpoints,
    observer: Observer,
    draw: Callable[[Any, Path], Path] | None = None,
    grids: Path,
) -> Fitted:
    """Fit a network.

    Parameters
    ----------
    build : callable
        Gives a fresh network.
    params : TrainParams
        The stage's parameters.
    train, validation : ShardSet
        Rows to learn from, and rows to choose the best epoch by.
    checkpoints : Checkpoints
        Where a training that was killed left off, and where this one leaves its state.
    observer : Observer
        Told of every epoch.
    draw : callable, optional
        Draws what a network does into a picture at a path.
    grids : Path
        Folder for those pictures.

    Returns
    -------
    Fitted

    Raises
    ------
    TintypeError
        If the loss is no longer a number.
    """
    make_deterministic(params.seed)
    state = checkpoints.read()
    set_precision(params.mixed_precision)
    steps = math.ceil(train.rows / params.batch_size)
    if state.network_file:
        network = checkpoints.load_network(state)
        best = checkpoints.load_best(state)
    else:
        network = build()
        network.compile(
            optimizer=optimizer_of(params, steps * params.epochs), loss=loss_of(params), jit_compile=False
        )
        best = network.get_weights()
    keeper = _Keeper(params, state, checkpoints, observer, draw, grids, best, train.rows)
    if not keeper.patience_is_over:
        network.fit(
            # A continued training shuffles in an order of its own.
            batches(train, params.batch_size, shuffle_seed=params.seed + state.epoch, flip=params.flip),
            validation_data=batches(validation, params.batch_size),
            initial_epoch=state.epoch,
            epochs=params.epochs,
            verbose=0,
            shuffle=False,  # the stream shuffles
            callbacks=[
                StopOnNaN(),
                keeper.progress,
                *([keras.callbacks.SwapEMAWeights(swap_on_epoch=True)] if params.ema_momentum > 0 else []),
                keeper,
            ],
        )
    set_precision(False)  # a bundle computes in float32, whatever its training did
    finished = build()
    finished.set_weights(keeper.best)
    return Fitted(finished, state.history, state.best_epoch)


class _Keeper(keras.callbacks.Callback):
    """Keeps the figures, the best weights and the checkpoint; sees the averaged weights at an epoch's end."""

    def __init__(
        self,
        params: TrainParams,
        state: TrainingState,
        checkpoints: Checkpoints,
        observer: Observer,
        draw: Callable[[Any, Path], Path] | None,
        grids: Path,
        best: list[NDArray[Any]],
        rows: int,
    ) -> None:
        super().__init__()
        self._params, self._state, self._checkpoints, self._observer = params, state, checkpoints, observer
        self._draw, self._grids, self._rows = draw, grids, rows
        self.best = best
        self.progress = ProgressBar(params.epochs, rows, params.batch_size, state.epoch)
        self._saved = time.monotonic()
        self._begun = self._saved
        self._trained = self._saved

    @property
    def patience_is_over(self) -> bool:
        """Whether a training that is taken up again had already come to its end."""
        state, patience = self._state, self._params.patience
        return state.epoch >= self._params.epochs or (
            patience is not None and state.epoch - state.best_epoch >= patience
        )

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._begun = time.monotonic()
        # Now the weights are the trained ones again, not their average.
        if self._begun - self._saved >= CHECKPOINT_SECONDS:
            self._checkpoints.write(self._state, self.model, self.best)
            self._saved = time.monotonic()

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._trained = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        figures = logs or {}
        number = epoch + 1
        metrics = {
            "loss": float(figures["loss"]),
            "val_loss": float(figures["val_loss"]),
            "learning_rate": float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)),
            "seconds": time.monotonic() - self._begun,
            "crops_per_second": self._rows / (self._trained - self._begun),
        }
        state = self._state
        state.history.append({"epoch": number, **metrics})
        state.epoch = number
        if metrics["val_loss"] < state.best_loss:
            state.best_epoch, state.best_loss = number, metrics["val_loss"]
            self.best = self.model.get_weights()
        self._observer.epoch(number, metrics)
        self.progress.report(number, metrics)
        if self._draw and (number % self._params.grid_every == 0 or number == self._params.epochs):
            picture = self._draw(self.model, self._grids / f"epoch-{number:04d}.jpg")
            self._observer.picture("validation", number, picture)
        if self.patience_is_over:
            self.model.stop_training = True
