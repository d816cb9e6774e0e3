"""What handling did: scratches and dust.

Damage to the negative prints light or dark, damage to the print bares the paper or lies dark on it: so both effects
draw light marks and dark ones.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

_BITS = 4  # of a pixel's fraction in OpenCV's coordinates
_PAPER, _DIRT = 97.0, 6.0  # L*
_LIGHT_SHARE = 0.7
_STEEP_SHARE = 0.6  # of scratches: those that run with the film, or with the plate's slide
_MOST_LINES = 3
_FIBRES = 0.05  # share of specks
_KNEES = 8  # points of a bent line
# A scratch or a speck is narrower than a pixel of a crop more often than not: it shows as a part of the pixel.
_FAINTEST, _BOLDEST = 0.08, 0.5


def scratches(plane: NDArray[np.float32], random: Generator, length: float) -> NDArray[np.float32]:
    """Draw one to three thin, slightly bent lines onto L*.

    Parameters
    ----------
    plane : ndarray of shape (H, W), float32
    random : Generator
    length : float
        Of all lines together, in sides of the crop.

    Returns
    -------
    ndarray of shape (H, W), float32
    """
    marks = _Marks(plane.shape)
    for share in random.dirichlet(np.ones(random.integers(1, _MOST_LINES + 1))):
        points = _bent_line(random, float(share) * length) * max(plane.shape)
        cv2.polylines(
            marks.layer(random), [_fixed(points)], False, _opacity(random), 1, cv2.LINE_AA, shift=_BITS
        )
    return marks.over(plane)


def dust(plane: NDArray[np.float32], random: Generator, specks: float) -> NDArray[np.float32]:
    """Strew specks of a pixel or two, and now and then a fibre, onto L*.

    Parameters
    ----------
    plane : ndarray of shape (H, W), float32
    random : Generator
    specks : float
        How many; rounded up.

    Returns
    -------
    ndarray of shape (H, W), float32
    """
    marks = _Marks(plane.shape)
    height, width = plane.shape
    for _ in range(int(np.ceil(specks))):
        centre = random.random(2) * (width, height)
        axes = random.uniform(0.2, 0.8, 2) * (5.0 if random.random() < _FIBRES else 1.0, 1.0)
        cv2.ellipse(
            marks.layer(random),
            _fixed(centre).tolist(),
            _fixed(axes).tolist(),
            random.uniform(0, 180),
            0,
            360,
            _opacity(random),
            cv2.FILLED,
            cv2.LINE_AA,
            _BITS,
        )
    return marks.over(plane)


class _Marks:
    """Opacity, 0..255, of what is lighter and of what is darker than the picture."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._layers = [np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)]

    def layer(self, random: Generator) -> NDArray[np.uint8]:
        """The light or, less often, the dark one."""
        return self._layers[0 if random.random() < _LIGHT_SHARE else 1]

    def over(self, plane: NDArray[np.float32]) -> NDArray[np.float32]:
        """The picture below the marks."""
        for layer, tone in zip(self._layers, (_PAPER, _DIRT), strict=True):
            if layer.any():
                plane = plane + (np.float32(tone) - plane) * (layer * np.float32(1 / 255))
        return plane


def _bent_line(random: Generator, length: float) -> NDArray[np.float64]:
    """Points (x, y) of a line, in sides of the crop."""
    steep = random.random() < _STEEP_SHARE
    angle = random.normal(np.pi / 2, 0.05) if steep else random.uniform(0, np.pi)
    angles = angle + np.linspace(-0.5, 0.5, _KNEES) * random.normal(0, 0.05 if steep else 0.4)
    steps = np.stack([np.cos(angles), np.sin(angles)], axis=-1) * (length / _KNEES)
    path = np.cumsum(steps, axis=0)
    return random.random(2) + path - path.mean(axis=0)


def _opacity(random: Generator) -> int:
    return int(255 * random.uniform(_FAINTEST, _BOLDEST))


def _fixed(lengths: NDArray[np.float64]) -> NDArray[np.int32]:
    """Pixels in OpenCV's fixed point."""
    return np.rint(lengths * (1 << _BITS)).astype(np.int32)
