"""The backbones that the project can build by itself: `weights.backbone` may name one of these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tintype.models.backbone import efficientnet_lite0, inception_resnet_v2


@dataclass(frozen=True)
class KnownBackbone:
    """A network of ours and its preprocessing."""

    build: Callable[[], Any]  # a keras.Model with fresh weights
    input_size: int  # pixels
    offset: float  # input = (gray - offset) / scale, gray in 0..255
    scale: float
    licence: str  # of the weights that are published for it


KNOWN = {
    "efficientnet_lite0": KnownBackbone(
        efficientnet_lite0.build,
        efficientnet_lite0.INPUT_SIZE,
        offset=127.0,
        scale=128.0,
        licence="Apache-2.0 (EfficientNet-Lite0, The TensorFlow Authors, trained on ImageNet)",
    ),
    "inception_resnet_v2": KnownBackbone(
        inception_resnet_v2.build,
        inception_resnet_v2.INPUT_SIZE,
        offset=127.5,
        scale=127.5,
        licence="Apache-2.0 (Keras Applications, converted from TensorFlow models, trained on ImageNet)",
    ),
}
