"""From classes to a colour: the annealed mean, as layers behind the network.

R. Zhang, P. Isola, A. A. Efros, "Colorful Image Colorization", 2016 (https://arxiv.org/abs/1603.08511), equation 5: the
mean of the distribution raised to the power 1/T. T = 1 is the mean, which blends; T near 0 takes the likeliest bin,
which flickers between neighbours.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tintype.models.bins import STEP, ab_bins
from tintype.models.network import AB_LIMIT

CLASSES = "classes"  # name of the layer that gives the scores
TEMPERATURE = "temperature"  # name of the layer that holds 1 / T


def decoded(network: Any, temperature: float | None) -> Any:
    """A network as a bundle keeps it: its output a colour.

    Parameters
    ----------
    network : keras.Model
        As `tintype.models.network.build_network` makes it.
    temperature : float or None
        T for a network with classes; None for one that says colours itself, which is returned as it is.

    Returns
    -------
    keras.Model
        The same inputs, sharing the weights. With classes the output is a dict: ``ab`` (B, h, w, 2) in [-1, 1] and
        ``spread`` (B, h, w, 1), the standard deviation of the distribution at T = 1 in the same unit.
    """
    if temperature is None:
        return network
    import keras
    from keras import layers, ops

    bins = ab_bins() / AB_LIMIT
    scores = network.output
    annealed = layers.Softmax(dtype="float32")(
        layers.Rescaling(1 / temperature, dtype="float32", name=TEMPERATURE)(scores)
    )
    # In steps of the grid: whole numbers, which half precision holds exactly. The variance is reckoned from distances
    # to the mean, not as a difference of large squares, of which half precision would leave little.
    cells = ab_bins() / STEP
    plain = layers.Softmax(dtype="float32")(scores)
    mean = _mix(cells, "mean")(plain)
    variance = sum(
        ops.sum(
            plain * ops.square(_apart(cells[:, axis], name)(mean[..., axis : axis + 1])),
            axis=-1,
            keepdims=True,
        )
        for axis, name in enumerate(("apart_a", "apart_b"))
    )
    spread = ops.sqrt(variance) * (STEP / AB_LIMIT)
    return keras.Model(network.input, {"ab": _mix(bins, "ab")(annealed), "spread": spread}, name=network.name)


def undecoded(network: Any) -> Any:
    """A bundle's network as it was trained: with its head's own output, sharing the weights.

    Parameters
    ----------
    network : keras.Model
        From `decoded`, or from a bundle's file.
    """
    import keras

    if not any(layer.name == CLASSES for layer in network.layers):
        return network
    return keras.Model(network.input, network.get_layer(CLASSES).output, name=network.name)


def _mix(values: Any, name: str) -> Any:
    """A layer that gives the mean of fixed values (Q, n) under a distribution (B, h, w, Q)."""
    return _fixed(np.asarray(values)[np.newaxis, np.newaxis], None, name)


def _apart(values: Any, name: str) -> Any:
    """A layer that gives how far a number (B, h, w, 1) is above each of fixed values (Q,)."""
    return _fixed(np.ones((1, 1, 1, len(values))), -values, name)


def _fixed(kernel: Any, bias: Any, name: str) -> Any:
    """A convolution of one pixel that is not trained."""
    from keras import initializers, layers

    _, _, channels, outputs = kernel.shape
    # The weights say it all; an initializer that held them would be saved beside them.
    layer = layers.Conv2D(
        outputs,
        1,
        use_bias=bias is not None,
        kernel_initializer=initializers.Zeros(),
        trainable=False,
        dtype="float32",
        name=name,
    )
    layer.build((None, None, None, channels))
    layer.set_weights([array for array in (kernel, bias) if array is not None])
    return layer


def annealed_mean(scores: NDArray[np.float32], temperature: float = 1.0) -> NDArray[np.float32]:
    """The colour that `decoded` gives, from scores as an array.

    Parameters
    ----------
    scores : ndarray of shape (..., Q), float32

    Returns
    -------
    ndarray of shape (..., 2), float32
        Lab units.
    """
    return _softmax(scores / np.float32(temperature)) @ ab_bins()


def spread_of(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """The spread that `decoded` gives, from scores as an array.

    Parameters
    ----------
    scores : ndarray of shape (..., Q), float32

    Returns
    -------
    ndarray of shape (...), float32
        Lab units.
    """
    shares, bins = _softmax(scores), ab_bins()
    variance = shares @ np.square(bins).sum(axis=1) - np.square(shares @ bins).sum(axis=-1)
    return np.sqrt(np.maximum(variance, 0))


def plain_ab(output: NDArray[np.float32], temperature: float | None = None) -> NDArray[np.float32]:
    """Ab of shape (..., 2) in Lab units from what either head gives, of classes the mean or an annealed one."""
    return (
        output * np.float32(AB_LIMIT) if output.shape[-1] == 2 else annealed_mean(output, temperature or 1.0)
    )


def _softmax(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)
