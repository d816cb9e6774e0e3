"""What a coloured photo is measured by: arrays in, numbers out.

`rgb8` is what people see, so everything starts from it: colours that left the gamut have been clipped.
PSNR and SSIM reward gray. They are here because the field reports them; CIEDE2000 and colourfulness
beside the baselines say what they hide.

The error of a*b* is a curve too, with the area under it: Zhang, Isola, Efros 2016, "Colorful image colorization",
section 3.1: the share of pixels within a distance of their true a*b*, for distances from 0 to 150, integrated and
normalized. Natural photos are mostly pale, so this rewards gray; the rebalanced form, in which a rare colour weighs as
much as a common one, does so less.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000
from skimage.metrics import structural_similarity

from tintype.imaging.geometry import resize

Rgb8 = NDArray[np.uint8]
Lab = NDArray[np.float32]
Map = NDArray[np.float32]

PSNR_CEILING = 100.0  # dB; equal photos would have infinity, which no mean survives
_SSIM_WINDOW = 11  # pixels; the Gaussian of Wang et al., sigma 1.5


def psnr_db(rgb8: Rgb8, truth: Rgb8) -> float:
    """Peak signal-to-noise ratio, ``10 log10(255^2 / MSE)`` over pixels and channels.

    Parameters
    ----------
    rgb8, truth : ndarray of shape (H, W, 3), uint8
        sRGB.

    Returns
    -------
    float
        Decibel, at most `PSNR_CEILING`; more is better.
    """
    error = float(np.mean(np.square(rgb8.astype(np.float32) - truth, dtype=np.float32), dtype=np.float64))
    floor = 255**2 / 10 ** (PSNR_CEILING / 10)
    return float(10 * np.log10(255**2 / max(error, floor)))


def ssim(rgb8: Rgb8, truth: Rgb8) -> float:
    """Structural similarity, mean over pixels and channels.

    Wang, Bovik, Sheikh, Simoncelli 2004, "Image quality assessment: from error visibility to structural
    similarity", with the authors' settings: a Gaussian window of 11 pixels, sigma 1.5, K1 0.01, K2 0.03.
    A photo narrower than the window is mirrored to its size.

    Parameters
    ----------
    rgb8, truth : ndarray of shape (H, W, 3), uint8
        sRGB.

    Returns
    -------
    float
        -1 to 1; 1 means equal.
    """
    return float(
        structural_similarity(
            _at_least_a_window(rgb8),
            _at_least_a_window(truth),
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            data_range=255,
            channel_axis=-1,
        )
    )


def _at_least_a_window(rgb8: Rgb8) -> Rgb8:
    missing = [max(0, _SSIM_WINDOW - side) for side in rgb8.shape[:2]]
    if not any(missing):
        return rgb8
    before_and_after = [(lack // 2, lack - lack // 2) for lack in missing]
    return np.pad(rgb8, [*before_and_after, (0, 0)], mode="symmetric")


def delta_e2000(lab: Lab, truth: Lab) -> Map:
    """CIEDE2000 of each pixel: the colour difference that people see.

    CIE 142-2001; Sharma, Wu, Dalal 2005, "The CIEDE2000 color-difference formula", whose test pairs hold.

    Parameters
    ----------
    lab, truth : ndarray of shape (..., 3), float32
        CIE L*a*b*.

    Returns
    -------
    ndarray of shape (...), float32
        0 for equal colours; about 1 is just noticeable side by side.
    """
    return _array(deltaE_ciede2000(lab, truth))


def delta_ab(lab: Lab, truth: Lab) -> Map:
    """Distance of each pixel in the a*b* plane, ``sqrt((a - a')^2 + (b - b')^2)``; lightness plays no part.

    Parameters
    ----------
    lab, truth : ndarray of shape (..., 3), float32
        CIE L*a*b*.

    Returns
    -------
    ndarray of shape (...), float32
        Lab units. For a gray photo it is the chroma of the truth.
    """
    return _array(np.hypot(lab[..., 1] - truth[..., 1], lab[..., 2] - truth[..., 2]))


def _array(result: Any) -> Any:
    """The libraries' results without their float64: the types here are those of the signatures."""
    return np.asarray(result, dtype=np.float32)


AB_ERRORS = np.arange(151)
"""Where the curve of a*b* errors is sampled, in Lab units."""


def share_below(
    ab_error: NDArray[np.float32], weights: NDArray[np.float32] | None = None
) -> NDArray[np.float64]:
    """Share of pixels whose error is below each of `AB_ERRORS`.

    Parameters
    ----------
    ab_error : ndarray of any shape, float32
        Distances in the a*b* plane, in Lab units.
    weights : ndarray of the same shape, float32, optional
        How much each pixel counts; see `tintype.evaluation.prior.AbPrior.weights`.

    Returns
    -------
    ndarray of shape (151,), float64
        Rising from 0; to 1 if no error is larger than the last.
    """
    last = int(AB_ERRORS[-1])
    whole = np.minimum(ab_error, last).astype(np.intp).ravel()
    counts = np.bincount(whole, None if weights is None else weights.ravel(), minlength=last + 1)
    return np.concatenate([[0.0], np.cumsum(counts[:last]) / counts.sum()])


def area_under(curve: NDArray[np.float64]) -> float:
    """Area under a curve of `share_below` by the trapezoidal rule, over that of a perfect one.

    Parameters
    ----------
    curve : ndarray of shape (151,), float64

    Returns
    -------
    float
        0 to 1; more is better. Without errors it is 299/300: at 0 no pixel is below.
    """
    return float(np.trapezoid(curve, AB_ERRORS)) / float(AB_ERRORS[-1])


def reduced(rgb8: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """The photo with its long side reduced to `side` pixels, averaged over area; smaller ones stay as they are."""
    height, width = rgb8.shape[:2]
    if max(height, width) <= side:
        return rgb8
    scale = side / max(height, width)
    small = resize(rgb8.astype(np.float32), max(1, round(height * scale)), max(1, round(width * scale)))
    return np.clip(np.rint(small), 0, 255).astype(np.uint8)
