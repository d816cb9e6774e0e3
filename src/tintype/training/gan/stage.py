"""The adversarial stage: the critic alone, then both in turn, and when to stop.

Importing this module needs Keras to be ready: see `tintype.models.keras_backend.prepare_keras`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from tintype.models.keras_backend import compile_for_inference, make_deterministic, set_precision
from tintype.params import AdversarialParams, DecodeParams, TrainParams
from tintype.training.batches import batches
from tintype.training.calibrate import fit_decoding
from tintype.training.gan.steps import GanSteps
from tintype.training.gan.validation_score import Score, ValidationScore
from tintype.training.observer import Observer
from tintype.training.shard_set import ShardSet

Batch = tuple[dict[str, NDArray[np.float32]], NDArray[np.float32]]


def refine(
    network: Any,
    build: Callable[[], Any],
    params: AdversarialParams,
    train: TrainParams,
    decode: DecodeParams,
    learn: ShardSet,
    check: ShardSet,
    loss: Any,
    observer: Observer,
) -> int:
    """Train a network against a critic and keep the weights with the best colours, which may be those it had.

    Parameters
    ----------
    network : keras.Model
        Fitted, in float32; its weights are set to the best ones.
    build : callable
        Gives a fresh network like it.
    train, decode : TrainParams, DecodeParams
        Batches, seed and precision are those of the fit, and colours are made as for the bundle.
    learn, check : ShardSet
        Rows to learn from, and rows to stop by.
    loss : keras.losses.Loss
        What the network was fitted with.
    observer : Observer
        Told of every look at the validation photos, with the step as the epoch's number.

    Returns
    -------
    int
        The step whose weights were kept; 0 if none was better than the network as it was.

    Raises
    ------
    TintypeError
        If a loss is no longer a number.
    """
    make_deterministic(train.seed)
    set_precision(train.mixed_precision)
    pupil = build()
    set_precision(False)  # the critic is small, and spectral norms want the digits
    pupil.set_weights(network.get_weights())
    compile_for_inference(pupil)
    decoding = fit_decoding(pupil, check, decode)
    score_of = ValidationScore(pupil, check, decoding, decode.colourfulness)
    steps = GanSteps(pupil, decoding, loss, params)
    stream = _endless(learn, train, tuple(pupil.input))
    best, kept, weights = score_of.before, 0, None
    _tell(observer, 0, best)
    with tqdm(
        total=params.critic_steps + params.steps, desc="adversarial", unit=" steps", disable=None
    ) as bar:
        for batch in islice(stream, params.critic_steps):
            bar.set_postfix(critic=f"{steps.teach_critic(*batch):.3f}")
            bar.update()
        losses: list[tuple[float, float]] = []
        for step, batch in enumerate(islice(stream, params.steps), start=1):
            losses.append((steps.teach_critic(*batch), steps.teach_network(*batch)))
            bar.update()
            if step % params.check_every and step < params.steps:
                continue
            score = score_of(pupil)
            critic_loss, loss = np.mean(losses, axis=0)
            losses.clear()
            _tell(observer, step, score, critic_loss=float(critic_loss), loss=float(loss))
            if score.difference < best.difference:
                best, kept, weights = score, step, pupil.get_weights()
            elif step - kept >= params.patience * params.check_every:
                break
    if weights is not None:
        network.set_weights(weights)
    observer.epoch(step, {"adv_kept_step": kept})
    word = f"kept step {kept}" if kept else "kept the network as it was"
    tqdm.write(
        f"adversarial: {word}; difference {score_of.before.difference:.3f} before, {best.difference:.3f} now",
        file=sys.stderr,
    )
    return kept


def _endless(learn: ShardSet, train: TrainParams, inputs: tuple[str, ...]) -> Iterator[Batch]:
    stream = batches(
        learn, train.batch_size, inputs=inputs, shuffle_seed=train.seed, flip=train.flip, scans=train.scans
    )
    return stream.repeat().as_numpy_iterator()


def _tell(observer: Observer, step: int, score: Score, **losses: float) -> None:
    figures = asdict(score) | losses
    observer.epoch(step, {f"adv_{name}": value for name, value in figures.items()})
    values = ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in figures.items())
    tqdm.write(f"adversarial step {step}: {values}", file=sys.stderr)
