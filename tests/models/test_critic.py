from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tintype.models.critic import build_critic
from tintype.models.keras_backend import make_deterministic


def noise(side: int, count: int = 2) -> Any:
    return np.random.default_rng(0).uniform(-1, 1, (count, side, side, 3)).astype(np.float32)


@pytest.mark.parametrize(("side", "patch"), [(32, 16), (64, 34), (128, 70)])
def test_a_score_speaks_of_a_patch_of_about_half_the_side(side: int, patch: int) -> None:
    make_deterministic(0)
    critic = build_critic(side, channels=4)
    lab = noise(side, 1)
    before = np.asarray(critic(lab))[0, :, :, 0]
    middle = before.shape[0] // 2
    reached = []
    for x in range(side):
        changed = lab.copy()
        changed[0, :, x] += 1
        if np.asarray(critic(changed))[0, middle, middle, 0] != before[middle, middle]:
            reached.append(x)
    assert reached == list(range(reached[0], reached[-1] + 1))
    cut = max(0, patch - side)  # what of the patch lies beyond the border
    assert patch - cut - 8 <= len(reached) <= patch  # near the border a few columns are lost to padding


def test_weights_are_normalised_to_a_largest_singular_value_of_one() -> None:
    make_deterministic(0)
    critic = build_critic(16, channels=8)
    for variable in critic.trainable_variables:
        variable.assign(variable * 7.0)
    for _ in range(30):  # one step of the power iteration each
        critic(noise(16), training=True)
    kernels = [np.asarray(weight) for weight in critic.trainable_variables if weight.ndim == 4]
    assert len(kernels) == 3
    for kernel in kernels:
        largest = np.linalg.svd(kernel.reshape(-1, kernel.shape[-1]), compute_uv=False)[0]
        assert largest == pytest.approx(1, abs=0.02)


def test_learns_to_tell_two_kinds_apart() -> None:
    make_deterministic(0)
    critic = build_critic(16, channels=8)
    critic.compile(optimizer="adam", loss="hinge", jit_compile=False)
    real = noise(16, 8)
    ours = real * np.array([1, 0.2, 0.2], np.float32)  # the same lightness, duller
    label = np.ones((8, *critic.output.shape[1:]), np.float32)
    for _ in range(40):
        critic.train_on_batch(np.concatenate([real, ours]), np.concatenate([label, -label]))
    assert np.asarray(critic(real)).mean() > np.asarray(critic(ours)).mean() + 0.5


def test_computes_in_float32_whatever_the_policy() -> None:
    import keras

    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        critic = build_critic(16, channels=4)
    finally:
        keras.config.set_dtype_policy("float32")
    assert {layer.compute_dtype for layer in critic.layers if layer.weights} == {"float32"}
