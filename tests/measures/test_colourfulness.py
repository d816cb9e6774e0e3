from __future__ import annotations

import math

import numpy as np
import pytest

from tintype.measures.colourfulness import colourfulness, colourfulness_ratio


def test_colourfulness_by_hand() -> None:
    photo = np.array([[[255, 0, 0], [0, 0, 255]]], np.uint8)  # rg = 255, 0; yb = 127.5, -255
    expected = math.hypot(127.5, 191.25) + 0.3 * math.hypot(127.5, -63.75)
    assert colourfulness(photo) == pytest.approx(expected)


def test_colourfulness_of_gray_is_zero() -> None:
    gray = np.repeat(np.arange(256, dtype=np.uint8).reshape(16, 16, 1), 3, axis=2)
    assert colourfulness(gray) == 0


def test_colourfulness_tells_red_and_green_from_their_mean() -> None:
    """The differences are signed: taken without their signs, this photo would have no spread at all."""
    photo = np.array([[[200, 100, 0], [100, 200, 0]]], np.uint8)
    assert colourfulness(photo) == pytest.approx(100 + 0.3 * 150)


def test_colourfulness_ratio_is_one_of_means() -> None:
    assert colourfulness_ratio([10, 30], [20, 20]) == 1
    assert colourfulness_ratio([1, 10], [0.01, 20]) == pytest.approx(
        11 / 20.01
    )  # nearly gray truth has no say
    assert math.isnan(colourfulness_ratio([0], [0]))
