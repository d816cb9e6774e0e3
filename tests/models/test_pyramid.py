"""The decoder over a backbone's maps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tintype.models.bins import ab_bins
from tintype.models.keras_backend import prepare_keras
from tintype.models.keras_file import load_network, save_network
from tintype.models.network import build_network, needs_embedding
from tintype.models.pyramid import build_pyramid
from tintype.params.blocks import PyramidParams

prepare_keras()

import keras  # noqa: E402
from keras import layers  # noqa: E402


def trunk(view: int) -> keras.Model:
    """Four maps of a photo, each by a convolution of its own, so that none says anything of another."""
    l8 = keras.Input((view, view, 1), name="l")
    x = layers.Rescaling(1 / 255)(l8)
    maps = {
        f"stride_{stride}": layers.Conv2D(6, stride, strides=stride, name=f"look_{stride}")(x)
        for stride in (4, 8, 16, 32)
    }
    return keras.Model(l8, maps, name="trunk")


def pyramid(size: int = 64, view: int = 64, embedding_size: int = 0, **changed: Any) -> keras.Model:
    params = PyramidParams(
        name="pyramid",
        width=0.1,
        head="classes",
        view=view,
        skips=True,
        embedding=embedding_size > 0,
        attention=0,
        frozen=True,
        dropout=0.3,
        half=True,
    )
    return build_pyramid(params.model_copy(update=changed), size, trunk(view), embedding_size)


def photo(size: int = 64) -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 255, (2, size, size, 1)).astype(np.float32)


@pytest.mark.parametrize(("size", "view"), [(64, 64), (64, 96), (64, 128), (128, 64), (72, 96), (40, 64)])
@pytest.mark.parametrize("skips", [True, False])
@pytest.mark.parametrize(("head", "planes"), [("classes", len(ab_bins())), ("tanh", 2)])
def test_it_ends_at_a_quarter_of_its_own_size_whatever_the_backbone_looks_at(
    size: int, view: int, skips: bool, head: str, planes: int
) -> None:
    network = pyramid(size, view, head=head, skips=skips)
    assert set(network.input) == {"l"}
    assert network.input["l"].shape == (None, size, size, 1)
    output = np.asarray(network({"l": photo(size)}))
    assert output.shape == (2, size // 4, size // 4, planes)
    assert np.isfinite(output).all()


def moved(network: keras.Model, stride: int) -> float:
    """How far the output moves when one of the trunk's maps becomes another."""
    before = np.asarray(network({"l": photo()}))
    layer = network.get_layer("trunk").get_layer(f"look_{stride}")
    kernel, bias = layer.get_weights()
    layer.set_weights([-3 * kernel, bias + 1])
    after = np.asarray(network({"l": photo()}))
    layer.set_weights([kernel, bias])
    return float(np.abs(after - before).max())


def test_every_map_matters() -> None:
    network = pyramid()
    assert [moved(network, stride) > 1e-4 for stride in (4, 8, 16, 32)] == [True] * 4


def test_without_skips_only_the_coarsest_does() -> None:
    network = pyramid(skips=False)
    assert [moved(network, stride) > 1e-4 for stride in (4, 8, 16, 32)] == [False, False, False, True]
    assert moved(network, 4) == 0


def test_the_embedding_reaches_every_pixel_where_it_is_wanted() -> None:
    keras.utils.set_random_seed(1)  # of some weights, every channel is 0 at some pixel
    network = pyramid(embedding_size=12)
    assert set(network.input) == {"l", "embedding"}
    one, other = np.random.default_rng(1).normal(0, 1, (2, 2, 12)).astype(np.float32)
    difference = np.asarray(network({"l": photo(), "embedding": one})) - np.asarray(
        network({"l": photo(), "embedding": other})
    )
    assert (np.abs(difference).max(axis=-1) > 0).all()


def test_dropout_is_of_training_only() -> None:
    network = pyramid()
    used = [np.asarray(network({"l": photo()}, training=False)) for _ in range(2)]
    np.testing.assert_array_equal(*used)
    trained = [np.asarray(network({"l": photo()}, training=True)) for _ in range(2)]
    assert np.abs(trained[0] - trained[1]).max() > 0


@pytest.mark.parametrize("view", [64, 96])
def test_called_without_a_word_of_training_it_does_not_train(view: int) -> None:
    network = pyramid(view=view)
    before = [np.asarray(weight).copy() for weight in network.weights]
    plain, used = network({"l": photo()}), network({"l": photo()}, training=False)
    np.testing.assert_array_equal(np.asarray(plain), np.asarray(used))
    for weight, then in zip(network.weights, before, strict=True):
        np.testing.assert_array_equal(np.asarray(weight), then)


@pytest.mark.parametrize("width", [0.1, 0.5])
def test_width_scales_the_decoder(width: float) -> None:
    network = pyramid(width=width)
    channels = [network.get_layer(name).filters for name in ("top", "conv_16", "conv_8", "conv_4")]
    assert channels == [round(count * width) for count in (256, 192, 128, 96)]


def test_a_wide_backbones_maps_are_narrowed_before_they_are_joined() -> None:
    network = pyramid(width=0.04)  # 5 and 4 channels where the trunk has 6
    assert {layer.name for layer in network.layers if layer.name.startswith("lateral")} == {
        "lateral_8",
        "lateral_4",
    }
    assert network.get_layer("lateral_8").filters == 5


def test_it_is_built_of_what_is_built_in(tmp_path: Path) -> None:
    network = pyramid(size=72, view=96, embedding_size=5)
    given = {"l": photo(72), "embedding": np.ones((2, 5), np.float32)}
    save_network(network, tmp_path / "network.keras")
    again = load_network(tmp_path / "network.keras")
    np.testing.assert_allclose(np.asarray(again(given)), np.asarray(network(given)), atol=1e-5)


@pytest.mark.parametrize(
    ("changed", "needs", "beside"),
    [
        ({}, "embedding", True),
        ({"name": "pyramid"}, "maps", False),
        ({"name": "pyramid", "embedding": True}, "embedding and maps", True),
    ],
)
def test_a_network_says_what_it_needs_of_the_backbone(
    network_params: Any, changed: dict[str, Any], needs: str, beside: bool
) -> None:
    found = network_params(**changed).needs
    assert (found, needs_embedding(found)) == (needs, beside)


def test_the_embedded_backbone_frozen_or_tuned(network_params: Any, backbone_folder: Path) -> None:
    from tintype.models.backbone.spec import read_spec

    def backbone() -> tuple[Any, Any]:
        return load_network(backbone_folder / "backbone.keras"), read_spec(backbone_folder)

    def trained(frozen: bool) -> set[str]:
        params = network_params(name="pyramid", view=96, frozen=frozen)
        network = build_network(params, 48, 1000, backbone)
        assert set(network.input) == {"l"}
        assert network.get_layer("trunk").input.shape == (None, 96, 96, 1)
        assert network.output_shape == (None, 12, 12, len(ab_bins()))
        return {weight.path for weight in network.trainable_weights}

    decoder = trained(True)
    parts = ("top", "lateral", "conv", "norm", "classes")
    assert {path.split("/")[0].split("_")[0] for path in decoder} == set(parts)
    both = trained(False)
    assert decoder < both
    assert any("stem_conv" in path for path in both)
    assert not any("stem_norm" in path for path in both)


def test_without_a_backbone_there_is_no_pyramid(network_params: Any) -> None:
    with pytest.raises(ValueError, match="Expected a backbone for the network pyramid"):
        build_network(network_params(name="pyramid"), 48, 1000)
