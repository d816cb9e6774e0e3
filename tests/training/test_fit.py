from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tintype.errors import TintypeError
from tintype.models.keras_backend import prepare_keras
from tintype.models.network import build_network
from tintype.params import NetworkParams, Params, TrainParams
from tintype.training.batches import batches
from tintype.training.checkpoint import Checkpoints
from tintype.training.fit import Fitted, fit
from tintype.training.optimizers import loss_of

prepare_keras()

import keras  # noqa: E402

from tintype.training import keeper  # noqa: E402

NETWORK = NetworkParams(name="fusion", width=0.05)


class Watcher:
    """Remembers what it is told; may stop the training as a kill would."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.epochs: list[int] = []
        self.pictures: list[int] = []
        self._stop_after = stop_after

    def epoch(self, epoch: int, metrics: Mapping[str, float]) -> None:
        assert np.isfinite(list(metrics.values())).all()
        self.epochs.append(epoch)

    def picture(self, name: str, epoch: int, path: Path) -> None:
        self.pictures.append(epoch)
        if epoch == self._stop_after:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def train_params(params: Params) -> TrainParams:
    changes: dict[str, Any] = {
        "epochs": 6,
        "batch_size": 6,
        "learning_rate": 0.01,
        "ema_momentum": 0.5,
        "grid_every": 4,
        "mixed_precision": False,
        "patience": None,
    }
    return params.train.model_copy(update=changes)


def run(tensors: Any, params: TrainParams, folder: Path, watcher: Watcher) -> Fitted:
    return fit(
        lambda: build_network(NETWORK, 32, 8),
        params,
        tensors.split("train"),
        tensors.split("validation"),
        checkpoints=Checkpoints(folder),
        observer=watcher,
        draw=lambda network, path: path,
        grids=folder,
    )


def test_learns_what_the_embedding_says(tensors: Any, train_params: TrainParams, tmp_path: Path) -> None:
    params = train_params.model_copy(update={"epochs": 40, "loss": "mse", "schedule": "constant"})
    fitted = run(tensors, params, tmp_path / "c", Watcher())
    losses = [epoch["loss"] for epoch in fitted.history]
    # The best single colour, which ignores the embedding, leaves (30 / 128) ** 2 in one of the two planes.
    assert min(losses) < 0.3 * (30 / 128) ** 2 / 2
    assert fitted.best_epoch == 1 + int(np.argmin([epoch["val_loss"] for epoch in fitted.history]))


@pytest.fixture(scope="module")
def whole(
    tmp_path_factory: pytest.TempPathFactory, train_params: TrainParams, make_tensors: Any
) -> tuple[Any, Fitted, Watcher]:
    """Tensors, and an undisturbed training on them with the watcher that watched it."""
    tensors = make_tensors(tmp_path_factory.mktemp("tensors"))
    watcher = Watcher()
    return tensors, run(tensors, train_params, tmp_path_factory.mktemp("whole"), watcher), watcher


def test_two_runs_with_one_seed_are_the_same_run(
    whole: tuple[Any, Fitted, Watcher], train_params: TrainParams, tmp_path: Path
) -> None:
    tensors, first, _ = whole
    second = run(tensors, train_params, tmp_path, Watcher())
    assert [epoch["loss"] for epoch in first.history] == [epoch["loss"] for epoch in second.history]
    assert [epoch["val_loss"] for epoch in first.history] == [epoch["val_loss"] for epoch in second.history]
    for one, two in zip(first.network.get_weights(), second.network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


def test_the_result_has_the_best_epochs_averaged_weights(
    whole: tuple[Any, Fitted, Watcher], train_params: TrainParams
) -> None:
    tensors, fitted, _ = whole
    fitted.network.compile(loss=loss_of(train_params))
    loss = fitted.network.evaluate(batches(tensors.split("validation"), 6), verbose=0)
    assert loss == pytest.approx(fitted.history[fitted.best_epoch - 1]["val_loss"], rel=1e-4)


def test_draws_every_so_many_epochs_and_at_the_end(whole: tuple[Any, Fitted, Watcher]) -> None:
    _, _, watcher = whole
    assert watcher.epochs == [1, 2, 3, 4, 5, 6]
    assert watcher.pictures == [4, 6]


def test_a_training_that_was_stopped_goes_on(
    whole: tuple[Any, Fitted, Watcher],
    train_params: TrainParams,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tensors, undisturbed, _ = whole
    monkeypatch.setattr(keeper, "CHECKPOINT_SECONDS", 0)
    folder = tmp_path / "c"
    Checkpoints(folder).note_run("a run")
    with pytest.raises(KeyboardInterrupt):
        run(tensors, train_params, folder, Watcher(stop_after=4))
    # The third epoch is the last whose checkpoint was written: that happens when the next one begins.
    state = Checkpoints(folder).read()
    assert state.epoch == 3
    assert state.run_id == "a run"
    watcher = Watcher()
    fitted = run(tensors, train_params, folder, watcher)
    assert watcher.epochs == [4, 5, 6]
    assert [epoch["epoch"] for epoch in fitted.history] == [1, 2, 3, 4, 5, 6]
    assert fitted.history[:3] == state.history
    # Goes on from the weights and the optimizer's state, in another order of crops.
    assert fitted.history[3]["learning_rate"] == pytest.approx(undisturbed.history[3]["learning_rate"])
    assert fitted.history[3]["loss"] == pytest.approx(undisturbed.history[3]["loss"], rel=0.1)


def test_stops_in_the_step_in_which_the_loss_is_no_number(
    tensors: Any, train_params: TrainParams, tmp_path: Path
) -> None:
    watcher = Watcher()

    def poisoned() -> Any:
        network = build_network(NETWORK, 32, 8)
        return keras.Model(network.input, keras.layers.Rescaling(float("nan"))(network.output))

    with pytest.raises(
        TintypeError, match=r"the loss became nan in step 1 of an epoch. Lower train.learning_rate"
    ):
        fit(
            poisoned,
            train_params,
            tensors.split("train"),
            tensors.split("validation"),
            checkpoints=Checkpoints(tmp_path / "c"),
            observer=watcher,
            grids=tmp_path,
        )
    assert watcher.epochs == []


def test_stops_when_patience_is_over(tensors: Any, train_params: TrainParams, tmp_path: Path) -> None:
    # A rate so small that rounding decides: nothing gets better for long.
    params = train_params.model_copy(
        update={"epochs": 30, "patience": 2, "learning_rate": 1e-12, "weight_decay": 0.0}
    )
    fitted = run(tensors, params, tmp_path / "c", Watcher())
    assert len(fitted.history) < 30
    assert len(fitted.history) == fitted.best_epoch + 2


def test_mixed_precision_trains_and_the_result_computes_in_float32(
    tensors: Any, train_params: TrainParams, tmp_path: Path
) -> None:
    fitted = run(
        tensors, train_params.model_copy(update={"mixed_precision": True}), tmp_path / "c", Watcher()
    )
    assert {layer.compute_dtype for layer in fitted.network.layers} == {"float32"}
    assert fitted.history[-1]["loss"] < fitted.history[0]["loss"]
