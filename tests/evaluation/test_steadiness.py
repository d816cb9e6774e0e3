"""How much colours change when a photo hardly does."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tintype.evaluation.steadiness import CHANGES, unsteadiness
from tintype.imaging.lab import rgb_to_lab

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    with Image.open(ROOT / "data/sample/cat.jpg") as image:
        return np.asarray(image.convert("RGB").resize((192, 128)))


def test_what_always_says_the_same_is_steady(photo: np.ndarray) -> None:
    same = np.full((32, 48, 2), 7, np.float32)
    changes = unsteadiness(photo, same, lambda rgb8: same)
    assert changes == dict.fromkeys(CHANGES, 0.0)


def test_colours_that_follow_each_pixels_lightness_move_with_it(photo: np.ndarray) -> None:
    def by_lightness(rgb8: np.ndarray) -> np.ndarray:
        lightness = rgb_to_lab(rgb8)[..., :1]
        return np.concatenate([lightness, np.zeros_like(lightness)], axis=-1)

    changes = unsteadiness(photo, by_lightness(photo), by_lightness)
    assert changes["moved"] == pytest.approx(0, abs=1e-4)  # the same things, two pixels on
    assert 0.5 < changes["grain"] < 3
    assert 1 < changes["brighter"] < 4
    assert 0.1 < changes["jpeg"] < 3


def test_what_changes_with_the_place_in_the_picture_is_found(photo: np.ndarray) -> None:
    ramp = np.broadcast_to(np.arange(48, dtype=np.float32)[:, np.newaxis], (32, 48, 2))
    changes = unsteadiness(photo, ramp, lambda rgb8: ramp)
    assert changes["grain"] == 0
    assert changes["moved"] == pytest.approx(0.5 * np.sqrt(2), rel=0.05)  # two pixels of 192, in steps of 48
