"""From classes to colours: the layers behind a network against NumPy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tintype.models.bins import ab_bins
from tintype.models.decoding import annealed_mean, decoded, plain_ab, spread_of, undecoded
from tintype.models.heads import put_head
from tintype.models.keras_backend import prepare_keras
from tintype.models.keras_file import load_network, save_network
from tintype.models.network import AB_LIMIT

prepare_keras()

import keras  # noqa: E402


@pytest.fixture(scope="module")
def network() -> keras.Model:
    """Scores from four features, some of them nearly sure of a class."""
    features = keras.Input((8, 8, 4), name="l")
    network = keras.Model({"l": features}, put_head(features, "classes"), name="little")
    head = network.get_layer("classes")
    random = np.random.default_rng(1)
    head.set_weights([random.normal(0, 3, (1, 1, 4, len(ab_bins()))), random.normal(0, 1, len(ab_bins()))])
    return network


@pytest.fixture(scope="module")
def inputs() -> dict[str, np.ndarray]:
    return {"l": np.random.default_rng(2).normal(0, 2, (3, 8, 8, 4)).astype(np.float32)}


def test_a_flat_distribution_is_the_mean_of_all_bins() -> None:
    flat = np.zeros((1, 1, 1, len(ab_bins())), np.float32)
    np.testing.assert_allclose(annealed_mean(flat)[0, 0, 0], ab_bins().mean(axis=0), atol=1e-3)
    variance = ab_bins().astype(float).var(axis=0).sum()
    np.testing.assert_allclose(spread_of(flat)[0, 0, 0], np.sqrt(variance), rtol=1e-4)


def test_two_colours_by_hand() -> None:
    """Three parts of one, one part of its neighbour: the mean a quarter of the way, nearer when cooler."""
    bins = ab_bins().tolist()
    scores = np.full(len(bins), -50, np.float32)
    scores[bins.index([20, 10])], scores[bins.index([30, 10])] = np.log(3), 0
    np.testing.assert_allclose(annealed_mean(scores), [22.5, 10], atol=1e-3)
    np.testing.assert_allclose(annealed_mean(scores, 0.5), [21, 10], atol=1e-3)  # 9 : 1
    np.testing.assert_allclose(spread_of(scores), np.sqrt(0.75 * 2.5**2 + 0.25 * 7.5**2), atol=1e-2)


def test_as_temperature_falls_the_mean_goes_to_the_likeliest_bin() -> None:
    scores = np.random.default_rng(0).normal(0, 2, (5, 5, len(ab_bins()))).astype(np.float32)
    np.testing.assert_allclose(annealed_mean(scores, 0.001), ab_bins()[scores.argmax(-1)], atol=0.1)


@pytest.mark.parametrize("temperature", [1.0, 0.4, 0.05])
def test_the_layers_say_what_numpy_says(
    network: keras.Model, inputs: dict[str, np.ndarray], temperature: float
) -> None:
    scores = np.asarray(network(inputs))
    output = decoded(network, temperature)(inputs)
    ab, spread = np.asarray(output["ab"]), np.asarray(output["spread"])
    assert ab.shape == (3, 8, 8, 2)
    assert spread.shape == (3, 8, 8, 1)
    np.testing.assert_allclose(ab * AB_LIMIT, annealed_mean(scores, temperature), atol=1e-4 * AB_LIMIT)
    np.testing.assert_allclose(spread[..., 0] * AB_LIMIT, spread_of(scores), atol=1e-3 * AB_LIMIT)
    assert spread.std() > 0


@pytest.mark.parametrize("half", [False, True])
def test_it_is_saved_and_loaded_in_safe_mode(
    network: keras.Model, inputs: dict[str, np.ndarray], tmp_path: Path, half: bool
) -> None:
    whole = decoded(network, 0.4)
    save_network(whole, tmp_path / "network.keras", half=half)
    again, expected = load_network(tmp_path / "network.keras")(inputs), whole(inputs)
    assert set(again) == {"ab", "spread"}
    for name, tolerance in (("ab", 0.02), ("spread", 0.02)):
        np.testing.assert_allclose(
            np.asarray(again[name]), np.asarray(expected[name]), atol=tolerance if half else 1e-6
        )


@pytest.mark.parametrize("half", [False, True])
def test_a_pixel_that_is_sure_of_any_class_has_its_colour_and_no_spread(tmp_path: Path, half: bool) -> None:
    """The spread is a difference of squares: rounded ones would leave units of it."""
    count = len(ab_bins())
    features = keras.Input((1, count, count), name="l")
    network = keras.Model({"l": features}, put_head(features, "classes"))
    network.get_layer("classes").set_weights([90 * np.eye(count).reshape(1, 1, count, -1), np.zeros(count)])
    save_network(decoded(network, 0.4), tmp_path / "network.keras", half=half)
    output = load_network(tmp_path / "network.keras")({"l": np.eye(count, dtype=np.float32)[None, None]})
    np.testing.assert_allclose(np.asarray(output["ab"])[0, 0] * AB_LIMIT, ab_bins(), atol=1e-3)
    assert np.asarray(output["spread"]).max() * AB_LIMIT < 0.1


def test_undone_it_gives_the_scores_back(
    network: keras.Model, inputs: dict[str, np.ndarray], tmp_path: Path
) -> None:
    whole = decoded(network, 0.4)
    np.testing.assert_array_equal(np.asarray(undecoded(whole)(inputs)), np.asarray(network(inputs)))
    save_network(whole, tmp_path / "network.keras")
    again = undecoded(load_network(tmp_path / "network.keras"))
    np.testing.assert_allclose(np.asarray(again(inputs)), np.asarray(network(inputs)), atol=1e-5)
    assert again.output_shape == network.output_shape


def test_there_is_nothing_more_to_train(network: keras.Model) -> None:
    trained = {id(weight) for weight in network.trainable_weights}
    assert {id(weight) for weight in decoded(network, 0.4).trainable_weights} == trained


def test_a_network_that_says_colours_itself_stays_as_it_is(network_params: Any) -> None:
    features = keras.Input((8, 8, 4))
    network = keras.Model(features, put_head(features, "tanh"))
    assert decoded(network, None) is network
    assert undecoded(network) is network


def test_plain_ab_of_either_head() -> None:
    tanh = np.array([[[-1.0, 0.5]]], np.float32)
    np.testing.assert_array_equal(plain_ab(tanh), tanh * 128)
    scores = np.random.default_rng(0).normal(size=(2, 2, len(ab_bins()))).astype(np.float32)
    np.testing.assert_array_equal(plain_ab(scores), annealed_mean(scores, 1.0))
