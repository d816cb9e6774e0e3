"""Networks as files: few bytes, always the same."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from tintype.models.keras_backend import prepare_keras
from tintype.models.keras_file import NetworkFileError, load_network, save_network

prepare_keras()

import keras  # noqa: E402
from keras import layers  # noqa: E402


@pytest.fixture(scope="module")
def network() -> keras.Model:
    """Convolutions with statistics, some of them in a network inside."""
    inner_input = keras.Input((16, 16, 24))
    x = layers.Conv2D(64, 3, padding="same", name="conv")(inner_input)
    inner = keras.Model(inner_input, layers.BatchNormalization(name="norm")(x), name="inner")
    rgb = keras.Input((16, 16, 3), name="rgb")
    x = layers.Conv2D(24, 3, padding="same", activation="relu", name="first")(rgb)
    network = keras.Model(rgb, layers.Conv2D(2, 1, activation="tanh", name="ab")(inner(x)))
    norm = inner.get_layer("norm")
    random = np.random.default_rng(0)
    norm.set_weights([random.uniform(0.1, 2, 64) for _ in range(4)])
    return network


@pytest.fixture(scope="module")
def photos() -> np.ndarray:
    return np.random.default_rng(1).normal(0, 1, (2, 16, 16, 3)).astype(np.float32)


def arrays_of(file: Path) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}

    def note(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            found[name] = item[()]

    with zipfile.ZipFile(file) as archive, h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as weights:
        weights.visititems(note)
    return found


def test_in_half_precision_the_file_is_about_half_the_size(network: keras.Model, tmp_path: Path) -> None:
    save_network(network, tmp_path / "whole.keras")
    save_network(network, tmp_path / "half.keras", half=True)
    whole, half = ((tmp_path / f"{name}.keras").stat().st_size for name in ("whole", "half"))
    assert half < 0.62 * whole


def test_weights_are_rounded_and_none_is_left_out(network: keras.Model, tmp_path: Path) -> None:
    save_network(network, tmp_path / "whole.keras")
    save_network(network, tmp_path / "half.keras", half=True)
    whole, half = arrays_of(tmp_path / "whole.keras"), arrays_of(tmp_path / "half.keras")
    assert list(half) == list(whole)
    assert len(whole) == 2 + 2 + 4 + 2
    for name, array in whole.items():
        np.testing.assert_array_equal(half[name], array.astype(np.float16))
        assert half[name].dtype == np.float16


def test_the_colours_stay_and_are_computed_in_float32(
    network: keras.Model, photos: np.ndarray, tmp_path: Path
) -> None:
    save_network(network, tmp_path / "half.keras", half=True)
    again = load_network(tmp_path / "half.keras")
    assert {weight.dtype for weight in again.trainable_weights} == {"float32"}
    ours, expected = np.asarray(again(photos)), np.asarray(network(photos))
    assert 0 < np.abs(ours - expected).max() < 1e-2


@pytest.mark.parametrize("half", [False, True])
def test_the_same_network_gives_the_same_bytes(network: keras.Model, tmp_path: Path, half: bool) -> None:
    save_network(network, tmp_path / "one.keras", half=half)
    save_network(network, tmp_path / "two.keras", half=half)
    assert (tmp_path / "one.keras").read_bytes() == (tmp_path / "two.keras").read_bytes()


def test_a_file_in_half_precision_saved_again_is_the_same_file(network: keras.Model, tmp_path: Path) -> None:
    save_network(network, tmp_path / "one.keras", half=True)
    save_network(load_network(tmp_path / "one.keras"), tmp_path / "two.keras", half=True)
    one, two = arrays_of(tmp_path / "one.keras"), arrays_of(tmp_path / "two.keras")
    assert one.keys() == two.keys()
    for name, array in one.items():
        np.testing.assert_array_equal(array, two[name])


def test_other_weights_give_other_bytes(network: keras.Model, tmp_path: Path) -> None:
    save_network(network, tmp_path / "one.keras", half=True)
    other = keras.models.clone_model(network)
    save_network(other, tmp_path / "two.keras", half=True)
    assert (tmp_path / "one.keras").read_bytes() != (tmp_path / "two.keras").read_bytes()


def test_what_is_no_float_is_kept_as_it_is(tmp_path: Path) -> None:
    features = keras.Input((3,))
    network = keras.Model(features, layers.Dense(2)(features))
    network.compile(optimizer="adam", loss="mse")  # the optimizer counts its steps
    network.optimizer.build(network.trainable_variables)
    network.optimizer.iterations.assign(70_000)
    save_network(network, tmp_path / "whole.keras")
    save_network(network, tmp_path / "half.keras", half=True)
    whole, half = arrays_of(tmp_path / "whole.keras"), arrays_of(tmp_path / "half.keras")
    kept = {name for name, array in whole.items() if array.dtype != np.float32}
    assert kept
    for name in kept:
        assert half[name].dtype == whole[name].dtype
        np.testing.assert_array_equal(half[name], whole[name])


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_a_weight_that_is_no_finite_number_is_named(tmp_path: Path, value: float) -> None:
    network = _with_weights(value)
    with pytest.raises(
        NetworkFileError, match=r"finite numbers\. Received: one in layers/dense/vars/0 .*rate"
    ):
        save_network(network, tmp_path / "network.keras", half=True)


@pytest.mark.parametrize("value", [65520.0, 1e6])
def test_an_array_that_half_precision_cannot_hold_stays_as_it_is(tmp_path: Path, value: float) -> None:
    save_network(_with_weights(value), tmp_path / "network.keras", half=True)
    kernel, bias = arrays_of(tmp_path / "network.keras").values()
    assert (kernel.dtype, bias.dtype) == (np.float32, np.float16)
    again = load_network(tmp_path / "network.keras")
    np.testing.assert_array_equal(np.asarray(again.get_layer("large").kernel), np.float32(value))


def test_the_largest_that_fits_is_kept(tmp_path: Path) -> None:
    save_network(_with_weights(65504), tmp_path / "network.keras", half=True)
    assert np.asarray(load_network(tmp_path / "network.keras").get_layer("large").kernel).min() == 65504


def _with_weights(value: float) -> keras.Model:
    features = keras.Input((3,))
    network = keras.Model(features, layers.Dense(2, name="large")(features))
    network.get_layer("large").set_weights([np.full((3, 2), value, np.float32), np.zeros(2, np.float32)])
    return network
