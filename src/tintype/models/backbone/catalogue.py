"""The backbones that the project can build by itself: each network, and beside it what has to be known of it.

`weights.backbone` names one of them. Another one is added by a function that builds it and an entry in `CATALOGUE`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tintype.models.backbone.spec import BackboneError, Origin
from tintype.models.keras_backend import prepare_keras
from tintype.params import WeightsParams

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


def efficientnet_lite0() -> Any:
    """EfficientNet-Lite0 with fresh weights: a small ImageNet classifier (4.7 million weights).

    EfficientNet-B0 without squeeze-and-excitation, with ReLU6 for swish, and with stem and head of fixed width
    (https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite).

    Returns
    -------
    keras.Model
        (B, 224, 224, 3) float32 RGB in [-1, 1] to (B, 1000) float32 class scores before the softmax.
    """
    prepare_keras()
    import keras
    from keras import layers

    inputs = keras.Input((224, 224, 3), name="rgb")
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


def inception_resnet_v2() -> Any:
    """InceptionResNetV2, as Keras ships it, with fresh weights (56 million): the original report's backbone.

    Returns
    -------
    keras.Model
        (B, 299, 299, 3) float32 RGB in [-1, 1] to (B, 1000) float32 class scores before the softmax.
    """
    prepare_keras()
    import keras

    return keras.applications.InceptionResNetV2(
        include_top=True, weights=None, classifier_activation=None, name="inception_resnet_v2"
    )


@dataclass(frozen=True)
class Entry:
    """A network of the catalogue."""

    build: Callable[[], Any]  # a keras.Model with fresh weights
    origins: tuple[Origin, ...]  # where its weights can come from
    input_size: int  # pixels
    offset: float  # input = (gray - offset) / scale, gray in 0..255
    scale: float
    licence: str  # of the weights that are published for it


CATALOGUE = {
    "efficientnet_lite0": Entry(
        efficientnet_lite0,
        ("embedded", "file", "random"),
        input_size=224,
        offset=127.0,
        scale=128.0,
        licence="Apache-2.0 (EfficientNet-Lite0, The TensorFlow Authors, trained on ImageNet)",
    ),
    "inception_resnet_v2": Entry(
        inception_resnet_v2,
        ("imagenet", "file", "random"),
        input_size=299,
        offset=127.5,
        scale=127.5,
        licence="Apache-2.0 (Keras Applications, converted from TensorFlow models, trained on ImageNet)",
    ),
}


def check_combination(params: WeightsParams) -> None:
    """Refuse parameters that contradict each other.

    Raises
    ------
    BackboneError
        One sentence that names both keys and says what would do.
    """
    backbone, origin, file = params.backbone, params.origin, params.file
    if backbone not in CATALOGUE:
        _check_own_network(backbone, origin, file)
        return
    if origin not in (allowed := CATALOGUE[backbone].origins):
        raise BackboneError(
            f"weights.backbone {backbone} has no weights of weights.origin {origin}. "
            f"Expected weights.origin to be one of {', '.join(allowed)}, "
            f"or weights.backbone to be {_backbone_with(origin)}."
        )
    if origin == "file" and file is None:
        raise BackboneError(
            f"weights.origin is file, but weights.file is null. Expected the path of a file with weights of {backbone}."
        )
    if origin != "file" and file is not None:
        raise BackboneError(
            f"weights.file is {file}, but weights.origin is {origin} and would not read it. "
            "Set weights.origin to file, or weights.file to null."
        )


def _check_own_network(backbone: str, origin: str, file: str | None) -> None:
    """A backbone that is not one of ours: the path of a network that brings its own weights."""
    if not backbone.endswith(".keras") and not Path(backbone).is_dir():
        raise BackboneError(
            f"weights.backbone is {backbone!r}. Expected {' or '.join(CATALOGUE)}, "
            "the path of a network ending in .keras, or a folder that the stage weights has made."
        )
    if origin != "file":
        raise BackboneError(
            f"weights.backbone {backbone} is a network of your own with weights of its own, "
            f"but weights.origin is {origin}. Expected weights.origin to be file."
        )
    if file is not None:
        raise BackboneError(
            f"weights.backbone {backbone} brings its own weights, but weights.file is {file}. "
            "Expected weights.file to be null."
        )


def _backbone_with(origin: str) -> str:
    return " or ".join(backbone for backbone, entry in CATALOGUE.items() if origin in entry.origins)
