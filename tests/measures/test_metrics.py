from __future__ import annotations

import math

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from tintype.measures.metrics import (
    PSNR_CEILING,
    delta_ab,
    delta_e2000,
    psnr_db,
    ssim,
)

# Sharma, Wu, Dalal 2005, table 1: L a b, L a b, CIEDE2000. Published to try every branch of the formula.
SHARMA = np.loadtxt(
    """
    50 2.6772 -79.7751   50 0 -82.7485   2.0425
    50 3.1571 -77.2803   50 0 -82.7485   2.8615
    50 2.8361 -74.0200   50 0 -82.7485   3.4412
    50 -1.3802 -84.2814  50 0 -82.7485   1.0000
    50 -1.1848 -84.8006  50 0 -82.7485   1.0000
    50 -0.9009 -85.5211  50 0 -82.7485   1.0000
    50 0 0               50 -1 2         2.3669
    50 -1 2              50 0 0          2.3669
    50 2.49 -0.001       50 -2.49 0.0009 7.1792
    50 2.49 -0.001       50 -2.49 0.0010 7.1792
    50 2.49 -0.001       50 -2.49 0.0011 7.2195
    50 2.49 -0.001       50 -2.49 0.0012 7.2195
    50 -0.001 2.49       50 0.0009 -2.49 4.8045
    50 -0.001 2.49       50 0.0010 -2.49 4.8045
    50 -0.001 2.49       50 0.0011 -2.49 4.7461
    50 2.5 0             50 0 -2.5       4.3065
    50 2.5 0             73 25 -18       27.1492
    50 2.5 0             61 -5 29        22.8977
    50 2.5 0             56 -27 -3       31.9030
    50 2.5 0             58 24 15        19.4535
    50 2.5 0             50 3.1736 0.5854 1.0000
    50 2.5 0             50 3.2972 0     1.0000
    50 2.5 0             50 1.8634 0.5757 1.0000
    50 2.5 0             50 3.2592 0.3350 1.0000
    60.2574 -34.0099 36.2677 60.4626 -34.1751 39.4387 1.2644
    63.0109 -31.0961 -5.8663 62.8187 -29.7946 -4.0864 1.2630
    61.2901 3.7196 -5.3901   61.4292 2.2480 -4.9620   1.8731
    35.0831 -44.1164 3.7933  35.0232 -40.0716 1.5901  1.8645
    22.7233 20.0904 -46.6940 23.0331 14.9730 -42.5619 2.0373
    36.4612 47.8580 18.3852  36.2715 50.5065 21.2231  1.4146
    90.8027 -2.0831 1.4410   91.1528 -1.6435 0.0447   1.4441
    90.9257 -0.5406 -0.9208  88.6381 -0.8985 -0.7239  1.5381
    6.7747 -0.2908 -2.4247   5.8714 -0.0985 -2.2286   0.6377
    2.0776 0.0795 -1.1350    0.9033 -0.0636 -0.5514   0.9082
    """.strip().splitlines()
)
OPPOSITE_HUES = slice(8, 15)  # here the formula itself jumps, so single precision may land on either side


def test_ciede2000_gives_the_published_differences_both_ways() -> None:
    first, second, expected = SHARMA[:, :3], SHARMA[:, 3:6], SHARMA[:, 6]
    np.testing.assert_allclose(delta_e2000(first, second), expected, atol=6e-5)
    np.testing.assert_allclose(delta_e2000(second, first), expected, atol=6e-5)


def test_ciede2000_in_single_precision_as_photos_have_it() -> None:
    pairs = np.delete(SHARMA, OPPOSITE_HUES, axis=0)
    lab = pairs[:, :6].astype(np.float32)
    found = delta_e2000(lab[:, :3], lab[:, 3:])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, pairs[:, 6], atol=1e-3)


def test_delta_ab_is_the_distance_in_the_ab_plane_and_ignores_lightness() -> None:
    lab = np.array([[50, 3, 4], [10, 0, 0]], np.float32)
    truth = np.array([[90, 0, 0], [80, 0, -2]], np.float32)
    np.testing.assert_allclose(delta_ab(lab, truth), [5, 2])


def test_psnr_agrees_with_scikit_image(coffee: np.ndarray) -> None:
    noisy = np.clip(coffee.astype(int) + np.random.default_rng(0).integers(-30, 31, coffee.shape), 0, 255)
    noisy = noisy.astype(np.uint8)
    assert psnr_db(noisy, coffee) == pytest.approx(
        peak_signal_noise_ratio(coffee, noisy, data_range=255), abs=1e-4
    )


def test_psnr_of_a_hand_computed_error() -> None:
    truth = np.full((2, 2, 3), 100, np.uint8)
    assert psnr_db(truth + np.uint8(1), truth) == pytest.approx(20 * math.log10(255))


def test_psnr_of_equal_photos_is_the_ceiling_and_not_infinite(coffee: np.ndarray) -> None:
    assert psnr_db(coffee, coffee) == pytest.approx(PSNR_CEILING)


def test_ssim_of_flat_photos_is_the_luminance_term_by_hand() -> None:
    one, other = np.full((20, 20, 3), 100, np.uint8), np.full((20, 20, 3), 150, np.uint8)
    c1 = (0.01 * 255) ** 2
    assert ssim(one, other) == pytest.approx((2 * 100 * 150 + c1) / (100**2 + 150**2 + c1), abs=1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (3, 10), (10, 11)])
def test_ssim_takes_photos_smaller_than_its_window(shape: tuple[int, int]) -> None:
    photo = np.random.default_rng(1).integers(0, 256, (*shape, 3), dtype=np.uint8)
    assert ssim(photo, photo) == pytest.approx(1)
    assert ssim(255 - photo, photo) < 0.9
