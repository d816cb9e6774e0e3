"""Losses by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tintype.models.bins import ab_bins
from tintype.models.keras_backend import prepare_keras
from tintype.params import Params, TrainParams
from tintype.params.blocks import ClassesParams, HuberParams, MseParams

prepare_keras()

import keras  # noqa: E402

from tintype.training.losses import chroma_at, cross_entropy, huber, loss_of, squared_error  # noqa: E402

EVEN = np.ones(len(ab_bins()), np.float32)
MSE = MseParams(name="mse")


@pytest.fixture(scope="module")
def train(params: Params) -> TrainParams:
    return params.train


def truth_of(*colours: tuple[float, float]) -> np.ndarray:
    """One photo of one pixel for each colour in Lab units; its lightness must not matter."""
    return np.array([[[[77, a / 128, b / 128]]] for a, b in colours], np.float32)


def predicted(*colours: tuple[float, float]) -> np.ndarray:
    return truth_of(*colours)[..., 1:]


def test_squared_error_by_hand() -> None:
    # (12.8 / 128)^2 and (25.6 / 128)^2: mean of 0.01 and 0.04
    np.testing.assert_allclose(squared_error(truth_of((12.8, 0)), predicted((0, 25.6))), [0.025], rtol=1e-5)
    np.testing.assert_allclose(squared_error(truth_of((5, 6), (7, 8)), predicted((5, 6), (7, 8))), [0, 0])


def test_huber_by_hand() -> None:
    # Off by 0.1 and 0.5. Up to 0.2 half the square, 0.005; beyond a line, 0.2 * (0.5 - 0.1) = 0.08.
    np.testing.assert_allclose(huber(truth_of((12.8, -64)), predicted((0, 0)), 0.2), [0.0425], rtol=1e-5)
    # Where it turns, both say the same.
    np.testing.assert_allclose(huber(truth_of((25.6, 25.6)), predicted((0, 0)), 0.2), [0.02], rtol=1e-5)


def spread_over_bins(a: float, b: float) -> np.ndarray:
    closeness = np.exp(-np.square(ab_bins().astype(float) - [a, b]).sum(axis=1) / 50)
    return closeness / closeness.sum()


def test_cross_entropy_by_hand() -> None:
    spread = spread_over_bins(23.0, -7.5)
    assert spread.max() == pytest.approx(spread[ab_bins().tolist().index([20, -10])])
    flat = np.zeros((1, 1, 1, len(EVEN)), np.float32)
    np.testing.assert_allclose(
        cross_entropy(truth_of((23, -7.5)), flat, EVEN), [np.log(len(EVEN))], rtol=1e-5
    )
    scores = np.random.default_rng(0).normal(0, 2, len(EVEN))
    surprise = -(spread * (scores - np.log(np.exp(scores).sum()))).sum()
    given = scores.astype(np.float32)[None, None, None]
    np.testing.assert_allclose(cross_entropy(truth_of((23, -7.5)), given, EVEN), [surprise], rtol=1e-4)


def test_cross_entropy_is_lowest_where_the_true_distribution_is_said() -> None:
    truth = truth_of((23, -7.5))
    true = np.log(spread_over_bins(23.0, -7.5) + 1e-30).astype(np.float32)[None, None, None]
    lowest = float(cross_entropy(truth, true, EVEN)[0])
    random = np.random.default_rng(0)
    for strength in (0.01, 0.1, 1.0):
        for _ in range(20):
            other = true + random.normal(0, strength, true.shape).astype(np.float32)
            assert float(cross_entropy(truth, other, EVEN)[0]) > lowest
    # Neither surer nor less sure, nor the class alone that is nearest.
    for other in (true * 1.2, true * 0.8, np.where(true == true.max(), 0, -30).astype(np.float32)):
        assert float(cross_entropy(truth, other, EVEN)[0]) > lowest


def test_weights_scale_a_pixels_loss_by_the_bins_it_is_spread_over() -> None:
    bins = ab_bins()
    scores = np.random.default_rng(0).normal(0, 1, (2, 1, 1, len(bins))).astype(np.float32)
    truth = truth_of((40, 30), (0, 0))
    plain = np.asarray(cross_entropy(truth, scores, EVEN))
    np.testing.assert_allclose(cross_entropy(truth, scores, 3 * EVEN), 3 * plain, rtol=1e-5)
    weights = np.where(np.abs(bins - [40, 30]).max(axis=1) <= 25, 5, 1).astype(np.float32)
    np.testing.assert_allclose(cross_entropy(truth, scores, weights), plain * [5, 1], rtol=1e-2)


def test_the_truth_is_averaged_over_the_outputs_pixels() -> None:
    truth = np.random.default_rng(0).uniform(-1, 1, (2, 8, 8, 3)).astype(np.float32)
    np.testing.assert_array_equal(chroma_at(truth, np.zeros((2, 8, 8, 2))), truth[..., 1:])
    pooled = truth[..., 1:].reshape(2, 2, 4, 2, 4, 2).mean(axis=(2, 4))
    np.testing.assert_allclose(chroma_at(truth, np.zeros((2, 2, 2, 260))), pooled, atol=1e-6)
    np.testing.assert_allclose(squared_error(truth, pooled), [0, 0], atol=1e-10)


@pytest.mark.parametrize(
    ("loss", "expected"), [(MSE, 0.025), (HuberParams(name="huber", delta=0.1), (0.005 + 0.1 * 0.15) / 2)]
)
def test_the_loss_is_the_mean_over_the_batch(train: TrainParams, loss: Any, expected: float) -> None:
    made = loss_of(train.model_copy(update={"loss": loss}))
    assert made.name == loss.name
    value = made(truth_of((12.8, 25.6), (0, 0)), predicted((0, 0), (0, 0)))
    assert float(value) == pytest.approx(expected / 2, rel=1e-5)


def test_it_is_reckoned_in_float32_whatever_the_network_computes_in(train: TrainParams) -> None:
    made = loss_of(train.model_copy(update={"loss": MSE}))
    value = made(truth_of((12.8, 0)), keras.ops.cast(predicted((0, 0)), "bfloat16"))
    assert keras.backend.standardize_dtype(value.dtype) == "float32"
    assert float(value) == pytest.approx(0.005, rel=1e-5)


def test_the_perceptual_distance_counts_with_its_weight(train: TrainParams) -> None:
    params = train.model_copy(update={"loss": MSE, "perceptual": 0.5})
    made = loss_of(params, perceptual=lambda truth, output: keras.ops.array([2.0]))
    assert float(made(truth_of((12.8, 0)), predicted((0, 0)))) == pytest.approx(0.005 + 1, rel=1e-5)


def test_classes_want_their_weights(train: TrainParams) -> None:
    params = train.model_copy(update={"loss": ClassesParams(name="classes", rebalance=0.0)})
    with pytest.raises(ValueError, match="Expected the classes' weights for the loss classes"):
        loss_of(params)
    flat = np.zeros((1, 1, 1, len(EVEN)), np.float32)
    made = loss_of(params, 2 * EVEN)
    assert float(made(truth_of((23, -7.5)), flat)) == pytest.approx(2 * np.log(len(EVEN)), rel=1e-5)
