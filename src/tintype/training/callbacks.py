"""Callbacks of a training: figures, best weights and checkpoint after each epoch, the progress bar, a stop on NaN.

Importing this module needs Keras to be ready: see `tintype.models.keras_backend.prepare_keras`.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
from numpy.typing import NDArray
from tqdm import tqdm

from tintype.errors import TintypeError
from tintype.params import TrainParams
from tintype.training.batches import Worker
from tintype.training.checkpoint import Checkpoints, TrainingState
from tintype.training.observer import Bar, Observer

CHECKPOINT_SECONDS = 20  # a kill costs at most this much work, and the epoch that was running


class EpochCallback(keras.callbacks.Callback):
    """Keeps a training's figures, best weights and checkpoint.

    In the list of callbacks it comes after Keras' `SwapEMAWeights`, so that it sees the averaged weights at the end of
    an epoch and the trained ones at its beginning.

    Parameters
    ----------
    params : TrainParams
        The stage's parameters.
    state : TrainingState
        Progress of an earlier run that was killed; updated from here on.
    checkpoints, observer, draw, grids
        As `tintype.training.fit.fit` takes them.
    best : list of ndarray
        The best weights so far.
    rows : int
        Crops in an epoch.
    worker : Worker
        Which worker this is. All workers make the same decisions; only the first one writes files and reports.
    """

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
        worker: Worker,
    ) -> None:
        super().__init__()
        self._worker = worker
        self._params, self._state, self._checkpoints, self._observer = params, state, checkpoints, observer
        self._draw, self._grids, self._rows = draw, grids, rows
        self.best = best
        self.progress = ProgressBar(params.epochs, rows, params.batch_size, state.epoch, worker.bar)
        self._saved = time.monotonic()
        self._begun = self._saved
        self._trained = self._saved

    @property
    def patience_is_over(self) -> bool:
        """Whether the training has ended: a continued one may have ended before."""
        state, patience = self._state, self._params.patience
        return state.epoch >= self._params.epochs or (
            patience is not None and state.epoch - state.best_epoch >= patience
        )

    def save(self) -> None:
        """Write the checkpoint."""
        if self._worker.rank > 0:
            return
        with self._worker.alone():
            self._checkpoints.write(self._state, self.model, self.best)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Save a checkpoint if one is due."""
        self._begun = time.monotonic()
        # The weights are the trained ones again here, not their average.
        if self._begun - self._saved >= CHECKPOINT_SECONDS:
            self.save()
            self._saved = time.monotonic()

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Stop the clock: validation does not count in the epoch's rate."""
        self._trained = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Record the figures, keep the weights if they are the best, draw, and stop when patience is over."""
        figures = logs or {}
        number = epoch + 1
        metrics = {
            "loss": float(figures["loss"]),
            "val_loss": float(figures["val_loss"]),
            "learning_rate": float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)),
            "seconds": time.monotonic() - self._begun,
            "crops_per_second": self._rows / (self._trained - self._begun),
        }
        if not math.isfinite(metrics["val_loss"]):
            raise TintypeError(
                f"Training stopped: the validation loss became {metrics['val_loss']} in epoch {number}. "
                "Lower train.learning_rate in params.yaml and run `dvc repro` again."
            )
        for weight in self.model.weights:
            # An infinite variance divides by infinity: the loss alone does not show it.
            if not bool(keras.ops.all(keras.ops.isfinite(weight.value))):
                raise TintypeError(
                    f"Training stopped: a weight of {weight.path} was no finite number any more in epoch {number}. "
                    "Lower train.learning_rate in params.yaml and run `dvc repro` again."
                )
        state = self._state
        state.history.append({"epoch": number, **metrics})
        state.epoch = number
        if state.best_loss is None or metrics["val_loss"] < state.best_loss:
            state.best_epoch, state.best_loss = number, metrics["val_loss"]
            self.best = self.model.get_weights()
        if self._worker.rank == 0:
            with self._worker.alone():
                self._tell(number, metrics)
        if self.patience_is_over:
            self.model.stop_training = True

    def _tell(self, number: int, metrics: dict[str, float]) -> None:
        self._observer.epoch(number, metrics)
        self.progress.report(number, metrics)
        # The last epoch is always drawn: DVC expects a picture of every training.
        if number % self._params.grid_every == 0 or self.patience_is_over:
            self.draw(self.model)

    def draw(self, network: Any, *, again: bool = True) -> None:
        """Draw what the network does after the epoch that ended last; a picture that is there stays if not `again`."""
        number = self._state.epoch
        path = self._grids / f"epoch-{number:04d}.jpg"
        if self._draw and (again or not path.exists()):
            self._observer.picture("validation", number, self._draw(network, path))


class StopOnNaN(keras.callbacks.Callback):
    """End the training in the same step in which its loss is no longer a number."""

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Look at the step's loss."""
        loss = (logs or {})["loss"]
        if not math.isfinite(loss):
            raise TintypeError(
                f"Training stopped: the loss became {loss} in step {batch + 1} of an epoch. "
                "Lower train.learning_rate in params.yaml, or set train.mixed_precision to false, "
                "and run `dvc repro` again."
            )


class ProgressBar(keras.callbacks.Callback):
    """Progress over all epochs, in crops.

    Parameters
    ----------
    epochs, rows, batch_size : int
        Of the whole training, of an epoch, of a step.
    done : int
        Epochs that an earlier, killed run finished.
    bar : Bar
        Where and how it is shown.
    """

    def __init__(self, epochs: int, rows: int, batch_size: int, done: int, bar: Bar) -> None:
        super().__init__()
        self._lines = bar.file or sys.stderr if bar.shown else None
        self._epochs, self._rows, self._batch_size = epochs, rows, batch_size
        self._bar = tqdm(
            total=epochs * rows,
            initial=done * rows,
            desc="train",
            unit=" crops",
            file=bar.file,
            disable=(None if bar.live is None else not bar.live) if bar.shown else True,
            smoothing=0.05,
        )

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Move the bar."""
        self._bar.update(min(self._batch_size, self._rows - batch * self._batch_size))

    def report(self, epoch: int, metrics: dict[str, float]) -> None:
        """Show an epoch's figures."""
        self._bar.set_postfix(epoch=epoch, loss=f"{metrics['loss']:.5f}", val=f"{metrics['val_loss']:.5f}")
        if self._bar.disable and self._lines:
            tqdm.write(
                f"epoch {epoch}/{self._epochs}: loss {metrics['loss']:.5f}, val_loss {metrics['val_loss']:.5f}, "
                f"{metrics['crops_per_second']:.0f} crops/s",
                file=self._lines,
            )

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Close the bar."""
        self._bar.close()
