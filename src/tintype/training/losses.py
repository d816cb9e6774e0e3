"""Losses by name.

To add one: its class in `tintype.params.blocks`, its function and a case here, and a file in conf/train/loss.

Importing this module needs Keras to be ready: see `tintype.models.keras_backend.prepare_keras`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, assert_never

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from tintype.models.bins import SIGMA, ab_bins
from tintype.models.network import AB_LIMIT
from tintype.params import LossParams, TrainParams
from tintype.params.blocks import ClassesParams, HuberParams, MseParams

Distance = Callable[[Any, Any], Any]
"""From the truth (B, S, S, 3), L* as 0..255 and ab in [-1, 1], and a head's output to a distance per crop, (B,)."""


@keras.saving.register_keras_serializable(package="tintype")
class SumOfDistances(keras.losses.Loss):
    """Distances, each with its weight, added up.

    A network's file stores the loss by name only: code that continues a training has to set the loss again.
    """

    def __init__(self, distances: Any = (), name: str = "distance") -> None:
        super().__init__(name=name, reduction="sum_over_batch_size", dtype="float32")
        self._distances = tuple(distances)

    def call(self, truth: Any, output: Any) -> Any:
        """The weighted sum for each crop."""
        return sum(weight * distance(truth, output) for weight, distance in self._distances)

    def get_config(self) -> dict[str, Any]:
        """The name; see above."""
        return {"name": self.name}


def loss_of(
    params: TrainParams, weights: NDArray[np.float32] | None = None, perceptual: Distance | None = None
) -> Any:
    """The loss that parameters ask for.

    Parameters
    ----------
    params : TrainParams
        The stage's parameters.
    weights : ndarray of shape (Q,), float32, optional
        For the loss `classes`: what each class weighs; see `tintype.models.bins.class_weights`.
    perceptual : Distance, optional
        See `tintype.training.perceptual`; it counts with `params.perceptual`.

    Returns
    -------
    keras.losses.Loss
        Targets (B, S, S, 3), L* as 0..255 and ab in [-1, 1], against the head's output at S or a fraction of it.
    """
    distances: list[tuple[float, Distance]] = [(1.0, _distance(params.loss, weights))]
    if perceptual is not None:
        distances.append((params.perceptual, perceptual))
    return SumOfDistances(distances, name=params.loss.name)


def _distance(params: LossParams, weights: NDArray[np.float32] | None) -> Distance:
    match params:
        case MseParams():
            return squared_error
        case HuberParams(delta=delta):
            return lambda truth, output: huber(truth, output, delta)
        case ClassesParams():
            if weights is None:
                raise ValueError("Expected the classes' weights for the loss classes. Received: None.")
            return lambda truth, output: cross_entropy(truth, output, weights)
        case _:
            assert_never(params)


def squared_error(truth: Any, output: Any) -> Any:
    """Mean of squared differences of ab."""
    return ops.mean(ops.square(chroma_at(truth, output) - output), axis=(1, 2, 3))


def huber(truth: Any, output: Any, delta: float) -> Any:
    """Mean Huber loss of ab: half the square up to `delta`, a straight line beyond (P. J. Huber, 1964)."""
    error = ops.abs(chroma_at(truth, output) - output)
    within = ops.minimum(error, delta)
    return ops.mean(within * (error - 0.5 * within), axis=(1, 2, 3))


def cross_entropy(truth: Any, scores: Any, weights: NDArray[np.float32]) -> Any:
    """Mean cross entropy of the classes' distribution with the true colour, spread over the bins around it.

    R. Zhang, P. Isola, A. A. Efros, "Colorful Image Colorization", 2016, equation 2. The paper spreads a colour over
    its five nearest bins; here the Gaussian goes over all of them, which past the fifth is little.

    Parameters
    ----------
    truth : tensor of shape (B, S, S, 3)
    scores : tensor of shape (B, h, w, Q)
        Before the softmax.
    weights : ndarray of shape (Q,), float32
        Of the classes; a pixel counts with the mean weight of the bins it is spread over.

    Returns
    -------
    tensor of shape (B,)
    """
    bins = ab_bins()
    ab = chroma_at(truth, scores) * AB_LIMIT
    # -|ab - bin|^2 / 2 sigma^2, less |ab|^2, which the softmax does not see
    closeness = (ops.matmul(ab, bins.T.copy()) - np.square(bins).sum(axis=1) / 2) / SIGMA**2
    spread = ops.softmax(closeness, axis=-1)
    rarity = ops.matmul(spread, weights[:, np.newaxis].copy())[..., 0]
    surprise = -ops.sum(spread * ops.log_softmax(scores, axis=-1), axis=-1)
    return ops.mean(rarity * surprise, axis=(1, 2))


def chroma_at(truth: Any, output: Any) -> Any:
    """The true ab at the output's size, averaged over area: (B, h, w, 2) in [-1, 1]."""
    factor = truth.shape[1] // output.shape[1]
    ab = truth[..., 1:]
    # Strides are given although they are the default: on JAX that one fails (Keras 3.15).
    return ab if factor == 1 else ops.average_pool(ab, factor, strides=factor, data_format="channels_last")
