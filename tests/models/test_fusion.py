from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tintype.models.bins import ab_bins
from tintype.models.network import build_network


@pytest.fixture(scope="module")
def network(network_params: Any) -> Any:
    return build_network(network_params(width=1.0), 64, 1000)


def test_is_the_reports_network_layer_by_layer(network: Any) -> None:
    convolutions = [
        (layer.name, layer.filters, layer.kernel_size[0], layer.strides[0], layer.activation.__name__)
        for layer in network.layers
        if type(layer).__name__ == "Conv2D"
    ]
    assert convolutions == [
        ("encoder_1", 64, 3, 2, "relu"),
        ("encoder_2", 128, 3, 1, "relu"),
        ("encoder_3", 128, 3, 2, "relu"),
        ("encoder_4", 256, 3, 1, "relu"),
        ("encoder_5", 256, 3, 2, "relu"),
        ("encoder_6", 512, 3, 1, "relu"),
        ("encoder_7", 512, 3, 1, "relu"),
        ("encoder_8", 256, 3, 1, "relu"),
        ("fusion", 256, 1, 1, "relu"),
        ("decoder_1", 128, 3, 1, "relu"),
        ("decoder_2", 64, 3, 1, "relu"),
        ("decoder_3", 32, 3, 1, "relu"),
        ("decoder_4", 32, 3, 1, "relu"),
        ("decoder_5", 16, 3, 1, "relu"),
        ("chroma", 2, 3, 1, "tanh"),
    ]
    shapes = [(64, 1), (128, 64), (128, 128), (256, 128), (256, 256), (512, 256), (512, 512), (256, 512)]
    weights = sum(9 * out * into + out for out, into in shapes)
    weights += 256 * (256 + 1000) + 256
    weights += sum(
        9 * out * into + out for out, into in [(128, 256), (64, 128), (32, 64), (32, 32), (16, 32), (2, 16)]
    )
    assert network.count_params() == weights


def test_gives_chroma_for_every_pixel_in_the_units_it_promises(network: Any) -> None:
    random = np.random.default_rng(0)
    inputs = {
        "l": random.integers(0, 256, (2, 64, 64, 1)).astype(np.float32),
        "embedding": random.normal(size=(2, 1000)).astype(np.float32),
    }
    ab = np.asarray(network(inputs))
    assert ab.shape == (2, 64, 64, 2)
    assert np.abs(ab).max() <= 1


def test_the_embedding_reaches_every_pixel(network: Any) -> None:
    l8 = np.full((1, 64, 64, 1), 128, np.float32)
    calm, wild = (
        np.zeros((1, 1000), np.float32),
        np.random.default_rng(0).normal(size=(1, 1000)).astype(np.float32),
    )
    difference = np.asarray(network({"l": l8, "embedding": calm})) - np.asarray(
        network({"l": l8, "embedding": wild})
    )
    assert (np.abs(difference).max(axis=-1) > 0).all()


def test_lightness_is_scaled_inside_the_network_from_bytes(network: Any) -> None:
    rescaling = network.get_layer("l_unit")
    np.testing.assert_allclose(np.asarray(rescaling(np.array([0.0, 255.0]))), [-1, 1], atol=1e-6)


@pytest.mark.parametrize("width", [0.05, 0.5, 1.5])
def test_width_scales_the_hidden_layers(network_params: Any, width: float) -> None:
    narrow = build_network(network_params(width=width), 32, 16)
    assert narrow.get_layer("encoder_6").filters == max(2, round(512 * width))
    assert narrow.get_layer("chroma").filters == 2
    assert math.prod(narrow.output_shape[1:]) == 32 * 32 * 2


def test_skips_bring_the_encoders_maps_of_the_same_size(network_params: Any) -> None:
    network = build_network(network_params(skips=True), 64, 16)
    joined = {layer.name: layer for layer in network.layers if type(layer).__name__ == "Concatenate"}
    assert set(joined) == {"fuse", "skip_up_1", "skip_up_2"}
    for name, encoder, side in (("skip_up_1", "encoder_4", 16), ("skip_up_2", "encoder_2", 32)):
        up, skip = joined[name].input
        assert skip is network.get_layer(encoder).output
        assert up.shape[1:3] == skip.shape[1:3] == (side, side)
    assert network.output_shape == (None, 64, 64, 2)


@pytest.mark.parametrize("skips", [False, True])
def test_with_classes_it_ends_at_a_quarter_of_the_size(network_params: Any, skips: bool) -> None:
    network = build_network(network_params(head="classes", skips=skips), 64, 16)
    assert network.output_shape == (None, 16, 16, len(ab_bins()))
    assert network.get_layer("classes").activation.__name__ == "linear"
    decoder = [layer.name for layer in network.layers if layer.name.startswith("decoder")]
    assert decoder == ["decoder_1", "decoder_2"]  # no layer that nothing follows from
