"""What happened to old photos, in the order in which it happened: plate, lens, grain, fading, handling, storing."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from tintype.imaging.lab import lab_to_linear, luminance_to_lightness

# ---- What the plate saw: silver is blind to red.
#
# Plain silver halides (wet collodion, the first dry plates) see blue, violet and ultraviolet only; Vogel's and Eder's
# dyes added green, up to about 590 nm (*orthochromatic*, from 1884 into the 1930s); only *panchromatic* film sees red.
# So skies are blank and lips are black, and a lightness learnt from digital photos means other colours than the
# plate's.

# Shares of red, green and blue light (sRGB's primaries) in the exposure. ORTHOCHROMATIC is RawTherapee's setting of the
# same name for its channel mixer; BLUE_SENSITIVE leaves of green what lies below 500 nm, about a tenth.
ORTHOCHROMATIC = (0.0, 0.42, 0.58)
BLUE_SENSITIVE = (0.0, 0.1, 0.9)
_PANCHROMATIC = (1 / 3, 1 / 3, 1 / 3)
_MOST_GAIN = 4.0  # two stops
_SPARSE = 4  # pixels between two that count towards the exposure


def emulsion(
    lab: NDArray[np.float32], weights: Sequence[float], amount: float = 1.0, metering: float = 0.0
) -> NDArray[np.float32]:
    """Lightness of a crop as an emulsion would have rendered it.

    Parameters
    ----------
    lab : ndarray of shape (H, W, 3), float32
        The crop in its true colours.
    weights : sequence of 3 float
        Of red, green and blue in linear light, with a sum of 1: white stays white.
    amount : float
        In [0, 1], from the lightness that the eye sees to the emulsion's.
    metering : float
        In [0, 1]. At 1 the photographer exposes for the shadows: until the darker half of the scene is as light as
        on panchromatic film, by two stops more at most; then a blue sky goes blank. At 0 white keeps its place.

    Returns
    -------
    ndarray of shape (H, W), float32
        L* in [0, 100].
    """
    linear = lab_to_linear(lab)
    gain = _gain(linear[::_SPARSE, ::_SPARSE], weights) ** metering
    response = cv2.transform(linear, np.array([weights], np.float32) * np.float32(gain))
    seen = luminance_to_lightness(response)
    return cv2.addWeighted(seen, amount, np.ascontiguousarray(lab[..., 0]), 1 - amount, 0)


def _gain(linear: NDArray[np.float32], weights: Sequence[float]) -> float:
    """How much longer the emulsion is exposed than panchromatic film; never less, for it also sees ultraviolet."""
    film = linear @ np.asarray(_PANCHROMATIC, np.float32)
    plate = linear @ np.asarray(weights, np.float32)
    dark = film <= np.median(film)
    # A hundredth of white keeps the deepest shadows from deciding.
    ratio = np.exp(np.log((film[dark] + 0.01) / (plate[dark] + 0.01)).mean())
    return float(np.clip(ratio, 1, _MOST_GAIN))


# ---- What the lens did: blur and dark corners.


def blur(plane: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Blur L* of shape (H, W) by a Gaussian with a standard deviation in pixels."""
    return cv2.GaussianBlur(plane, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101)


def vignette(plane: NDArray[np.float32], random: Generator, loss: float) -> NDArray[np.float32]:
    """Darken L* of shape (H, W) towards the corners.

    Parameters
    ----------
    plane : ndarray of shape (H, W), float32
    random : Generator
        For the centre: a crop need not be the middle of its photo.
    loss : float
        Share of the lightness that the corners lose; it grows with the square of the distance from the centre.

    Returns
    -------
    ndarray of shape (H, W), float32
    """
    height, width = plane.shape
    centre = random.uniform(0.35, 0.65, 2)
    rows = (np.arange(height, dtype=np.float32) / height - np.float32(centre[0])) ** 2
    columns = (np.arange(width, dtype=np.float32) / width - np.float32(centre[1])) ** 2
    square = rows[:, np.newaxis] + columns
    return plane * (1 - np.float32(loss / square.max()) * square)


# ---- Film grain: noise that is joined over a pixel or two, strongest in the middle tones.

_FLOOR = 0.1  # of the noise at its strongest: the scanner's own, in bare paper


def grain(plane: NDArray[np.float32], random: Generator, sigma: float, size: float) -> NDArray[np.float32]:
    """Add grain to L*.

    The density of a silver image fluctuates as the square root of the density (Siedentopf's law), and L* + 16 goes as
    10^(-density / 3): so grain is strongest at L* 54, less than half of that in black and next to nothing in white.

    Parameters
    ----------
    plane : ndarray of shape (H, W), float32
        L* in [0, 100].
    sigma : float
        Standard deviation where it is strongest, in units of L*.
    size : float
        Standard deviation, in pixels, of the blur that joins neighbours; 0 leaves them independent.

    Returns
    -------
    ndarray of shape (H, W), float32
        Not clipped.
    """
    noise = random.standard_normal(plane.shape, dtype=np.float32)
    if size > 0:
        noise = cv2.GaussianBlur(noise, (0, 0), size, borderType=cv2.BORDER_REFLECT_101)
    _, spread = cv2.meanStdDev(noise)
    strength = cv2.LUT(cv2.convertScaleAbs(plane, alpha=2.55), _strength_of_level())
    return cv2.multiply(noise, strength, dst=noise, scale=sigma / spread.item()) + plane


@cache
def _strength_of_level() -> NDArray[np.float32]:
    """Standard deviation at 256 levels from L* 0 to 100, as a share of the largest."""
    root = (np.linspace(0, 100, 256) + 16) / 116
    strength = root * np.sqrt(-3 * np.log10(root))
    return np.maximum(strength / strength.max(), _FLOOR).astype(np.float32).reshape(1, -1)


# ---- Fading: the tones of a paled print.
#
# Silver oxidises and paper yellows, so blacks lift, whites sink and contrast goes. Toning to sepia needs no effect of
# its own: the network sees lightness alone, in which a toner's colour vanishes. What is left of it is its tone curve,
# a lifted black and a gamma as here.


def fade(
    plane: NDArray[np.float32], black: float = 0.0, white: float = 0.0, gamma: float = 1.0
) -> NDArray[np.float32]:
    """Bend and narrow the tones of L*.

    Parameters
    ----------
    plane : ndarray of shape (H, W), float32
        L*; what lies outside [0, 100] is clipped.
    black, white : float
        By how much 0 is lifted and 100 is lowered.
    gamma : float
        Exponent on L* / 100 before that: above 1 middle tones darken.

    Returns
    -------
    ndarray of shape (H, W), float32
        L* in [black, 100 - white].
    """
    tones = np.clip(plane, 0, 100)
    if gamma != 1.0:
        tones = cv2.pow(tones / np.float32(100), gamma) * np.float32(100)
    return tones * np.float32((100 - white - black) / 100) + np.float32(black)


# ---- What handling did: scratches and dust.
#
# Damage to the negative prints light or dark, damage to the print bares the paper or lies dark on it: so both effects
# draw light marks and dark ones.

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


# ---- What storing did: JPEG's blocks and ringing.

_BLOCK = 8  # pixels


def jpeg(l8: NDArray[np.uint8], random: Generator, quality: int) -> NDArray[np.uint8]:
    """Send a lightness plane through a JPEG file.

    The file holds L* where a scan's would hold sRGB gray; the two curves hardly differ. What does differ is scale: a
    scan is stored large, and its blocks shrink with it. A crop's blocks are the worst case.

    Parameters
    ----------
    l8 : ndarray of shape (H, W), uint8
    random : Generator
        For where the blocks begin: crops do not begin with a block.
    quality : int
        As libjpeg counts, in [1, 100].

    Returns
    -------
    ndarray of shape (H, W), uint8
    """
    top, left = (int(offset) for offset in random.integers(0, _BLOCK, 2))
    framed = cv2.copyMakeBorder(l8, top, 0, left, 0, cv2.BORDER_REFLECT_101)
    _, content = cv2.imencode(".jpg", framed, [cv2.IMWRITE_JPEG_QUALITY, quality])
    stored = np.asarray(cv2.imdecode(content, cv2.IMREAD_GRAYSCALE), np.uint8)
    return stored[top:, left:]
