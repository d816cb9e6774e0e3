"""What is measured of a photo and its colours, held to what was put there."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tintype.formats.photo import read_photo
from tintype.imaging.lab import gray_to_rgb, lab_to_rgb, rgb_to_lab
from tintype.measures.bleeding import bleed_score
from tintype.measures.colourfulness import colourfulness
from tintype.measures.patches import patch_gradient
from tintype.measures.photo_statistics import SIDE, input_statistics, photo_statistics, small_copy
from tintype.measures.statistics import KINDS, STATISTICS


def seen(pixels, coloured=None, ab=None, confidence=None):
    coloured = pixels if coloured is None else coloured
    return photo_statistics(
        pixels, coloured, np.zeros((8, 8, 2), np.float32) if ab is None else ab, confidence
    )


def flat(lightness, a=0.0, b=0.0, shape=(60, 80)):
    return lab_to_rgb(np.full((*shape, 3), (lightness, a, b), np.float32))


def test_every_statistic_has_a_value_and_nothing_else_has(coffee):
    found = seen(coffee, confidence=0.5)
    assert found.values.keys() == {statistic.name for statistic in STATISTICS}
    assert all(math.isfinite(value) for value in found.values.values())
    of_input = {statistic.name for statistic in STATISTICS if statistic.measured_on == "input"}
    assert input_statistics(coffee) == pytest.approx({name: found.values[name] for name in of_input})


def test_the_shared_figures_are_those_of_the_evaluation(scene):
    """At a size that is not reduced."""
    lab = rgb_to_lab(scene)
    lightness = np.ascontiguousarray(lab[..., 0])
    found = seen(scene).values
    assert found["colourfulness"] == colourfulness(scene)
    assert found["patch_gradient"] == patch_gradient(lab, lightness)
    assert found["bleed_score"] == bleed_score(lab, lightness)
    assert found["mean_chroma"] == pytest.approx(np.hypot(lab[..., 1], lab[..., 2]).mean(), rel=1e-5)
    assert found["lightness"] == pytest.approx(lightness.mean(), rel=1e-5)
    assert found["lightness_spread"] == pytest.approx(lightness.std(), rel=1e-5)


def test_lightness_of_a_made_up_photo():
    half = gray_to_rgb(np.repeat(np.float32([[2, 98]]), 50, axis=0).repeat(30, axis=1))
    found = seen(half).values
    assert found["lightness"] == pytest.approx(50, abs=0.5)
    assert found["lightness_spread"] == pytest.approx(48, abs=0.5)
    assert found["contrast"] == pytest.approx(96, abs=1)
    assert (found["near_black"], found["near_white"]) == (0.5, 0.5)
    assert found["megapixels"] == 50 * 60 / 1e6


def test_blur_is_less_sharp(cat):
    import cv2

    sharp, soft = (seen(photo).values["sharpness"] for photo in (cat, cv2.GaussianBlur(cat, (0, 0), 4)))
    assert soft < sharp / 2


def test_a_tint_shows_its_direction():
    found = seen(flat(50), flat(50, 10, -20)).values
    assert found["mean_a"] == pytest.approx(10, abs=0.6)
    assert found["mean_b"] == pytest.approx(-20, abs=0.6)
    assert found["mean_chroma"] == pytest.approx(math.hypot(10, 20), abs=0.6)


def test_colours_that_no_screen_shows_are_counted():
    ab = np.zeros((8, 8, 2), np.float32)
    assert seen(flat(50), ab=ab).values["out_of_gamut"] == 0
    ab[:4] = 120
    assert seen(flat(50), ab=ab).values["out_of_gamut"] == pytest.approx(0.5, abs=0.1)


def test_gray_answers_have_no_colour_and_no_bleeding(cat):
    found = seen(cat, gray_to_rgb(rgb_to_lab(cat)[..., 0])).values
    assert found["colourfulness"] == 0
    assert found["patch_gradient"] == pytest.approx(0, abs=1e-4)
    assert math.isnan(found["bleed_score"])
    assert math.isnan(found["confidence"])


def test_what_a_photo_was_when_it_came(sample):
    legacy = sample.with_name("legacy")
    gray = gray_to_rgb(rgb_to_lab(read_photo(sample / "cat.jpg").rgb8)[..., 0])
    assert seen(gray).kind == "gray"
    kinds = {file.stem: seen(read_photo(file).rgb8).kind for file in legacy.glob("*.jpg")}
    assert set(kinds.values()) == {"toned"}, kinds  # scans of prints, all of them
    kinds = {file.stem: seen(read_photo(file).rgb8).kind for file in sample.glob("*.jpg")}
    # A lamp and a white wall, and two dogs in snow.
    assert {name for name, kind in kinds.items() if kind != "colour"} <= {"bird-lamp", "dogs"}
    assert set(kinds.values()) <= set(KINDS)


def test_16_bits_give_what_8_do(cat):
    deep = cat.astype(np.uint16) * 257
    assert seen(deep).values == pytest.approx(seen(cat).values, nan_ok=True)


@pytest.mark.parametrize("times", [2, 5, 9])
def test_the_size_of_a_photo_hardly_matters(coffee, times):
    small, large = seen(coffee).values, seen(coffee.repeat(times, 0).repeat(times, 1)).values
    for name in ("lightness", "lightness_spread", "colourfulness", "mean_chroma"):
        assert large[name] == pytest.approx(small[name], rel=0.03)
    assert large["patch_gradient"] == pytest.approx(small["patch_gradient"], rel=0.1)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (3, 700), (255, 257), (2000, 40)])
def test_photos_of_odd_sizes_are_seen(shape):
    photo = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    assert max(small_copy(photo).shape[:2]) <= SIDE
    found = seen(photo, ab=np.ones((5, 5, 2), np.float32))
    assert math.isfinite(found.values["colourfulness"])
