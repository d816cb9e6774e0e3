"""A backbone's feature maps of a gray photo at several scales, inside a network of ours.

The trunk is the backbone up to its last map, with its own weights, rebuilt for another size of photo. It takes L as
the shards keep it, so that it can be computed in the training step and be saved with the network that uses it.
"""

from __future__ import annotations

import math
from typing import Any

from tintype.models.backbone.spec import BackboneError, BackboneSpec
from tintype.models.keras_backend import prepare_keras
from tintype.models.lab_graph import gray_from_l8


def build_trunk(backbone: Any, spec: BackboneSpec, size: int, *, frozen: bool) -> Any:
    """The backbone as a network from lightness to feature maps.

    Parameters
    ----------
    backbone : keras.Model
        (B, S, S, 3) float32, preprocessed; its layers as one graph.
    spec : BackboneSpec
        Its preprocessing.
    size : int
        Side of the photos in pixels.
    frozen : bool
        Whether its weights stay as they are.

    Returns
    -------
    keras.Model
        (B, size, size, 1) float32, L* as 0..255, to a dict of maps by the logarithm of their stride: ``"stride_4"``
        is (B, size / 4, size / 4, C), ``"stride_32"`` the coarsest. For backbones that do not pad, maps are a few
        pixels smaller.

    Raises
    ------
    BackboneError
        If the backbone has no maps at four scales that everything behind them follows from.
    """
    prepare_keras()
    import keras

    maps = feature_maps(backbone, spec, size)
    maps.trainable = not frozen
    # Batch statistics of a few crops would undo what the backbone knows: they stay, even where weights are tuned.
    # (Called with training=False it would still take a network's word that it is trained.)
    for layer in maps._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False
    l8 = keras.Input((size, size, 1), name="l")
    gray = gray_from_l8(l8)
    return keras.Model(l8, maps(keras.ops.concatenate([gray, gray, gray], axis=-1)), name="trunk")


def feature_maps(backbone: Any, spec: BackboneSpec, size: int) -> Any:
    """The backbone's maps of a photo in colour.

    Parameters
    ----------
    backbone, spec, size
        As `build_trunk` takes them.

    Returns
    -------
    keras.Model
        (B, size, size, 3) float32, sRGB in 0..255, to the dict of maps; its weights are copies.

    Raises
    ------
    BackboneError
        As `build_trunk`.
    """
    prepare_keras()
    import keras

    taps = _taps(backbone)
    if not {4, 8, 16, 32} <= set(taps):
        raise BackboneError(
            f"Expected a backbone with feature maps at strides of 4, 8, 16 and 32 in one graph of layers. Received: "
            f"{spec.name} with strides of {', '.join(map(str, taps)) or 'no size'}. Choose another backbone, or the "
            "network `fusion`, which needs its vector only."
        )
    tapped = keras.Model(backbone.input, {f"stride_{stride}": taps[stride] for stride in (4, 8, 16, 32)})
    prepared = keras.Input((size, size, 3), name="prepared")
    rebuilt = keras.models.clone_model(tapped, input_tensors=prepared, clone_function=_as_it_looks)
    rebuilt.set_weights(tapped.get_weights())
    rgb = keras.Input((size, size, 3), name="rgb")
    return keras.Model(rgb, rebuilt((rgb - spec.offset) / spec.scale), name="maps")


def _as_it_looks(layer: Any) -> Any:
    """A layer's copy without dropout, in the precision of networks built now, not in the one it was saved with."""
    import keras

    config = {**layer.get_config(), "dtype": keras.config.dtype_policy().name}
    if isinstance(layer, keras.layers.Dropout):
        config["rate"] = 0.0
    return type(layer).from_config(config)


def _taps(backbone: Any) -> dict[int, Any]:
    """For each stride the last tensor that all later ones follow from and that is not widened for the moment.

    Blocks that widen, convolve and narrow again (MobileNet's and its heirs') carry on in the narrow tensors. So a
    tensor counts with at most twice the channels of the narrowest one of its size.
    """
    narrowest: dict[int, int] = {}
    tensors = _bottlenecks(backbone)
    for stride, tensor in tensors:
        narrowest[stride] = min(tensor.shape[-1], narrowest.get(stride, tensor.shape[-1]))
    return {stride: tensor for stride, tensor in tensors if tensor.shape[-1] <= 2 * narrowest[stride]}


def _bottlenecks(backbone: Any) -> list[tuple[int, Any]]:
    """Stride and tensor of all maps that no path goes around, in the order of computation.

    None of a backbone that is not one graph, or that uses a layer twice: there it is undefined which path goes around.
    """
    operations = getattr(backbone, "operations", [])
    if not operations or any(len(operation._inbound_nodes) > 1 for operation in operations):
        return []
    position = {id(operation): index for index, operation in enumerate(operations)}
    skips = [0] * (len(operations) + 1)  # where paths begin (+1) and end (-1) that go around operations
    for later, operation in enumerate(operations):
        for node in operation._inbound_nodes:
            for tensor in node.input_tensors:
                earlier = position.get(id(tensor._keras_history.operation), later)
                skips[earlier + 1] += 1
                skips[later] -= 1
    side, around, found = backbone.input.shape[1], 0, []
    for index, operation in enumerate(operations):
        around += skips[index]
        shape: Any = getattr(operation.output, "shape", ())
        if around == 0 and len(shape) == 4 and shape[1] is not None and shape[1] > 1:
            found.append((2 ** round(math.log2(side / shape[1])), operation.output))
    return found
