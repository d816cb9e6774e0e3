"""Contrast of colours by its own formula."""

from __future__ import annotations

import numpy as np
import pytest

from tintype.imaging.contrast import FIXED, with_contrast


@pytest.mark.parametrize("contrast", [0.0, 0.5, 1.5])
def test_chroma_becomes_its_power_and_hues_stay(contrast: float) -> None:
    ab = np.random.default_rng(0).normal(0, 20, (4, 5, 2)).astype(np.float32)
    changed = with_contrast(ab, contrast)
    chroma = np.linalg.norm(ab, axis=-1)
    assert changed.dtype == np.float32
    np.testing.assert_allclose(
        np.linalg.norm(changed, axis=-1), FIXED * (chroma / FIXED) ** (1 + contrast), rtol=1e-4
    )
    np.testing.assert_allclose(
        np.arctan2(changed[..., 1], changed[..., 0]), np.arctan2(ab[..., 1], ab[..., 0]), atol=1e-4
    )


def test_gray_stays_gray() -> None:
    assert not with_contrast(np.zeros((2, 2, 2), np.float32), 0.5).any()
