from __future__ import annotations

import math

import numpy as np
import pytest

from tintype.evaluation.intervals import bootstrap, difference_interval, mean_interval, ratio_interval


def test_the_interval_of_a_mean_is_about_that_of_the_normal_distribution() -> None:
    values = np.random.default_rng(0).normal(10, 2, 400)
    found = mean_interval(values)
    half = 1.96 * values.std() / 20
    assert found.estimate == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - half, abs=0.1 * half)
    assert found.high == pytest.approx(values.mean() + half, abs=0.1 * half)


def test_seeds_that_differ_widen_it() -> None:
    photos = np.random.default_rng(0).normal(0, 1, 100)
    alike, apart = (mean_interval(photos + spread * np.array([[-1.0], [0], [1]])) for spread in (0, 1))
    assert apart.high - apart.low > 2 * (alike.high - alike.low)


def test_photos_are_paired_in_a_difference() -> None:
    """Photos differ by 100, recipes by 1 on each: alone both means are uncertain, their difference is not."""
    hard = np.random.default_rng(1).normal(50, 100, 60)
    assert mean_interval(hard).high - mean_interval(hard).low > 20
    found = difference_interval(np.stack([hard - 1, hard - 1.1]), hard)
    assert (found.low, found.high) == (pytest.approx(-1.1), pytest.approx(-1))


def test_the_seeds_of_two_recipes_are_drawn_apart() -> None:
    seeds = np.array([[0.0], [10]]) + np.zeros((2, 5))
    found = difference_interval(seeds, seeds)
    assert found.estimate == 0
    assert (found.low, found.high) == (-10, 10)


def test_recipes_have_to_be_judged_on_the_same_photos() -> None:
    with pytest.raises(ValueError, match="3 and 4"):
        difference_interval(np.zeros(3), np.zeros(4))


def test_a_share_has_an_interval_too() -> None:
    found = mean_interval(np.arange(100) < 80)
    assert found.estimate == pytest.approx(0.8)
    assert found.low == pytest.approx(0.72, abs=0.015)
    assert found.high == pytest.approx(0.88, abs=0.015)


def test_photos_without_a_value_are_left_out() -> None:
    assert mean_interval([1, math.nan, 3]).estimate == 2
    nothing = mean_interval([math.nan])
    assert math.isnan(nothing.estimate)
    assert math.isnan(nothing.low)


def test_a_ratio_is_one_of_sums() -> None:
    found = ratio_interval([[10, 30], [30, 30]], [20, 60])
    assert found.estimate == pytest.approx(100 / 160)
    assert found.low == pytest.approx(0.5, abs=0.01)


def test_the_same_at_every_call_and_nan_where_too_many_draws_are_undefined() -> None:
    values = np.random.default_rng(2).normal(size=30)
    assert mean_interval(values) == mean_interval(values)

    def only_with_the_first(photos: np.ndarray, seeds: object) -> float:
        return 1.0 if 0 in photos else math.nan

    found = bootstrap(only_with_the_first, 10, [1])
    assert found.estimate == 1
    assert math.isnan(found.low)
