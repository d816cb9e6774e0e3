"""The pyramid network: a decoder over the maps that a pretrained backbone makes of the gray photo.

A U-Net (O. Ronneberger, P. Fischer, T. Brox, 2015, https://arxiv.org/abs/1505.04597) whose encoder has learned on
millions of photos what things are, so that a few hundred suffice to learn what colours they have.
"""

from __future__ import annotations

from typing import Any

from tintype.models.heads import put_head
from tintype.models.keras_backend import prepare_keras
from tintype.params.blocks import PyramidParams

LEVELS = ((16, 192), (8, 128), (4, 96))  # stride, channels
FINEST = LEVELS[-1][0]
HEAD = 64  # channels that one head of the attention looks at
MEMORY = 0.9  # of batch statistics: trainings may be of a few hundred steps, in which Keras' 0.99 would not get there
TOP = 256  # channels at stride 32


def build_pyramid(params: PyramidParams, size: int, trunk: Any, embedding_size: int) -> Any:
    """The network; the trunk with its own weights, the rest fresh.

    Parameters
    ----------
    params : PyramidParams
        Dropout is at the coarsest map, and half as much above it. The backbone's vector, if it is asked for, is joined
        in at the coarsest map.
    size : int
        Side of the input in pixels, a multiple of 8.
    trunk : keras.Model
        From `tintype.models.trunk.build_trunk`, at any size: the photo is enlarged to what it wants to see.
    embedding_size : int
        Length E of the backbone's vector.

    Returns
    -------
    keras.Model
        ``l`` (B, size, size, 1) in 0..255 and, if wanted, ``embedding`` (B, E), to the head's output at a quarter of
        the size: chroma is seen coarsely, and the photo's own lightness leads the rest of the way.
    """
    prepare_keras()
    import keras
    from keras import layers

    def channels(count: int) -> int:
        return max(4, round(count * params.width))

    l8 = keras.Input((size, size, 1), name="l")
    inputs = {"l": l8}
    view = trunk.input.shape[1]
    maps = trunk(_to_size(l8, view))
    x = layers.Conv2D(channels(TOP), 1, name="top")(maps["stride_32"])  # (B, view/32, view/32, 256)
    if params.embedding:
        inputs["embedding"] = keras.Input((embedding_size,), name="embedding")
        vector = layers.LayerNormalization(name="embedding_norm")(inputs["embedding"])
        vector = layers.Dropout(params.dropout, name="embedding_dropout")(vector)
        vector = layers.Dense(channels(TOP), name="embedding_top")(vector)
        x = layers.Add(name="fuse")([x, layers.Reshape((1, 1, -1), name="everywhere")(vector)])
    x = layers.ReLU(name="top_relu")(x)
    for number in range(1, params.attention + 1):
        x = _attention(x, f"attention_{number}", params.dropout)
    x = layers.SpatialDropout2D(params.dropout, name="top_dropout")(x)
    for stride, count in LEVELS:
        side = view // stride if stride > FINEST else size // FINEST  # the costliest level is not enlarged
        x = _to_size(x, side)
        if params.skips:
            skip = maps[f"stride_{stride}"]
            if skip.shape[-1] > channels(count):  # of a wide backbone
                skip = layers.Conv2D(channels(count), 1, activation="relu", name=f"lateral_{stride}")(skip)
            skip = _to_size(skip, side)
            x = layers.Concatenate(name=f"skip_{stride}")([x, skip])
        x = layers.Conv2D(channels(count), 3, padding="same", use_bias=False, name=f"conv_{stride}")(x)
        x = layers.BatchNormalization(momentum=MEMORY, name=f"norm_{stride}")(x)
        x = layers.ReLU(name=f"relu_{stride}")(x)
        x = layers.SpatialDropout2D(params.dropout / 2, name=f"dropout_{stride}")(x)
    return keras.Model(inputs, put_head(x, params.head), name="pyramid")


def _attention(x: Any, name: str, dropout: float) -> Any:
    """A transformer's block over a map: what one place becomes depends on all others, so that a wall has one colour.

    As A. Vaswani et al., "Attention Is All You Need", 2017, normalised before each half (R. Xiong et al., 2020). Where
    a place lies is told by a convolution, which sees the edges' padding (X. Chu et al., "Conditional Positional
    Encodings for Vision Transformers", 2021): it fits maps of any size.

    Parameters
    ----------
    x : tensor of shape (B, h, w, C)
    name : str
        Of its layers.
    dropout : float
        Share of the second half's values that are left out in training.

    Returns
    -------
    tensor of shape (B, h, w, C)
    """
    from keras import layers

    height, width, count = x.shape[1:]
    heads = max(1, count // HEAD)
    where = layers.DepthwiseConv2D(3, padding="same", name=f"{name}_where")(x)
    tokens = layers.Reshape((height * width, count), name=f"{name}_tokens")(x + where)
    seen = layers.LayerNormalization(name=f"{name}_norm")(tokens)
    tokens += layers.MultiHeadAttention(heads, count // heads, name=name)(seen, seen)
    hidden = layers.LayerNormalization(name=f"{name}_hidden_norm")(tokens)
    hidden = layers.Dense(2 * count, activation="gelu", name=f"{name}_hidden")(hidden)
    hidden = layers.Dropout(dropout, name=f"{name}_dropout")(hidden)
    tokens += layers.Dense(count, name=f"{name}_out")(hidden)
    return layers.Reshape((height, width, count), name=f"{name}_map")(tokens)


def _to_size(x: Any, side: int) -> Any:
    """A map at another size, bilinear; as it is if it has it already."""
    from keras import ops

    if x.shape[1] == side:
        return x
    # Not the layer Resizing: it takes every call for one of training, and makes the layers behind it think so too where
    # no argument says otherwise (Keras 3.15, `Layer._resolve_and_populate_arg`). It would also round L to bfloat16.
    return ops.image.resize(x, (side, side), interpolation="bilinear", data_format="channels_last")
