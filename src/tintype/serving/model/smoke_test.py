"""A smoke test before a version is taken into service: it colours known photos, and the results must make sense.

A bundle's checksums say that it is the one that was made, but not how it colours. A version whose colours are no
numbers, have the wrong shape or take forever is refused here; whether it colours *well* was judged before it was
promoted.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tintype.colorize import Colorizer
from tintype.errors import TintypeError
from tintype.imaging.merge import merge

_HEIGHT, _WIDTH = 96, 128
_MOST_DL = 2.0  # L*, mean over a photo: half of what an eye sees on areas side by side
_MOST_SECONDS = 20.0  # for one photo by a network that is warm, beside the service's own load


class SmokeTestError(TintypeError):
    """A version did not colour the known photos as a version must."""


def known_photos() -> dict[str, NDArray[np.uint8]]:
    """Small gray pictures with what photos have: even tones, all tones, edges, grain.

    Returns
    -------
    dict of str to ndarray of shape (H, W, 3), uint8
        The same each time.
    """
    ramp = np.tile(np.linspace(0, 255, _WIDTH), (_HEIGHT, 1))
    checks = np.kron(np.indices((_HEIGHT // 16, _WIDTH // 16)).sum(0) % 2, np.ones((16, 16))) * 155 + 50
    grain = np.random.default_rng(1839).normal(128, 40, (_HEIGHT, _WIDTH))
    planes = {
        "an even gray": np.full((_HEIGHT, _WIDTH), 128),
        "a ramp from black to white": ramp,
        "a board of squares": checks,
        "grain": grain.clip(0, 255),
    }
    return {
        name: np.repeat(plane.astype(np.uint8)[..., np.newaxis], 3, axis=2) for name, plane in planes.items()
    }


def smoke_test(colorizer: Colorizer) -> None:
    """Let a loaded and warm model colour the known photos, each alone and all in one batch.

    Raises
    ------
    SmokeTestError
        If a result has another shape than the photo, holds what is no number, does not keep the photo's lightness, or
        took too long.
    """
    photos = known_photos()
    for name, pixels in photos.items():
        start = time.monotonic()
        ab = colorizer.chroma_of([pixels])
        _check_colours(name, ab, 1)
        _check_photo(name, pixels, ab[0])
        seconds = time.monotonic() - start
        if seconds > _MOST_SECONDS:
            raise SmokeTestError(
                f"Expected {name} in colour within {_MOST_SECONDS:g} s. It took {seconds:.1f} s."
            )
    _check_colours("the known photos together", colorizer.chroma_of(list(photos.values())), len(photos))


def _check_colours(name: str, ab: NDArray[Any], count: int) -> None:
    if ab.ndim != 4 or len(ab) != count or ab.shape[-1] != 2 or 0 in ab.shape:
        raise SmokeTestError(
            f"Expected colours of shape ({count}, h, w, 2) for {name}. Received: {ab.shape}."
        )
    if not np.isfinite(ab).all():
        share = 1 - float(np.isfinite(ab).mean())
        raise SmokeTestError(
            f"Expected colours that are numbers for {name}. Received: {share:.0%} that are none."
        )


def _check_photo(name: str, pixels: NDArray[np.uint8], ab: NDArray[np.float32]) -> None:
    coloured, receipt = merge(pixels, ab)
    if coloured.shape != pixels.shape or coloured.dtype != pixels.dtype:
        raise SmokeTestError(
            f"Expected {name} in colour as {pixels.dtype} {pixels.shape}. Received: {coloured.dtype} {coloured.shape}."
        )
    if not receipt.mean_dl <= _MOST_DL:
        raise SmokeTestError(
            f"Expected the lightness of {name} to change by at most {_MOST_DL:g} L* on average. "
            f"Received: {receipt.mean_dl:.2f}."
        )
