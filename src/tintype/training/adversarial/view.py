"""What the critic sees: Lab at the size of the network's output, in the colours that would be shown.

At the photo's size it would tell the two apart by sharpness: the truth has chroma finer than the network's output,
which the photo's own lightness brings back later. With temperature and gain at work it cannot go by
paleness either, and has to look at where the colours are. It costs a sixteenth, too.

Importing this module needs Keras to be ready: see `tintype.models.keras_backend.prepare_keras`.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from tintype.models.bundle import Decoding
from tintype.training.perceptual import expected_ab

CHROMA = 32.0  # Lab units; the critic's 1


def shown_ab(output: Any, decoding: Decoding) -> Any:
    """The colours that are shown, as a graph that gradients can pass.

    Parameters
    ----------
    output : tensor of shape (B, h, w, C), float32
        Of either head.
    decoding : Decoding

    Returns
    -------
    tensor of shape (B, h, w, 2)
        Lab units.
    """
    scores = output if decoding.temperature is None else output / decoding.temperature
    return expected_ab(scores) * decoding.gain


def seen(truth: Any, ab: Any) -> Any:
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
