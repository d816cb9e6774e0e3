"""The critic: tells patches in a photo's own colours from patches that a network has coloured.

The PatchGAN of P. Isola, J.-Y. Zhu, T. Zhou, A. A. Efros, "Image-to-Image Translation with Conditional Adversarial
Networks", 2017 (https://arxiv.org/abs/1611.07004), with spectral normalisation in place of batch normalisation
(T. Miyato, T. Kataoka, M. Koyama, Y. Yoshida, 2018, https://arxiv.org/abs/1802.05957), which keeps its slope within
bounds and does not mix real photos with coloured ones.
"""

from __future__ import annotations

import math
from typing import Any

from tintype.models.keras_backend import prepare_keras

CHANNELS = 64
STRIDED = (1, 3)  # fewest and most layers that halve; three give the paper's patch of 70 pixels


def build_critic(side: int, channels: int = CHANNELS) -> Any:
    """A critic with fresh weights.

    Parameters
    ----------
    side : int
        Of the square photos that it sees, in pixels. The patch that a score is about is half as wide: 16 pixels
        up to a side of 32, 34 for 64, 70 from 128 on.
    channels : int
        Of the first layer; each later one has twice as many, up to eight times.

    Returns
    -------
    keras.Model
        (B, side, side, 3) float32, lightness and chroma scaled to about -1..1, to scores (B, h, w, 1), float32; above 0
        for what looks real. Called with ``training=True`` it normalises its weights first.
    """
    prepare_keras()
    import keras
    from keras import layers

    def conv(x: Any, count: int, name: str, stride: int = 1) -> Any:
        convolution = layers.Conv2D(count, 4, strides=stride, padding="same", dtype="float32", name=name)
        return layers.SpectralNormalization(convolution, dtype="float32", name=f"{name}_normed")(x)

    fewest, most = STRIDED
    strided = min(most, max(fewest, round(math.log2(side)) - 4))
    lab = x = keras.Input((side, side, 3), dtype="float32", name="lab")
    for number in range(strided + 1):
        stride = 2 if number < strided else 1
        x = conv(x, channels * min(8, 2**number), f"conv_{number + 1}", stride)  # (B, side / 2, side / 2, C)
        x = layers.LeakyReLU(0.2, dtype="float32", name=f"leaky_{number + 1}")(x)
    return keras.Model(lab, conv(x, 1, "score"), name="critic")
