"""The steps of critic and network, as two Keras models that train on batches: no backend is named.

The hinge loss of J. H. Lim and J. C. Ye, "Geometric GAN", 2017 (https://arxiv.org/abs/1705.02894): the critic stops
learning from what it tells apart well, and its slope stays of use to the network.

The critic's input is Lab at the size of the network's output, in the colours that would be shown. At the photo's size
it would tell the two apart by sharpness: the truth has chroma finer than the network's output, which the photo's own
lightness brings back later. With temperature and gain at work it cannot go by paleness either, and has to look at
where the colours are. It costs a sixteenth, too.

Importing this module needs Keras to be ready: see `tintype.models.keras_backend.prepare_keras`.
"""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from tintype.errors import TintypeError
from tintype.imaging.contrast import FIXED
from tintype.models.bundle import Decoding
from tintype.models.critic import build_critic
from tintype.models.keras_backend import jit_choice
from tintype.models.network import AB_LIMIT
from tintype.params import AdversarialParams
from tintype.training.losses import chroma_at
from tintype.training.perceptual import expected_ab

# Isola et al.'s, and their momentum; it learns faster than the network (M. Heusel et al., 2017)
CRITIC_RATE = 2e-4
MOMENTUM = 0.5


class GanSteps:
    """A network and its critic.

    Parameters
    ----------
    network : keras.Model
        Fitted, with its head's own output, compiled for inference. Changed by `teach_network`.
    decoding : Decoding
        Makes colours of its output.
    loss : keras.losses.Loss
        What it was fitted with, which goes on to count.
    """

    def __init__(self, network: Any, decoding: Decoding, loss: Any, params: AdversarialParams) -> None:
        self._network, self._decoding = network, decoding
        side = network.output.shape[1]
        self._critic, self._mirror = build_critic(side), build_critic(side)
        # The network learns from a frozen copy: one model cannot be both, in one graph the pupil and in another fixed.
        self._mirror.trainable = False
        self._critic.compile(optimizer=_adam(CRITIC_RATE), loss="hinge", jit_compile=jit_choice())
        self._both = _Pair(network, self._mirror, decoding)
        self._both.compile(
            optimizer=_adam(params.learning_rate),
            loss={"output": loss, "score": lambda _, score: -ops.mean(score, axis=(1, 2, 3))},
            loss_weights={"output": 1.0, "score": params.weight},
            jit_compile=jit_choice(),
        )

    def teach_critic(self, given: dict[str, NDArray[np.float32]], truth: NDArray[np.float32]) -> float:
        """One step of the critic on photos in their own colours and in the network's.

        Parameters
        ----------
        given, truth
            A batch of `tintype.training.batches.batches`.

        Returns
        -------
        float
            Its loss: 1 if it knows nothing, 0 if it is always sure and right.

        Raises
        ------
        TintypeError
            If that is not a number.
        """
        output = self._network.predict_on_batch(given)
        real = critic_input(truth, chroma_at(truth, output) * AB_LIMIT)
        ours = critic_input(truth, shown_ab(output, self._decoding))
        labels = np.ones((len(truth), *self._critic.output.shape[1:]), np.float32)
        self._critic.reset_metrics()
        loss = self._critic.train_on_batch(ops.concatenate([real, ours]), np.concatenate([labels, -labels]))
        self._mirror.set_weights(self._critic.get_weights())
        return _number(loss, "critic's loss")

    def teach_network(self, given: dict[str, NDArray[np.float32]], truth: NDArray[np.float32]) -> float:
        """One step of the network: nearer to the truth, and to what the critic takes for real.

        Returns
        -------
        float
            The loss that it was fitted with, without the critic's part.

        Raises
        ------
        TintypeError
            If the sum of both is not a number.
        """
        nothing = np.zeros((len(truth), *self._critic.output.shape[1:]), np.float32)
        self._both.reset_metrics()
        figures = self._both.train_on_batch(
            {**given, "truth": truth}, {"output": truth, "score": nothing}, return_dict=True
        )
        _number(figures["loss"], "network's loss")
        return float(figures["output_loss"])


class _Pair(keras.Model):
    """The network with a critic behind it.

    The network learns as it was fitted, with dropout and the statistics of its batches. Without them the loss that
    keeps it in place is another one: in a trial without the critic, colours paled by a third in 60 steps.
    """

    def __init__(self, network: Any, critic: Any, decoding: Decoding) -> None:
        super().__init__(name="pair")
        self._network, self._critic, self._decoding = network, critic, decoding

    def call(self, given: dict[str, Any], training: bool | None = None) -> dict[str, Any]:
        """The network's output, and the critic's scores of its colours."""
        output = self._network({name: given[name] for name in self._network.input}, training=training)
        shown = critic_input(given["truth"], shown_ab(output, self._decoding))
        return {"output": output, "score": self._critic(shown, training=True)}  # which normalises its weights


def _adam(learning_rate: float) -> Any:
    return keras.optimizers.Adam(learning_rate, beta_1=MOMENTUM)


def _number(value: Any, name: str) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise TintypeError(
            f"The adversarial stage stopped: the {name} became {number}. Lower adversarial.learning_rate or "
            "adversarial.weight in params.yaml and run `dvc repro` again; the training before it is kept."
        )
    return number


CHROMA = 32.0  # Lab units; the critic's 1


def shown_ab(output: Any, decoding: Decoding) -> Any:
    """The colours that are shown, as a graph that gradients can pass.

    Parameters
    ----------
    output : tensor of shape (B, h, w, C), float32
        Of either head.

    Returns
    -------
    tensor of shape (B, h, w, 2)
        Lab units.
    """
    scores = output if decoding.temperature is None else output / decoding.temperature
    ab = expected_ab(scores)
    if decoding.contrast > 0:  # as `with_contrast` has it; its slope at gray would be infinite
        squares = ops.sum(ops.square(ab / FIXED), axis=-1, keepdims=True)
        ab *= ops.power(squares + 1e-6, decoding.contrast / 2)
    return ab * decoding.gain


def critic_input(truth: Any, ab: Any) -> Any:
    """The critic's input: the photo's own lightness with some colours.

    Parameters
    ----------
    truth : tensor of shape (B, S, S, 3), float32
        L* as 0..255; its colours are not looked at.
    ab : tensor of shape (B, h, w, 2), float32
        Lab units.

    Returns
    -------
    tensor of shape (B, h, w, 3), float32
        About -1..1.
    """
    factor = truth.shape[1] // ab.shape[1]
    l8 = truth[..., :1]
    if factor > 1:
        l8 = ops.average_pool(l8, factor, strides=factor, data_format="channels_last")
    return ops.concatenate([l8 / 127.5 - 1.0, ab / CHROMA], axis=-1)
