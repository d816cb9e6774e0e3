"""What a person sees of a training: a bar with the rate, or a line an epoch where there is no terminal.

Importing this module needs Keras to be ready: see `tintype.models.keras_backend.prepare_keras`.
"""

from __future__ import annotations

import math
import sys
from typing import Any

import keras
from tqdm import tqdm

from tintype.errors import TintypeError
from tintype.training.observer import Bar


class StopOnNaN(keras.callbacks.Callback):
    """End the training in the very step in which its loss is no longer a number."""

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
