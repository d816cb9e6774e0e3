"""InceptionResNetV2: the original report's backbone (56 million weights), as Keras ships it."""

from __future__ import annotations

from typing import Any

from tintype.models.keras_backend import prepare_keras

INPUT_SIZE = 299


def build() -> Any:
    """The network with fresh weights; nothing is downloaded.

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
