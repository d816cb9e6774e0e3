from __future__ import annotations

import math

import numpy as np
import pytest

from tintype.evaluation.intervals import Interval, bootstrap


def of_mean(values: object) -> Interval:
    """Of a table of shape (seeds, photos) or (photos,)."""
    table = np.atleast_2d(np.asarray(values, np.float64))
    return bootstrap(
        lambda photos, of: float(table[np.ix_(of[0], photos)].mean()), table.shape[1], [len(table)]
    )


def of_difference(first: object, second: object) -> Interval:
    """Of two recipes' means over the same photos."""
    one, other = (np.atleast_2d(np.asarray(values, np.float64)) for values in (first, second))
    return bootstrap(
        lambda photos, of: float(one[np.ix_(of[0], photos)].mean() - other[np.ix_(of[1], photos)].mean()),
        one.shape[1],
        [len(one), len(other)],
    )


def test_the_interval_of_a_mean_is_about_that_of_the_normal_distribution() -> None:
    values = np.random.default_rng(0).normal(10, 2, 400)
    found = of_mean(values)
    half = 1.96 * values.std() / 20
    assert found.estimate == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - half, abs=0.1 * half)
    assert found.high == pytest.approx(values.mean() + half, abs=0.1 * half)


def test_seeds_that_differ_widen_it() -> None:
    photos = np.random.default_rng(0).normal(0, 1, 100)
    alike, apart = (of_mean(photos + spread * np.array([[-1.0], [0], [1]])) for spread in (0, 1))
    assert apart.high - apart.low > 2 * (alike.high - alike.low)


def test_photos_are_paired_in_a_difference() -> None:
    """Photos differ by 100, recipes by 1 on each: alone both means are uncertain, their difference is not."""
    hard = np.random.default_rng(1).normal(50, 100, 60)
    assert of_mean(hard).high - of_mean(hard).low > 20
    found = of_difference(np.stack([hard - 1, hard - 1.1]), hard)
    assert (found.low, found.high) == (pytest.approx(-1.1), pytest.approx(-1))


def test_the_seeds_of_two_recipes_are_drawn_apart() -> None:
    seeds = np.array([[0.0], [10]]) + np.zeros((2, 5))
    found = of_difference(seeds, seeds)
    assert found.estimate == 0
    assert (found.low, found.high) == (-10, 10)


def test_a_share_has_an_interval_too() -> None:
    found = of_mean(np.arange(100) < 80)
    assert found.estimate == pytest.approx(0.8)
    assert found.low == pytest.approx(0.72, abs=0.015)
    assert found.high == pytest.approx(0.88, abs=0.015)


def test_the_same_at_every_call_and_nan_where_too_many_draws_are_undefined() -> None:
    values = np.random.default_rng(2).normal(size=30)
    assert of_mean(values) == of_mean(values)

    def only_with_the_first(photos: np.ndarray, seeds: object) -> float:
        return 1.0 if 0 in photos else math.nan

    found = bootstrap(only_with_the_first, 10, [1])
    assert found.estimate == 1
    assert math.isnan(found.low)
