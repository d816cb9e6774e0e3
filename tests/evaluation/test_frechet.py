from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.linalg import sqrtm

from tintype.evaluation.features import frechet_distance


def test_in_one_dimension_it_is_the_formula_by_hand() -> None:
    """Means 1 and 4; standard deviations sqrt(2) and 2 sqrt(2): (4 - 1)^2 + (2 - 1)^2 2."""
    assert frechet_distance(np.array([[0.0], [2]]), np.array([[2.0], [6]])) == pytest.approx(9 + 2)


def test_it_agrees_with_the_matrix_root() -> None:
    random = np.random.default_rng(1)
    first = random.normal(size=(40, 6)) @ random.normal(size=(6, 6))
    second = 1 + random.normal(size=(30, 6)) @ random.normal(size=(6, 6))
    one, other = np.cov(first.T), np.cov(second.T)
    root = np.trace(sqrtm(one @ other)).real
    expected = np.sum((first.mean(0) - second.mean(0)) ** 2) + np.trace(one) + np.trace(other) - 2 * root
    assert frechet_distance(first, second) == pytest.approx(expected)


def test_equal_sets_have_none_and_a_shift_has_its_square() -> None:
    vectors = np.random.default_rng(2).normal(size=(10, 50)).astype(np.float32)
    assert frechet_distance(vectors, vectors) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(vectors, vectors + 1) == pytest.approx(50, rel=1e-5)


def test_few_vectors_of_the_same_kind_seem_further_apart_than_many() -> None:
    """The bias that the docstring warns of."""
    random = np.random.default_rng(3)
    few, many = (frechet_distance(*random.normal(size=(2, count, 20))) for count in (15, 1500))
    assert few > 10 * many


def test_one_vector_has_no_spread() -> None:
    assert math.isnan(frechet_distance(np.zeros((1, 3)), np.zeros((5, 3))))
