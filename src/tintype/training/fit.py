"""Fitting: epochs, the best of them, and going on after a kill."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, assert_never

import numpy as np
from numpy.typing import NDArray

from tintype.data.tensors.plan import ShardPlan
from tintype.data.validation.manifest import TRAIN
from tintype.files.disk import check_free
from tintype.models.bins import ab_bins, class_weights
from tintype.models.bundle import TrainedInfo
from tintype.models.keras_backend import jit_choice, make_deterministic, prepare_keras, set_precision
from tintype.params import TrainParams
from tintype.params.blocks import ClassesParams
from tintype.training.batches import ALONE, Worker, batches
from tintype.training.checkpoint import Checkpoints, TrainingState
from tintype.training.observer import Observer
from tintype.training.shard_set import ShardSet, class_prior

if TYPE_CHECKING:
    from tintype.training.losses import Distance


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
    perceptual: Callable[[], Distance] | None = None,
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
    perceptual : callable, optional
        Gives the distance that has the weight `params.perceptual`; called if that is not 0.
    checkpoints : Checkpoints
        Where a killed training has left its state, and where this one writes its own.
    observer : Observer
        Told of every epoch.
    draw : callable, optional
        Draws what a network does into a picture at a path.
    grids : Path
        Folder for those pictures.

    Raises
    ------
    TintypeError
        If the loss is no longer a number.
    """
    prepare_keras()
    make_deterministic(params.seed)
    state = checkpoints.read()
    best = learn(
        build,
        params,
        train,
        validation,
        perceptual=perceptual,
        state=state,
        checkpoints=checkpoints,
        observer=observer,
        draw=draw,
        grids=grids,
    )
    set_precision(False)  # a bundle always computes in float32
    finished = build()
    finished.set_weights(best)
    return Fitted(finished, state.history, state.best_epoch)


def learn(
    build: Callable[[], Any],
    params: TrainParams,
    train: ShardSet,
    validation: ShardSet,
    *,
    perceptual: Callable[[], Distance] | None,
    state: TrainingState,
    checkpoints: Checkpoints,
    observer: Observer,
    draw: Callable[[Any, Path], Path] | None,
    grids: Path,
    worker: Worker = ALONE,
) -> list[NDArray[Any]]:
    """Train the epochs that are left, or one worker's part of them, and write a checkpoint at the end.

    Parameters
    ----------
    state : TrainingState
        Progress so far; updated.
    worker : Worker
        Which worker this is. The first one reports, draws and writes the checkpoint for all.
    build, params, train, validation, perceptual, checkpoints, observer, draw, grids
        As `fit` takes them.

    Returns
    -------
    list of ndarray
        The best weights.
    """
    import keras

    from tintype.training.callbacks import EpochCallback, StopOnNaN

    set_precision(params.mixed_precision)
    if state.network_file:
        network = checkpoints.load_network(state)
        optimizer, best = network.optimizer, checkpoints.load_best(state)
    else:
        network = build()
        steps = worker.steps(train.rows, params.batch_size)
        optimizer, best = optimizer_of(params, steps * params.epochs), network.get_weights()
    # The loss is set in either case: a Keras file stores its name only.
    loss = loss_on(train, params, perceptual)
    network.compile(optimizer=optimizer, loss=loss, jit_compile=jit_choice())
    # A first step that makes the optimizer's variables is traced twice by TensorFlow, seconds each time.
    optimizer.build(network.trainable_variables)
    on_epoch = EpochCallback(params, state, checkpoints, observer, draw, grids, best, train.rows, worker)
    if on_epoch.patience_is_over:
        if worker.rank == 0:
            on_epoch.draw(network, again=False)  # DVC has removed what was drawn before the kill
    else:
        check_free(checkpoints.folder, _checkpoint_bytes(network, params), "A checkpoint of the training")
        network.fit(
            # A continued training shuffles in another order.
            batches(
                train,
                params.batch_size,
                inputs=tuple(network.input),
                shuffle_seed=params.seed + state.epoch,
                flip=params.flip,
                scans=params.scans,
                worker=worker,
            ),
            validation_data=batches(
                validation, params.batch_size, inputs=tuple(network.input), worker=worker
            ),
            initial_epoch=state.epoch,
            epochs=params.epochs,
            verbose=0,
            shuffle=False,  # the stream shuffles
            callbacks=[
                StopOnNaN(),
                on_epoch.progress,
                *([keras.callbacks.SwapEMAWeights(swap_on_epoch=True)] if params.ema_momentum > 0 else []),
                on_epoch,
            ],
        )
        # If what follows is killed, the training must not be lost.
        on_epoch.save()
    return on_epoch.best


def _checkpoint_bytes(network: Any, params: TrainParams) -> int:
    """At least so many bytes are in a checkpoint: the weights, what the optimizer knows of each, the best weights."""
    weights, learned = (
        sum(math.prod(weight.shape) * np.dtype(weight.dtype).itemsize for weight in weights)
        for weights in (network.weights, network.trainable_weights)
    )
    return 2 * weights + (2 if params.ema_momentum > 0 else 1) * learned


def loss_on(train: ShardSet, params: TrainParams, perceptual: Callable[[], Distance] | None = None) -> Any:
    """The loss that parameters ask for; its classes are weighed by their frequency in the training photos.

    Parameters
    ----------
    train, params, perceptual
        As `fit` takes them.
    """
    from tintype.training.losses import loss_of

    weights = None
    if isinstance(params.loss, ClassesParams):
        weights = class_weights(class_prior(train.lab), ab_bins(), params.loss.rebalance)
    return loss_of(params, weights, perceptual() if perceptual and params.perceptual else None)


def optimizer_of(params: TrainParams, steps: int) -> Any:
    """The optimizer, with its learning rate's schedule over `steps` steps and the weights' moving average.

    Parameters
    ----------
    params : TrainParams
        The stage's parameters.
    steps : int
        In the whole training.
    """
    import keras

    options: dict[str, Any] = {"learning_rate": _learning_rate(params, steps)}
    if params.ema_momentum > 0:
        options |= {"use_ema": True, "ema_momentum": params.ema_momentum}
    match params.optimizer:
        case "rmsprop":
            return keras.optimizers.RMSprop(**options)
        case "adam":
            return keras.optimizers.Adam(**options)
        case "adamw":
            return keras.optimizers.AdamW(**options, weight_decay=params.weight_decay)
        case _:
            assert_never(params.optimizer)


def _learning_rate(params: TrainParams, steps: int) -> Any:
    import keras

    match params.schedule:
        case "constant":
            return params.learning_rate
        case "cosine":
            warmup = round(params.warmup_share * steps)
            return keras.optimizers.schedules.CosineDecay(
                initial_learning_rate=0.0 if warmup else params.learning_rate,
                decay_steps=max(1, steps - warmup),
                warmup_target=params.learning_rate if warmup else None,
                warmup_steps=warmup,
            )
        case _:
            assert_never(params.schedule)


def trained_info(
    fitted: Fitted, plans: Sequence[ShardPlan], learn: ShardSet, params: TrainParams, start: str | None = None
) -> TrainedInfo:
    """The facts of a training that has ended.

    Parameters
    ----------
    plans : sequence of ShardPlan
        Of all splits.
    learn : ShardSet
        What was learned from.
    start : str, optional
        Digest of the bundle whose weights it began with.
    """
    best = fitted.history[fitted.best_epoch - 1]
    return TrainedInfo(
        photos=sum(len(plan.photos) for plan in plans if plan.split == TRAIN),
        crops=learn.rows,
        epochs=len(fitted.history),
        best_epoch=fitted.best_epoch,
        loss=params.loss.name,
        train_loss=best["loss"],
        val_loss=best["val_loss"],
        optimizer=params.optimizer,
        seed=params.seed,
        start=start,
    )
