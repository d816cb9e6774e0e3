"""The index by hand, by chance, and where there is little to say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from tintype.monitoring.drift import (
    DRIFT,
    FEW,
    Distribution,
    Level,
    _chi2,
    counts_in,
    distribution_of,
    drift_of,
)


def reference(**changed):
    given = {"count": 10**9, "edges": [0.0], "shares": [0.5, 0.5, 0.0], "low": -1, "middle": 0, "high": 1}
    return Distribution(**{**given, **changed})


def test_the_index_by_hand():
    """Eight in ten where the reference has five: (.8 - .5) ln(.8 / .5) + (.2 - .5) ln(.2 / .5)."""
    values = np.repeat([-1.0, 1.0], [80_000, 20_000])
    expected = 0.3 * math.log(0.8 / 0.5) - 0.3 * math.log(0.2 / 0.5)
    drift = drift_of(values, reference())
    assert drift.psi == pytest.approx(expected, rel=1e-3)
    assert drift.level is Level.DRIFT


@pytest.mark.parametrize(("shift", "level"), [(0, Level.SAME), (0.38, Level.WATCH), (0.8, Level.DRIFT)])
def test_levels(shift, level):
    chance = np.random.default_rng(1)
    usual = distribution_of(chance.normal(0, 1, 5000))
    assert drift_of(chance.normal(shift, 1, 5000), usual).level is level


@pytest.mark.parametrize("count", [100, 200, 1000])
def test_where_nothing_changed_chance_gives_no_alarm(count):
    chance = np.random.default_rng(2)
    levels = [
        drift_of(chance.gamma(2, 10, count), distribution_of(chance.gamma(2, 10, 300))).level
        for _ in range(300)
    ]
    assert levels.count(Level.DRIFT) <= 1
    assert levels.count(Level.WATCH) <= 3


def test_chi_squared_is_near_enough():
    for degrees in range(1, 12):
        assert _chi2(degrees) == pytest.approx(stats.chi2.ppf(0.999, degrees), rel=0.035)


def test_too_few_on_either_side():
    many, few = np.arange(FEW, dtype=float), np.arange(FEW - 1, dtype=float)
    assert drift_of(few, distribution_of(many)).level is Level.FEW
    assert drift_of(many, distribution_of(few)).level is Level.FEW
    assert drift_of(many, distribution_of(many)).level is Level.SAME


def test_a_value_that_most_photos_share_is_one_bin():
    values = np.concatenate([np.zeros(700), np.linspace(0.01, 1, 300)])
    usual = distribution_of(values)
    assert usual.edges[0] == 0
    assert usual.shares[0] == pytest.approx(0.7)
    assert drift_of(values, usual).psi == pytest.approx(0, abs=1e-9)
    assert drift_of(np.linspace(0.01, 1, 1000), usual).level is Level.DRIFT


def test_what_is_not_defined_is_a_bin_of_its_own():
    values = np.concatenate([np.full(100, np.nan), np.linspace(0, 1, 900)])
    usual = distribution_of(values)
    assert usual.shares[-1] == pytest.approx(0.1)
    assert drift_of(values, usual).level is Level.SAME
    half = np.concatenate([np.full(500, np.nan), np.linspace(0, 1, 500)])
    assert drift_of(half, usual).level is Level.DRIFT
    assert counts_in(half, usual.edges).sum() == 1000


def test_what_only_one_side_says_is_not_compared():
    nothing, something = np.full(500, np.nan), np.linspace(0, 1, 500)
    assert drift_of(nothing, distribution_of(something)).level is Level.ABSENT
    assert drift_of(something, distribution_of(nothing)).level is Level.ABSENT


def test_the_limit_is_chances_where_that_is_more():
    usual = distribution_of(np.random.default_rng(0).normal(0, 1, 100))
    assert drift_of(np.zeros(100) + 0.5, usual).limit > DRIFT
    assert drift_of(np.zeros(10**6), reference()).limit == DRIFT
