"""The fusion network: local features joined with what the photo shows as a whole.

After F. Baldassarre, D. Gonzalez Morin, L. Rodes-Guirao, "Deep Koalarization: Image Colorization using
CNNs and Inception-ResNet-v2", 2017 (https://arxiv.org/abs/1712.03400).
"""

from __future__ import annotations

from typing import Any, assert_never

from tintype.models.heads import put_head
from tintype.models.keras_backend import prepare_keras
from tintype.params.blocks import FusionParams

ENCODER = ((64, 2), (128, 1), (128, 2), (256, 1), (256, 2), (512, 1), (512, 1), (256, 1))  # channels, stride
STRIDE = 8


def build_fusion(params: FusionParams, size: int, embedding_size: int) -> Any:
    """The network with fresh weights.

    Parameters
    ----------
    params : FusionParams
        The report's has width 1, no skips and the head ``tanh``; ``classes`` ends the decoder at a quarter of the size.
    size : int
        Side of the input in pixels, a multiple of 8.
    embedding_size : int
        Length E of the backbone's vector.

    Returns
    -------
    keras.Model
        ``l`` (B, size, size, 1) in 0..255 and ``embedding`` (B, E) to ``ab`` (B, size, size, 2) float32 in [-1, 1], or
        to scores of classes (B, size/4, size/4, Q).
    """
    prepare_keras()
    import keras
    from keras import layers

    def conv(x: Any, channels: int, name: str, *, stride: int = 1, kernel: int = 3) -> Any:
        scaled = max(2, round(channels * params.width))
        return layers.Conv2D(scaled, kernel, strides=stride, padding="same", activation="relu", name=name)(x)

    l8 = keras.Input((size, size, 1), name="l")
    embedding = keras.Input((embedding_size,), name="embedding")

    # Encoder: to H/8 x W/8 x 256
    x = layers.Rescaling(1 / 127.5, offset=-1.0, name="l_unit")(l8)
    encoded: dict[int, Any] = {}  # the last map of each size
    for number, (channels, stride) in enumerate(ENCODER, start=1):
        x = conv(x, channels, f"encoder_{number}", stride=stride)
        encoded[x.shape[1]] = x

    def up(x: Any, name: str) -> Any:
        x = layers.UpSampling2D(2, name=name)(x)
        return layers.Concatenate(name=f"skip_{name}")([x, encoded[x.shape[1]]]) if params.skips else x

    # Fusion: H/8 x W/8 x (256 + E) to H/8 x W/8 x 256
    grid = size // STRIDE
    repeated = layers.RepeatVector(grid * grid, name="repeat")(embedding)
    repeated = layers.Reshape((grid, grid, embedding_size), name="grid")(repeated)
    x = layers.Concatenate(name="fuse")([x, repeated])
    x = conv(x, 256, "fusion", kernel=1)

    # Decoder: to H x W x 2
    x = conv(x, 128, "decoder_1")
    x = up(x, "up_1")  # H/4 x W/4
    x = conv(x, 64, "decoder_2")
    match params.head:
        case "classes":
            answer = put_head(x, params.head)
        case "tanh":
            x = up(x, "up_2")  # H/2 x W/2
            x = conv(x, 32, "decoder_3")
            x = conv(x, 32, "decoder_4")
            x = conv(x, 16, "decoder_5")
            x = layers.Conv2D(2, 3, padding="same", activation="tanh", dtype="float32", name="chroma")(x)
            answer = layers.UpSampling2D(2, dtype="float32", name="ab")(x)
        case _:
            assert_never(params.head)
    return keras.Model({"l": l8, "embedding": embedding}, answer, name="fusion")
