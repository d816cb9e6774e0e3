from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage import color

from tintype.imaging.lab import (
    chroma,
    decode_l8,
    decode_lab8,
    encode_l8,
    encode_lab8,
    gray_to_rgb,
    lab_to_linear,
    lab_to_rgb,
    lightness,
    lightness_to_gray8,
    luminance_to_lightness,
    rgb_to_lab,
)

# Bruce Lindbloom's CIE colour calculator, sRGB with D65 white, 2 degree observer.
PUBLISHED = {
    (255, 255, 255): (100.0, 0.0, 0.0),
    (0, 0, 0): (0.0, 0.0, 0.0),
    (255, 0, 0): (53.2408, 80.0925, 67.2032),
    (0, 255, 0): (87.7347, -86.1827, 83.1793),
    (0, 0, 255): (32.2970, 79.1875, -107.8602),
    (0, 255, 255): (91.1132, -48.0875, -14.1312),
    (255, 0, 255): (60.3242, 98.2343, -60.8249),
    (255, 255, 0): (97.1393, -21.5537, 94.4780),
}
photos = arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3)))


@pytest.mark.parametrize(("rgb", "lab"), PUBLISHED.items())
def test_agrees_with_published_values(rgb: tuple[int, ...], lab: tuple[float, ...]) -> None:
    np.testing.assert_allclose(rgb_to_lab(np.array([[rgb]], np.uint8))[0, 0], lab, atol=0.05)


def test_agrees_with_scikit_image_over_the_whole_cube() -> None:
    steps = np.arange(0, 256, 5, dtype=np.uint8)
    cube = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(len(steps), -1, 3)
    difference = np.abs(rgb_to_lab(cube) - color.rgb2lab(cube))
    assert difference.max() < 0.05
    assert difference.mean() < 0.01


def test_agrees_with_scikit_image_on_the_way_back(cat: np.ndarray) -> None:
    lab = color.rgb2lab(cat).astype(np.float32)
    theirs = np.rint(color.lab2rgb(lab) * 255).astype(int)
    assert np.abs(lab_to_rgb(lab) - theirs).max() <= 1


@given(photos)
def test_a_photo_survives_the_round_trip_within_one_level(rgb8: np.ndarray) -> None:
    assert np.abs(lab_to_rgb(rgb_to_lab(rgb8)).astype(int) - rgb8).max() <= 1


def test_gray_photos_survive_the_round_trip_exactly() -> None:
    levels = np.arange(256, dtype=np.uint8)[np.newaxis]
    lab = rgb_to_lab(np.repeat(levels[..., np.newaxis], 3, axis=-1))
    np.testing.assert_array_equal(lightness_to_gray8(lab[..., 0]), levels)
    np.testing.assert_array_equal(gray_to_rgb(lab[..., 0])[..., 1], levels)
    assert chroma(lab).max() < 0.01


def test_16_bits_survive_the_round_trip_within_a_level() -> None:
    levels = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    gray = np.repeat(levels[..., np.newaxis], 3, axis=-1)
    back = lab_to_rgb(rgb_to_lab(gray), np.uint16)
    assert np.abs(back.astype(int) - gray).max() <= 2
    np.testing.assert_array_equal(gray_to_rgb(lightness(gray), np.uint16)[..., 0], levels)
    assert len(np.unique(lightness(gray))) == 65536


def test_8_and_16_bits_of_the_same_photo_have_the_same_lab(cat: np.ndarray) -> None:
    np.testing.assert_allclose(rgb_to_lab(cat.astype(np.uint16) * 257), rgb_to_lab(cat), atol=1e-3)


def test_lightness_is_the_first_plane_of_lab_bit_for_bit(cat: np.ndarray) -> None:
    np.testing.assert_array_equal(lightness(cat), rgb_to_lab(cat)[..., 0])


def test_bytes_hold_lab_to_half_a_step(cat: np.ndarray) -> None:
    lab = rgb_to_lab(cat)
    error = np.abs(decode_lab8(encode_lab8(lab)) - lab).reshape(-1, 3).max(axis=0)
    assert (error <= [0.5 / 2.55 + 1e-4, 0.5 + 1e-4, 0.5 + 1e-4]).all()


@given(arrays(np.uint8, (4, 3)))
def test_bytes_survive_the_round_trip_exactly(lab8: np.ndarray) -> None:
    np.testing.assert_array_equal(encode_lab8(decode_lab8(lab8)), lab8)


def test_colours_outside_the_gamut_keep_level_and_hue() -> None:
    level, angle = np.meshgrid(np.linspace(5, 95, 19), np.linspace(0, 2 * np.pi, 36, endpoint=False))
    wild = np.stack([level, 120 * np.cos(angle), 120 * np.sin(angle)], axis=-1).astype(np.float32)
    shown = color.rgb2lab(lab_to_rgb(wild))
    assert np.abs(shown[..., 0] - level).mean() < 0.1
    assert np.abs(shown[..., 0] - level).max() < 0.5
    hue = np.arctan2(shown[..., 2], shown[..., 1])
    strong = (np.hypot(shown[..., 1], shown[..., 2]) > 15) & (level > 10)  # else 8 bits round too much
    assert np.abs(np.angle(np.exp(1j * (hue - angle))))[strong].max() < 0.15


def test_reduces_chroma_no_further_than_it_has_to() -> None:
    red = np.array([[[53.24, 1.5 * 80.09, 1.5 * 67.2]]], np.float32)
    assert np.abs(lab_to_rgb(red)[0, 0].astype(int) - [255, 0, 0]).max() <= 4


def test_says_what_it_wants_when_it_gets_something_else() -> None:
    with pytest.raises(
        ValueError, match=r"Expected uint8 or uint16 RGB of shape \(H, W, 3\). Received: float64 \(2, 2, 3\)"
    ):
        rgb_to_lab(np.zeros((2, 2, 3)))  # type: ignore[arg-type]


def test_lightness_in_a_byte_is_the_first_plane_of_lab_in_bytes() -> None:
    l8 = np.arange(256, dtype=np.uint8)
    lab8 = np.stack([l8, l8, l8], axis=-1)
    np.testing.assert_array_equal(decode_l8(l8), decode_lab8(lab8)[..., 0])
    np.testing.assert_array_equal(encode_l8(decode_l8(l8)), l8)


@pytest.mark.parametrize(("rgb", "lab"), PUBLISHED.items())
def test_linear_light_of_published_values(rgb: tuple[int, ...], lab: tuple[float, ...]) -> None:
    linear = lab_to_linear(np.array([[lab]], np.float32))
    np.testing.assert_allclose(linear[0, 0], np.array(rgb) / 255, atol=0.002)


def test_linear_light_is_what_scikit_image_sees_too(cat: np.ndarray) -> None:
    levels = cat / 255
    linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    np.testing.assert_allclose(lab_to_linear(color.rgb2lab(cat).astype(np.float32)), linear, atol=0.002)


def test_lightness_of_luminance_agrees_with_the_definition() -> None:
    luminance = np.array([[0, 0.001, 0.008856, 0.184187, 0.5, 1, 2]], np.float32)
    expected = [[0, 0.9033, 8.0, 50.0, 76.0693, 100, 100]]
    np.testing.assert_allclose(luminance_to_lightness(luminance), expected, atol=0.005)
