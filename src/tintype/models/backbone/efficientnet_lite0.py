"""EfficientNet-Lite0: a small ImageNet classifier (4.7 million weights) for the embedding.

EfficientNet-B0 without squeeze-and-excitation, with ReLU6 for swish, and with stem and head of fixed
width (https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite).
"""

from __future__ import annotations

from typing import Any

from tintype.models.keras_backend import prepare_keras

INPUT_SIZE = 224

# Of each stage: blocks, kernel, stride of its first block, expansion, channels out.
_STAGES = (
    (1, 3, 1, 1, 16),  # 112 x 112
    (2, 3, 2, 6, 24),  # 56 x 56
    (2, 5, 2, 6, 40),  # 28 x 28
    (3, 3, 2, 6, 80),  # 14 x 14
    (3, 5, 1, 6, 112),  # 14 x 14
    (4, 5, 2, 6, 192),  # 7 x 7
    (1, 3, 1, 6, 320),  # 7 x 7
)


def build() -> Any:
    """The network with fresh weights.

    Returns
    -------
    keras.Model
        (B, 224, 224, 3) float32 RGB in [-1, 1] to (B, 1000) float32 class scores before the softmax.
    """
    prepare_keras()
    import keras
    from keras import layers

    inputs = keras.Input((INPUT_SIZE, INPUT_SIZE, 3), name="rgb")
    x = layers.Conv2D(32, 3, strides=2, padding="same", use_bias=False, name="stem_conv")(inputs)
    x = _norm_relu6(x, "stem")  # (B, 112, 112, 32)
    number = 0
    for blocks, kernel, first_stride, expansion, channels in _STAGES:
        for block in range(blocks):
            stride = first_stride if block == 0 else 1
            x = _block(x, f"block{number}", kernel, stride, expansion, channels)
            number += 1
    x = layers.Conv2D(1280, 1, padding="same", use_bias=False, name="head_conv")(x)
    x = _norm_relu6(x, "head")  # (B, 7, 7, 1280)
    x = layers.GlobalAveragePooling2D(name="pool")(x)  # (B, 1280)
    outputs = layers.Dense(1000, name="scores")(x)  # (B, 1000)
    return keras.Model(inputs, outputs, name="efficientnet_lite0")


def _block(x: Any, name: str, kernel: int, stride: int, expansion: int, channels: int) -> Any:
    """Inverted residual: widen, convolve each channel, narrow; added to its input where shapes allow."""
    from keras import layers

    shortcut = x
    if expansion != 1:
        x = layers.Conv2D(
            x.shape[-1] * expansion, 1, padding="same", use_bias=False, name=f"{name}_expand_conv"
        )(x)
        x = _norm_relu6(x, f"{name}_expand")
    x = layers.DepthwiseConv2D(
        kernel, strides=stride, padding="same", use_bias=False, name=f"{name}_depthwise_conv"
    )(x)
    x = _norm_relu6(x, f"{name}_depthwise")
    x = layers.Conv2D(channels, 1, padding="same", use_bias=False, name=f"{name}_project_conv")(x)
    x = layers.BatchNormalization(epsilon=1e-3, name=f"{name}_project_norm")(x)
    if stride == 1 and shortcut.shape[-1] == channels:
        x = layers.Add(name=f"{name}_add")([shortcut, x])
    return x


def _norm_relu6(x: Any, name: str) -> Any:
    from keras import layers

    x = layers.BatchNormalization(epsilon=1e-3, name=f"{name}_norm")(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(x)
