from __future__ import annotations

import functools
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tintype.errors import TintypeError
from tintype.files import disk
from tintype.models.bins import ab_bins, class_weights
from tintype.models.heads import put_head
from tintype.models.keras_backend import prepare_keras
from tintype.models.network import build_network
from tintype.params import Params, TrainParams
from tintype.params.blocks import ClassesParams, Head, HuberParams, MseParams
from tintype.training.batches import batches
from tintype.training.checkpoint import Checkpoints, TrainingState
from tintype.training.fit import Fitted, fit

prepare_keras()

import keras  # noqa: E402

from tintype.training import callbacks  # noqa: E402
from tintype.training.losses import SumOfDistances, loss_of  # noqa: E402
from tintype.training.shard_set import class_prior  # noqa: E402

Build = Callable[..., Any]


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


def drawn(network: Any, path: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"a picture")
    return path


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
        "loss": HuberParams(name="huber", delta=0.1),
    }
    return params.train.model_copy(update=changes)


def tiny(head: Head = "tanh") -> keras.Model:
    """The smallest network that looks and listens, at a quarter of the size."""
    l8, vector = keras.Input((32, 32, 1), name="l"), keras.Input((8,), name="embedding")
    x = keras.layers.Conv2D(4, 4, strides=4, name="look")(keras.layers.Rescaling(1 / 255)(l8))
    from_vector = keras.layers.Reshape((1, 1, 4))(keras.layers.Dense(4, name="listen")(vector))
    return keras.Model({"l": l8, "embedding": vector}, put_head(keras.layers.Add()([x, from_vector]), head))


def run(
    tensors: Any, params: TrainParams, folder: Path, watcher: Watcher, build: Build | None = None
) -> Fitted:
    return fit(
        build or (lambda: tiny(params.loss.needs_head)),
        params,
        tensors.split("train"),
        tensors.split("validation"),
        checkpoints=Checkpoints(folder),
        observer=watcher,
        draw=drawn,
        grids=folder.with_name("grids"),
    )


@pytest.mark.slow
def test_the_reports_network_learns_what_the_embedding_says(
    network_params: Any, tensors: Any, train_params: TrainParams, tmp_path: Path
) -> None:
    params = train_params.model_copy(
        update={"epochs": 40, "loss": MseParams(name="mse"), "schedule": "constant"}
    )
    build = functools.partial(build_network, network_params(width=0.05), 32, 8)
    fitted = run(tensors, params, tmp_path / "c", Watcher(), build)
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
    monkeypatch.setattr(callbacks, "CHECKPOINT_SECONDS", 0)
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


def test_a_training_that_was_killed_after_its_last_epoch_has_its_last_picture_again(
    train_params: TrainParams, tensors: Any, tmp_path: Path
) -> None:
    # DVC removes what a stage has made before it starts it again, and expects it afterwards.
    params = train_params.model_copy(update={"epochs": 1})
    picture = tmp_path / "grids" / "epoch-0001.jpg"
    fitted = run(tensors, params, tmp_path / "c", Watcher())
    picture.unlink()
    watcher = Watcher()
    again = run(tensors, params, tmp_path / "c", watcher)
    assert picture.is_file()
    assert (watcher.epochs, watcher.pictures) == ([], [1])
    assert again.history == fitted.history


def test_a_checkpoint_that_the_disk_has_no_room_for_is_refused_before_the_first_epoch(
    train_params: TrainParams, tensors: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "free_bytes", lambda folder: 400)
    watcher = Watcher()
    with pytest.raises(
        TintypeError, match=r"A checkpoint of the training needs .* in .*/c, but only 0.4 kB are free"
    ):
        run(tensors, train_params, tmp_path / "c", watcher)
    assert watcher.epochs == []


def test_stops_in_the_step_in_which_the_loss_is_no_number(
    tensors: Any, train_params: TrainParams, tmp_path: Path
) -> None:
    watcher = Watcher()

    def poisoned() -> Any:
        network = tiny()
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
        update={
            "epochs": 30,
            "patience": 2,
            "learning_rate": 1e-12,
            "weight_decay": 0.0,
            "grid_every": 100,
        }
    )
    watcher = Watcher()
    fitted = run(tensors, params, tmp_path / "c", watcher)
    assert len(fitted.history) < 30
    assert len(fitted.history) == fitted.best_epoch + 2
    assert watcher.pictures == [len(fitted.history)]  # its last epoch is drawn, whatever its number


def test_mixed_precision_trains_and_the_result_computes_in_float32(
    tensors: Any, train_params: TrainParams, tmp_path: Path
) -> None:
    fitted = run(
        tensors, train_params.model_copy(update={"mixed_precision": True}), tmp_path / "c", Watcher()
    )
    assert {layer.compute_dtype for layer in fitted.network.layers} == {"float32"}
    assert fitted.history[-1]["loss"] < fitted.history[0]["loss"]


CLASSES = {
    "loss": ClassesParams(name="classes", rebalance=0.5),
    "learning_rate": 0.05,
    "schedule": "constant",
}


def test_classes_learn_and_what_is_minimised_is_the_weighted_cross_entropy(
    tensors: Any, train_params: TrainParams, tmp_path: Path
) -> None:
    params = train_params.model_copy(update={**CLASSES, "epochs": 10})
    fitted = run(tensors, params, tmp_path / "c", Watcher())
    losses = [epoch["loss"] for epoch in fitted.history]
    assert losses[-1] < 0.6 * losses[0]
    weights = class_weights(class_prior(tensors.split("train").lab), ab_bins(), 0.5)
    fitted.network.compile(loss=loss_of(params, weights))
    loss = fitted.network.evaluate(batches(tensors.split("validation"), 6), verbose=0)
    assert loss == pytest.approx(fitted.history[fitted.best_epoch - 1]["val_loss"], rel=1e-4)


@pytest.mark.parametrize("mixed", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_classes_go_on_after_a_kill_with_loss_weights_and_optimizer(
    mixed: bool, tensors: Any, train_params: TrainParams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callbacks, "CHECKPOINT_SECONDS", 0)
    params = train_params.model_copy(
        update={**CLASSES, "mixed_precision": mixed, "epochs": 4, "grid_every": 3}
    )
    undisturbed = run(tensors, params, tmp_path / "whole", Watcher())
    with pytest.raises(KeyboardInterrupt):
        run(tensors, params, tmp_path / "c", Watcher(stop_after=3))
    fitted = run(tensors, params, tmp_path / "c", watcher := Watcher())
    assert watcher.epochs == [3, 4]
    assert [epoch["epoch"] for epoch in fitted.history] == [1, 2, 3, 4]
    for ours, theirs in zip(fitted.history, undisturbed.history, strict=True):
        # From the third epoch on in another order of crops. A loss that was lost would be 0, a fresh network's as in
        # the first epoch.
        assert ours["loss"] == pytest.approx(theirs["loss"], rel=1e-6 if ours["epoch"] < 3 else 0.1)
    assert fitted.history[2]["loss"] < 0.8 * fitted.history[0]["loss"]
    assert {layer.compute_dtype for layer in fitted.network.layers} == {"float32"}


def test_a_checkpoint_is_taken_up_by_a_process_that_knows_nothing(tmp_path: Path) -> None:
    network = tiny("classes")
    network.compile(
        optimizer=keras.optimizers.AdamW(),
        loss=SumOfDistances([(1.0, lambda truth, output: output)], name="classes"),
    )
    network.optimizer.build(network.trainable_variables)
    Checkpoints(tmp_path).write(TrainingState(epoch=1, best_epoch=1), network, network.get_weights())
    code = (
        "import sys; from pathlib import Path; from tintype.models.keras_backend import prepare_keras;"
        "prepare_keras(); from tintype.training.checkpoint import Checkpoints;"
        "checkpoints = Checkpoints(Path(sys.argv[1])); network = checkpoints.load_network(checkpoints.read());"
        "print(network.loss.name, type(network.optimizer).__name__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["classes", "AdamW"], done.stderr


def test_the_perceptual_distance_is_asked_for_only_where_it_weighs(
    tensors: Any, train_params: TrainParams, tmp_path: Path
) -> None:
    asked: list[float] = []
    first: dict[float, float] = {}
    for weight in (0.0, 2.0):
        params = train_params.model_copy(update={**CLASSES, "perceptual": weight, "epochs": 1})

        def perceptual(weight: float = weight) -> Any:
            asked.append(weight)
            return lambda truth, output: keras.ops.ones(keras.ops.shape(output)[:1])

        fitted = fit(
            lambda: tiny("classes"),
            params,
            tensors.split("train"),
            tensors.split("validation"),
            perceptual=perceptual,
            checkpoints=Checkpoints(tmp_path / str(weight)),
            observer=Watcher(),
            grids=tmp_path,
        )
        first[weight] = fitted.history[0]["loss"]
    assert asked == [2.0]
    assert first[2.0] == pytest.approx(first[0.0] + 2.0, rel=1e-5)
