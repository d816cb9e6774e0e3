from __future__ import annotations

import runpy
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from tintype.formats.photo import read_photo
from tintype.imaging.inputs import network_lab8
from tintype.imaging.lab import decode_lab8, encode_l8, rgb_to_lab
from tintype.training.scans import ScanParams, as_scans
from tintype.training.scans.effects import (
    BLUE_SENSITIVE,
    ORTHOCHROMATIC,
    blur,
    dust,
    emulsion,
    fade,
    grain,
    jpeg,
    scratches,
    vignette,
)
from tintype.training.scans.recipe import Effect

SIDE = 128
SEEDS = range(20)


def flat(level: float) -> NDArray[np.float32]:
    return np.full((SIDE, SIDE), level, np.float32)


def patch(*rgb: int) -> NDArray[np.float32]:
    return rgb_to_lab(np.full((SIDE, SIDE, 3), rgb, np.uint8))


@pytest.fixture(scope="module")
def lab8(cat: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.stack([network_lab8(rgb_to_lab(np.rot90(cat, turn)), SIDE) for turn in range(16)])


@pytest.fixture(scope="module")
def plane(lab8: NDArray[np.uint8]) -> NDArray[np.float32]:
    return decode_lab8(lab8[0])[..., 0]


def random() -> np.random.Generator:
    return np.random.default_rng(3)


# The emulsion.


@pytest.mark.parametrize("weights", [ORTHOCHROMATIC, BLUE_SENSITIVE])
def test_a_plate_is_blind_to_red_and_sees_blue_lighter_than_the_eye(weights: tuple[float, ...]) -> None:
    red, blue = patch(200, 40, 30), patch(40, 70, 200)
    assert emulsion(red, weights).mean() < red[..., 0].mean() - 15
    assert emulsion(blue, weights).mean() > blue[..., 0].mean() + 15


def test_only_an_orthochromatic_plate_sees_green() -> None:
    green = patch(40, 160, 40)
    ordinary, ortho = (emulsion(green, weights).mean() for weights in (BLUE_SENSITIVE, ORTHOCHROMATIC))
    assert ordinary < ortho - 15


@pytest.mark.parametrize("weights", [ORTHOCHROMATIC, BLUE_SENSITIVE])
@pytest.mark.parametrize("metering", [0.0, 1.0])
def test_gray_scenes_look_the_same_on_every_plate(weights: tuple[float, ...], metering: float) -> None:
    for level in (0, 30, 128, 255):
        gray = patch(level, level, level)
        np.testing.assert_allclose(emulsion(gray, weights, 1.0, metering), gray[..., 0], atol=0.1)


def test_an_exposure_for_the_land_leaves_the_sky_blank() -> None:
    scene = patch(90, 150, 220)
    scene[SIDE // 2 :] = patch(120, 100, 50)[SIDE // 2 :]
    film = emulsion(scene, (1 / 3, 1 / 3, 1 / 3))
    short, long = (emulsion(scene, BLUE_SENSITIVE, 1.0, metering) for metering in (0.0, 1.0))
    sky, land = np.s_[0, 0], np.s_[-1, 0]
    assert film[sky] < short[sky] - 10
    assert short[sky] < 90
    assert long[sky] > 99
    assert short[land] < film[land] - 10
    assert long[land] == pytest.approx(film[land], abs=3)


def test_the_amount_leads_from_the_eye_to_the_plate() -> None:
    red = patch(200, 40, 30)
    eye, half, plate = (emulsion(red, ORTHOCHROMATIC, amount)[0, 0] for amount in (0.0, 0.5, 1.0))
    assert eye == pytest.approx(red[0, 0, 0], abs=1e-4)
    assert half == pytest.approx((eye + plate) / 2, abs=1e-3)


# The lens.


def test_blur_lowers_the_gradient_the_more_the_wider(plane: NDArray[np.float32]) -> None:
    gradients = [np.abs(np.diff(blurred)).mean() for blurred in (plane, blur(plane, 0.5), blur(plane, 1.2))]
    assert gradients[0] > 1.05 * gradients[1] > 1.2 * gradients[2]


def test_a_vignette_darkens_the_corners_and_spares_the_middle() -> None:
    shaded = vignette(flat(60), random(), 0.3)
    assert shaded.min() == pytest.approx(60 * 0.7, abs=0.01)
    assert min(shaded[0, 0], shaded[0, -1], shaded[-1, 0], shaded[-1, -1]) == shaded.min()
    assert shaded[SIDE // 3 : -SIDE // 3, SIDE // 3 : -SIDE // 3].min() > 60 * 0.93


# The grain.


@pytest.mark.parametrize("size", [0.0, 0.4, 0.9])
def test_grain_has_its_standard_deviation_at_middle_gray(size: float) -> None:
    grained = grain(flat(54), random(), 2.0, size)
    assert grained.std() == pytest.approx(2.0, rel=0.02)
    assert grained.mean() == pytest.approx(54, abs=0.1)


def test_grain_is_weaker_in_black_and_next_to_nothing_in_white() -> None:
    black, middle, white = (grain(flat(level), random(), 2.0, 0.5).std() for level in (2, 54, 99.8))
    assert 0.3 * middle < black < 0.7 * middle
    assert white < 0.15 * middle


def test_grain_is_joined_over_a_pixel_or_two() -> None:
    def neighbours(size: float, apart: int) -> float:
        noise = grain(flat(54), random(), 2.0, size) - 54
        return float(np.corrcoef(noise[:, apart:].ravel(), noise[:, :-apart].ravel())[0, 1])

    assert abs(neighbours(0.0, 1)) < 0.03
    assert 0.15 < neighbours(0.5, 1) < neighbours(0.9, 1) < 0.8
    assert abs(neighbours(0.9, 5)) < 0.05


# The print.


def test_fading_lifts_black_lowers_white_and_keeps_the_order_of_tones() -> None:
    tones = np.linspace(0, 100, 101, dtype=np.float32)[np.newaxis]
    faded = fade(tones, black=20, white=15, gamma=1.3)
    assert (faded[0, 0], faded[0, -1]) == (pytest.approx(20), pytest.approx(85))
    assert (np.diff(faded) > 0).all()
    assert faded[0, 50] == pytest.approx(20 + 65 * 0.5**1.3, abs=0.01)


def test_gamma_bends_the_middle_and_leaves_the_ends() -> None:
    tones = np.array([[0, 50, 100]], np.float32)
    np.testing.assert_allclose(fade(tones, gamma=2.0), [[0, 25, 100]], atol=1e-3)
    np.testing.assert_array_equal(fade(tones), tones)


# Handling.


@pytest.mark.parametrize("seed", SEEDS)
def test_scratches_are_thin(seed: int) -> None:
    touched = np.abs(scratches(flat(50), np.random.default_rng(seed), 1.0) - 50) > 0.5
    assert 0 < touched.mean() < 0.03
    assert not sliding_window_view(touched, (5, 5)).all(axis=(2, 3)).any()


def test_longer_scratches_touch_more() -> None:
    few, many = (
        np.mean([(scratches(flat(50), np.random.default_rng(seed), length) != 50).mean() for seed in SEEDS])
        for length in (0.2, 1.0)
    )
    assert many > 2 * few


@pytest.mark.parametrize("seed", SEEDS)
def test_dust_is_specks(seed: int) -> None:
    touched = np.abs(dust(flat(50), np.random.default_rng(seed), 14) - 50) > 0.5
    assert 0 < touched.mean() < 0.02


def test_wear_is_light_and_dark() -> None:
    worn = [dust(scratches(flat(50), np.random.default_rng(seed), 0.5), random(), 9) for seed in SEEDS]
    assert np.min(worn) < 40
    assert np.max(worn) > 60
    assert np.min(worn) >= 0
    assert np.max(worn) <= 100


# Storing.


def test_jpeg_breaks_a_ramp_into_blocks() -> None:
    l8 = np.tile(np.linspace(60, 120, SIDE).astype(np.uint8), (SIDE, 1))
    stored = jpeg(l8, random(), 10).astype(int)
    _, left = random().integers(0, 8, 2)
    steps = np.abs(np.diff(stored, axis=1)).mean(axis=0)
    borders = (np.arange(1, SIDE) + left) % 8 == 0
    assert steps[borders].mean() > 3 * steps[~borders].mean()
    assert stored.shape == l8.shape


def test_jpeg_loses_more_at_a_lower_quality(plane: NDArray[np.float32]) -> None:
    l8 = encode_l8(plane)
    high, low = (np.abs(jpeg(l8, random(), quality).astype(int) - l8).mean() for quality in (95, 30))
    assert 0 < high < 1.5 < low


# All of it.


def test_no_strength_is_the_identity(lab8: NDArray[np.uint8]) -> None:
    np.testing.assert_array_equal(as_scans(lab8, ScanParams(strength=0.0), seed=1), lab8[..., :1])


def test_lightness_comes_back_and_the_crops_stay_as_they_were(lab8: NDArray[np.uint8]) -> None:
    before = lab8.copy()
    l8 = as_scans(lab8, ScanParams(), seed=1)
    assert (l8.shape, l8.dtype) == ((len(lab8), SIDE, SIDE, 1), np.uint8)
    np.testing.assert_array_equal(lab8, before)
    assert not np.shares_memory(l8, lab8)


def test_no_crops_give_no_scans(lab8: NDArray[np.uint8]) -> None:
    assert as_scans(lab8[:0], ScanParams(), seed=1).shape == (0, SIDE, SIDE, 1)


def test_some_crops_stay_clean_and_fewer_become_scans_at_less_strength(lab8: NDArray[np.uint8]) -> None:
    many = np.concatenate([lab8] * 8)

    def scanned(strength: float) -> float:
        l8 = as_scans(many, ScanParams(strength=strength), seed=1)
        return float((l8 != many[..., :1]).any(axis=(1, 2, 3)).mean())

    assert 0.62 < scanned(1.0) < 0.85
    assert 0.25 < scanned(0.5) < 0.5


def test_scans_change_more_at_more_strength(lab8: NDArray[np.uint8]) -> None:
    def change(strength: float) -> float:
        every = ScanParams(strength=strength, scanned=1.0 / strength)
        return float(np.abs(as_scans(lab8, every, seed=1).astype(int) - lab8[..., :1]).mean())

    assert 0 < change(0.2) < change(0.6) < change(1.0)


def test_seed_epoch_and_row_decide_and_nothing_else(lab8: NDArray[np.uint8]) -> None:
    every = ScanParams(scanned=1.0)
    first = as_scans(lab8, every, seed=1, epoch=2)
    np.testing.assert_array_equal(as_scans(lab8, every, seed=1, epoch=2), first)
    np.testing.assert_array_equal(
        as_scans(lab8[[5, 3]], every, seed=1, epoch=2, rows=np.array([5, 3])), first[[5, 3]]
    )
    for other in (as_scans(lab8, every, seed=2, epoch=2), as_scans(lab8, every, seed=1, epoch=3)):
        assert (other != first).any(axis=(1, 2, 3)).all()


def test_an_effect_that_no_scan_shows_does_nothing(lab8: NDArray[np.uint8]) -> None:
    names = [name for name, value in vars(ScanParams()).items() if isinstance(value, Effect)]
    never = {name: replace(getattr(ScanParams(), name), share=0.0) for name in names}
    bare = ScanParams(scanned=1.0, **never)
    np.testing.assert_array_equal(as_scans(lab8, bare, seed=1), lab8[..., :1])
    for name in set(names) - {"grain_size"}:
        alone = replace(bare, **{name: replace(getattr(ScanParams(), name), share=1.0)})
        assert (as_scans(lab8, alone, seed=1) != lab8[..., :1]).any(), name


def test_calls_that_make_no_sense_are_refused_in_a_sentence(lab8: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match=r"strength of scans in \[0, 1\]. Received: 1.5"):
        ScanParams(strength=1.5)
    with pytest.raises(ValueError, match="Received: float32"):
        as_scans(lab8.astype(np.float32), ScanParams(), seed=1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"row number for each of 16 crops\. Received: 2"):
        as_scans(lab8, ScanParams(), seed=1, rows=[0, 1])


def test_the_picture_is_drawn(sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "cat.jpg").write_bytes((sample / "cat.jpg").read_bytes())
    paths = [sample, tmp_path / "old", tmp_path / "grid.jpg"]
    monkeypatch.setattr(sys, "argv", ["tintype.training.scans", *map(str, paths)])
    runpy.run_module("tintype.training.scans", run_name="__main__", alter_sys=True)
    height, width = read_photo(tmp_path / "grid.jpg").rgb8.shape[:2]
    assert width > 13 * 128 > 10 * height
