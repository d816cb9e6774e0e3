"""How common each colour is, for weighing pixels: counted in training photos only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import cv2
import numpy as np
from numpy.typing import NDArray

from tintype.imaging.lab import rgb_to_lab
from tintype.imaging.picture import PhotoFile
from tintype.measures.metrics import reduced

_STEP = 10  # Lab units; bins and smoothing as in Zhang, Isola, Efros 2016
_SMOOTHING = 5 / _STEP  # bins
_REACH = 12  # bins on each side of gray: sRGB ends before 120
_LEAST = 1e-5  # rarer colours count as this rare, so that no single pixel decides on a photo
_SIDE = 256  # pixels of the long side; a photo's colours are the same in small
PRIOR_PHOTOS = 1000  # more do not change the prior


@dataclass(frozen=True)
class AbPrior:
    """The share of pixels in each square of the a*b* plane.

    Attributes
    ----------
    shares : ndarray of shape (25, 25), float64
        By a* and b* in steps of 10 from -120 to 120, smoothed; their sum is 1.
    """

    shares: NDArray[np.float64]

    def weights(self, ab: NDArray[np.float32]) -> NDArray[np.float32]:
        """The weights of pixels of these true colours.

        ``1 / p`` with p the smoothed share of the colour's bin, which is equation 4 of Zhang et al. with lambda = 0, as
        in their rebalanced AuC; scaled so that the training photos' mean is 1.

        Parameters
        ----------
        ab : ndarray of shape (..., 2), float32
            True a* and b* in Lab units.

        Returns
        -------
        ndarray of shape (...), float32
        """
        common = np.maximum(self.shares, _LEAST)
        weights = (1 / common) / np.sum(self.shares / common)
        a, b = np.moveaxis(_bins(ab), -1, 0)
        return weights.astype(np.float32)[a, b]


def prior_of(photos: Iterable[NDArray[np.float32]]) -> AbPrior:
    """Count colours, each photo with the same weight.

    Parameters
    ----------
    photos : iterable of ndarray of shape (..., 2), float32
        a* and b* of true photos, in Lab units; at least one.
    """
    side = 2 * _REACH + 1
    counts = np.zeros(side * side)
    for ab in photos:
        a, b = np.moveaxis(_bins(ab).reshape(-1, 2), -1, 0)
        counts += np.bincount(a * side + b, minlength=side * side) / len(a)
    if not counts.any():
        raise ValueError("Expected photos to count colours in. Received: none.")
    smooth = cv2.GaussianBlur(counts.reshape(side, side), (0, 0), _SMOOTHING, borderType=cv2.BORDER_REPLICATE)
    return AbPrior(np.asarray(smooth / smooth.sum(), np.float64))


def prior_of_files(photos: Iterable[PhotoFile]) -> AbPrior:
    """The prior of photos on disk: of the first 1000, in small.

    Parameters
    ----------
    photos : iterable of PhotoFile
        The training split's, such as `tintype.evaluation.photos.photos_of_split` gives them.

    Raises
    ------
    PhotoError
        If one cannot be read.
    """
    first = islice(photos, PRIOR_PHOTOS)
    return prior_of(rgb_to_lab(reduced(photo.read().rgb8, _SIDE))[..., 1:] for photo in first)


def _bins(ab: NDArray[np.float32]) -> NDArray[np.intp]:
    return np.clip(np.rint(ab / _STEP) + _REACH, 0, 2 * _REACH).astype(np.intp)
