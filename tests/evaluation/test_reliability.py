"""Confidence held against what came true."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tintype.evaluation.reliability import Reliability, draw_reliability
from tintype.imaging.confidence import NEAR
from tintype.imaging.lab import rgb_to_lab

GRAY = np.full((40, 40, 3), 120, np.uint8)


def counted(*photos: tuple[float, float]) -> Reliability:
    """Gray photos, each with a confidence and the share of places whose colour is near the truth."""
    reliability = Reliability()
    for confidence, right in photos:
        ab = np.zeros((20, 20, 2), np.float32)
        ab.reshape(-1, 2)[round(right * 400) :] = (NEAR + 1, 0)
        reliability.add(GRAY, ab, np.full((20, 20), confidence, np.float32))
    return reliability


def test_a_model_that_keeps_its_word_has_no_error() -> None:
    assert counted((0.3, 0.3), (0.75, 0.75), (1.0, 1.0)).error() == pytest.approx(0, abs=1e-6)


def test_the_error_is_the_mean_distance_weighted_by_places() -> None:
    # .9 said and .5 true, twice; .2 said and .3 true, once
    reliability = counted((0.9, 0.5), (0.9, 0.5), (0.2, 0.3))
    assert reliability.error() == pytest.approx((2 * 0.4 + 0.1) / 3, abs=1e-6)
    sure = reliability.rows()[-1]
    assert sure == pytest.approx({"confidence": 0.9, "right": 0.5, "share": 2 / 3})


def test_right_is_what_lies_within_the_distance_of_the_truth_and_not_of_gray() -> None:
    red = np.full((40, 40, 3), (200, 40, 40), np.uint8)
    true = rgb_to_lab(red)[0, 0, 1:]
    reliability = Reliability()
    for shift, confidence in ((NEAR - 0.5, 0.15), (NEAR + 0.5, 0.85)):
        ab = np.broadcast_to(true + np.float32([shift, 0]), (10, 10, 2)).astype(np.float32)
        reliability.add(red, ab, np.full((10, 10), confidence, np.float32))
    assert [row["right"] for row in reliability.rows()] == [1, 0]


def test_an_overconfident_model_is_distinguished_from_a_calibrated_one() -> None:
    honest, boastful = counted((0.4, 0.4), (0.8, 0.8)), counted((0.9, 0.4), (0.9, 0.8))
    assert honest.error() < boastful.error()


@pytest.mark.parametrize("rows", [[], counted((0.3, 0.2), (0.8, 0.9)).rows()])
def test_the_diagram_is_drawn_the_same_each_time(rows: list[dict[str, float]], tmp_path: Path) -> None:
    for name in ("one.png", "two.png"):
        draw_reliability(rows, tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    with Image.open(tmp_path / "one.png") as picture:
        blue = np.asarray(picture.convert("RGB")) == (0, 0x72, 0xB2)
    assert blue.all(axis=-1).any() == bool(rows)
