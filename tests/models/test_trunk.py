"""A backbone's maps inside a network of ours, held against the backbone itself."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

from tintype.imaging.lab import decode_l8, gray_to_rgb
from tintype.models.backbone.spec import BackboneError, BackboneSpec
from tintype.models.keras_backend import prepare_keras, set_precision
from tintype.models.keras_file import load_network, save_network
from tintype.models.trunk import _taps, build_trunk

prepare_keras()

import keras  # noqa: E402
from keras import layers  # noqa: E402

STRIDES = (4, 8, 16, 32)
KEPT = {"stem_conv", "stem_norm", "block3_depthwise_conv", "block8_project_norm", "block15_project_conv"}


@pytest.fixture(scope="module")
def embedded(embedded_backbone: Any) -> tuple[keras.Model, BackboneSpec]:
    return embedded_backbone.network, embedded_backbone.spec


def spec_of(name: str, size: int) -> BackboneSpec:
    return BackboneSpec(
        name=name,
        input_size=size,
        offset=127.5,
        scale=127.5,
        embedding_size=10,
        origin="random",
        origin_detail="1",
        sha256="0" * 64,
        licence="none",
    )


@pytest.fixture(scope="module")
def l8(cat: np.ndarray) -> np.ndarray:
    """The cat's lightness, (1, 224, 224, 1) float32."""
    from tintype.imaging.inputs import network_inputs

    return network_inputs(cat, 224, 224)[0][np.newaxis].astype(np.float32)


def prepared(l8: np.ndarray, spec: BackboneSpec) -> np.ndarray:
    """The gray photo of a lightness as the backbone wants it, but for rounding as the stage `embed` hands it over."""
    gray = np.stack([gray_to_rgb(decode_l8(plane), np.uint16) for plane in l8[..., 0].astype(np.uint8)])
    return (gray.astype(np.float32) / 257 - spec.offset) / spec.scale


@functools.cache
def small_backbone(size: int = 64) -> keras.Model:
    """A backbone of one's own: convolutions, one shortcut, a pool, a vector."""
    rgb = keras.Input((size, size, 3))
    x = rgb
    for number, channels in enumerate((4, 6, 8, 10, 12)):
        x = layers.Conv2D(channels, 3, strides=2, padding="same", name=f"down_{number}")(x)
        x = layers.BatchNormalization(name=f"norm_{number}")(x)
        x = layers.ReLU(name=f"relu_{number}")(x)
        wide = layers.Conv2D(4 * channels, 1, activation="relu", name=f"wide_{number}")(x)
        narrow = layers.Conv2D(channels, 1, name=f"narrow_{number}")(wide)
        x = layers.Add(name=f"add_{number}")([x, narrow])
    vector = layers.Dense(10)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(rgb, vector)


def test_its_maps_are_those_that_the_backbone_computes(
    embedded: tuple[keras.Model, BackboneSpec], l8: np.ndarray
) -> None:
    backbone, spec = embedded
    names = {4: "block2_add", 8: "block4_add", 16: "block10_add", 32: "block15_project_norm"}
    own = keras.Model(backbone.input, {str(k): backbone.get_layer(name).output for k, name in names.items()})
    theirs = own(prepared(l8, spec), training=False)
    maps = build_trunk(backbone, spec, 224, frozen=True)(l8)
    assert set(maps) == {f"stride_{stride}" for stride in STRIDES}
    for stride in STRIDES:
        ours = np.asarray(maps[f"stride_{stride}"])
        expected = np.asarray(theirs[str(stride)])
        assert ours.shape == expected.shape == (1, 224 // stride, 224 // stride, expected.shape[-1])
        assert np.abs(ours - expected).mean() < 0.001 * np.abs(expected).mean(), stride


def test_at_another_size_it_has_the_same_weights(embedded: tuple[keras.Model, BackboneSpec]) -> None:
    backbone, spec = embedded
    trunk = build_trunk(backbone, spec, 96, frozen=True)
    assert {name: tensor.shape[1:3] for name, tensor in trunk.output.items()} == {
        "stride_4": (24, 24),
        "stride_8": (12, 12),
        "stride_16": (6, 6),
        "stride_32": (3, 3),
    }
    copied = [
        layer for layer in trunk._flatten_layers(recursive=True, include_self=False) if layer.name in KEPT
    ]
    assert {layer.name for layer in copied} == KEPT
    for layer in copied:
        for ours, theirs in zip(
            layer.get_weights(), backbone.get_layer(layer.name).get_weights(), strict=True
        ):
            np.testing.assert_array_equal(ours, theirs)
    assert trunk.count_params() < backbone.count_params() - 1280 * 1000  # no classifier


def test_two_trunks_of_one_backbone_leave_it_and_each_other_alone(
    embedded: tuple[keras.Model, BackboneSpec],
) -> None:
    backbone, spec = embedded
    before = [np.asarray(weight).copy() for weight in backbone.weights]
    first, second = (build_trunk(backbone, spec, 64, frozen=False) for _ in range(2))
    for weight in first.trainable_weights:
        weight.assign(weight + 1)
    assert all(
        np.array_equal(np.asarray(now), then) for now, then in zip(backbone.weights, before, strict=True)
    )
    third = build_trunk(backbone, spec, 64, frozen=False)
    for now, then in zip(second.get_weights(), third.get_weights(), strict=True):
        np.testing.assert_array_equal(now, then)


def test_frozen_there_is_nothing_to_train(embedded: tuple[keras.Model, BackboneSpec]) -> None:
    assert build_trunk(*embedded, 64, frozen=True).trainable_weights == []


def test_tuned_its_batch_statistics_stay(embedded: tuple[keras.Model, BackboneSpec]) -> None:
    trunk = build_trunk(*embedded, 64, frozen=False)
    assert trunk.trainable_weights
    statistics = [weight for weight in trunk.weights if "moving" in weight.path]
    before = [np.asarray(weight).copy() for weight in statistics]
    noise = np.random.default_rng(0).uniform(0, 255, (2, 64, 64, 1)).astype(np.float32)
    trained, used = trunk(noise, training=True), trunk(noise, training=False)
    for name in used:
        np.testing.assert_array_equal(np.asarray(trained[name]), np.asarray(used[name]))
    for now, then in zip(statistics, before, strict=True):
        np.testing.assert_array_equal(np.asarray(now), then)


def test_what_a_backbone_leaves_out_in_training_of_its_own_it_sees_here() -> None:
    rgb = keras.Input((64, 64, 3))
    x = rgb
    for channels in (4, 6, 8, 10, 12):
        x = layers.SpatialDropout2D(0.5)(layers.Conv2D(channels, 3, strides=2, padding="same")(x))
    backbone = keras.Model(rgb, layers.GlobalAveragePooling2D()(x))
    trunk = build_trunk(backbone, spec_of("mine", 64), 64, frozen=True)
    noise = np.random.default_rng(0).uniform(0, 255, (2, 64, 64, 1)).astype(np.float32)
    for trained, used in zip(trunk(noise, training=True).values(), trunk(noise).values(), strict=True):
        np.testing.assert_array_equal(np.asarray(trained), np.asarray(used))


def test_a_backbone_of_ones_own_serves_as_well(l8: np.ndarray) -> None:
    backbone, spec = small_backbone(), spec_of("mine", 64)
    own = keras.Model(backbone.input, [backbone.get_layer(f"add_{number}").output for number in (1, 2, 3, 4)])
    seen = l8[:, ::4, ::4][:, :56, :56]
    seen = np.pad(seen, [(0, 0), (0, 8), (0, 8), (0, 0)])
    maps = build_trunk(backbone, spec, 64, frozen=True)(seen)
    for expected, stride in zip(own(prepared(seen, spec), training=False), STRIDES, strict=True):
        ours = np.asarray(maps[f"stride_{stride}"])
        assert np.abs(ours - np.asarray(expected)).mean() < 0.001 * np.abs(np.asarray(expected)).mean()


def test_it_is_saved_and_loaded_with_what_is_built_in(tmp_path: Any, l8: np.ndarray) -> None:
    trunk = build_trunk(small_backbone(), spec_of("mine", 64), 64, frozen=True)
    save_network(trunk, tmp_path / "trunk.keras")
    again = load_network(tmp_path / "trunk.keras")
    for name, expected in trunk(l8[:, :64, :64]).items():
        np.testing.assert_allclose(np.asarray(again(l8[:, :64, :64])[name]), np.asarray(expected), atol=1e-5)


def test_it_computes_in_the_precision_of_today() -> None:
    backbone = small_backbone()
    set_precision(True)
    try:
        maps = build_trunk(backbone, spec_of("mine", 64), 64, frozen=True)(np.zeros((1, 64, 64, 1)))
    finally:
        set_precision(False)
    assert {keras.backend.standardize_dtype(tensor.dtype) for tensor in maps.values()} == {"bfloat16"}
    assert {layer.compute_dtype for layer in backbone.layers} == {"float32"}


def shallow() -> keras.Model:
    rgb = keras.Input((64, 64, 3))
    x = layers.Conv2D(4, 3, strides=2, padding="same")(rgb)
    return keras.Model(rgb, layers.GlobalAveragePooling2D()(x))


def nested() -> keras.Model:
    rgb = keras.Input((64, 64, 3))
    return keras.Model(rgb, layers.Dense(3)(small_backbone()(rgb)))


def sequential() -> keras.Model:
    return keras.Sequential(
        [keras.Input((64, 64, 3)), layers.Conv2D(4, 3, strides=2), layers.GlobalAveragePooling2D()]
    )


def of_any_size() -> keras.Model:
    rgb = keras.Input((None, None, 3))
    return keras.Model(rgb, layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, strides=2)(rgb)))


def sharing() -> keras.Model:
    rgb = keras.Input((64, 64, 3))
    activation = layers.ReLU()
    x = rgb
    for channels in (4, 6, 8, 10, 12):
        x = activation(layers.Conv2D(channels, 3, strides=2, padding="same")(x))
    return keras.Model(rgb, layers.GlobalAveragePooling2D()(x))


@pytest.mark.parametrize("make", [shallow, nested, sequential, of_any_size, sharing])
def test_a_backbone_without_the_scales_is_refused_in_a_sentence(make: Any) -> None:
    with pytest.raises(BackboneError) as caught:
        build_trunk(make(), spec_of("mine", 64), 64, frozen=True)
    message = str(caught.value)
    assert "Expected a backbone with feature maps at strides of 4, 8, 16 and 32" in message
    assert "Received: mine with strides of " in message
    assert "the network `fusion`" in message


@pytest.mark.parametrize(
    ("application", "sides_and_channels"),
    [
        pytest.param(
            "InceptionResNetV2",
            {4: (73, 80), 8: (35, 320), 16: (17, 1088), 32: (8, 1536)},
            marks=pytest.mark.slow,
        ),
        ("MobileNetV2", {4: (56, 24), 8: (28, 32), 16: (14, 96), 32: (7, 320)}),
    ],
)
def test_of_kerass_own_networks_the_last_bottleneck_of_each_size_is_taken(
    application: str, sides_and_channels: dict[int, tuple[int, int]]
) -> None:
    taps = _taps(getattr(keras.applications, application)(weights=None))
    found = {stride: (taps[stride].shape[1], taps[stride].shape[3]) for stride in STRIDES}
    assert found == sides_and_channels
