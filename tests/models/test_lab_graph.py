"""The conversions inside networks against those of `tintype.imaging.lab`."""

from __future__ import annotations

import numpy as np

from tintype.imaging.lab import decode_l8, gray_to_rgb, lab_to_rgb, lightness_to_gray8, rgb_to_lab
from tintype.models.keras_backend import prepare_keras

prepare_keras()

import tensorflow as tf  # noqa: E402

from tintype.models.lab_graph import gray_from_l8, rgb_from_lab  # noqa: E402


def test_gray_of_every_lightness_is_that_of_the_inputs() -> None:
    l8 = np.arange(256, dtype=np.uint8)
    gray = np.asarray(gray_from_l8(l8.astype(np.float32)))
    np.testing.assert_array_equal(np.abs(gray - lightness_to_gray8(decode_l8(l8))) < 0.51, True)
    np.testing.assert_array_equal(np.rint(gray), gray_to_rgb(decode_l8(l8)[np.newaxis])[0, :, 0])
    assert gray[0] == np.float32(0)
    assert abs(gray[255] - 255) < 1e-3


def test_photos_come_back_from_their_lab(cat: np.ndarray) -> None:
    lab = rgb_to_lab(cat)
    rgb = np.asarray(rgb_from_lab(lab[np.newaxis, ..., :1] * 2.55, lab[np.newaxis, ..., 1:]))[0]
    assert np.abs(rgb - cat).max() < 1


def test_every_colour_of_srgb_comes_back() -> None:
    levels = np.arange(0, 256, 5, np.uint8)
    cube = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(1, -1, 52, 3)
    lab = rgb_to_lab(cube[0])[np.newaxis]
    rgb = np.asarray(rgb_from_lab(lab[..., :1] * 2.55, lab[..., 1:]))
    assert np.abs(rgb - cube).max() < 1.5


def test_colours_beyond_the_gamut_stay_within_bytes() -> None:
    lab = np.stack(np.meshgrid([1, 50, 99], [-120, 0, 120], [-120, 0, 120], indexing="ij"), axis=-1)
    lab = lab.reshape(1, 1, -1, 3).astype(np.float32)
    rgb = np.asarray(rgb_from_lab(lab[..., :1] * 2.55, lab[..., 1:]))
    assert rgb.min() >= 0
    assert rgb.max() <= 255.001
    inside = lab_to_rgb(lab[0])[np.newaxis]
    gray = (lab[..., 1:] == 0).all(axis=-1)
    assert np.abs(rgb - inside)[gray].max() < 1


def test_gradients_pass_everywhere_and_are_numbers() -> None:
    l8 = tf.constant(np.array([0, 1, 20, 21, 128, 254, 255], np.float32).reshape(1, 1, -1, 1))
    ab = tf.Variable(np.zeros((1, 1, 7, 2), np.float32))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(l8)
        rgb, gray = rgb_from_lab(l8, ab), gray_from_l8(l8)
    assert np.isfinite(tape.gradient(rgb, ab).numpy()).all()
    assert np.abs(tape.gradient(rgb, ab).numpy()[0, 0, 4]).min() > 0
    slope = tape.gradient(gray, l8).numpy()
    assert np.isfinite(slope).all()
    assert (slope > 0).all()
