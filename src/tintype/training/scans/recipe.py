"""How crops become scans: which effects a scan shows, and how much of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from tintype.imaging.lab import decode_l8, decode_lab8, encode_l8
from tintype.training.scans.effects import (
    BLUE_SENSITIVE,
    ORTHOCHROMATIC,
    blur,
    dust,
    emulsion,
    fade,
    grain,
    jpeg,
    scratches,
    vignette,
)


@dataclass(frozen=True)
class Effect:
    """One effect.

    Attributes
    ----------
    share : float
        Of the scans that show it, in [0, 1].
    least, most : float
        Bounds of its amount, at full strength. An amount of 0 is no effect.
    """

    share: float
    least: float
    most: float

    def draw(self, random: Generator, strength: float) -> float:
        """The amount for one scan; 0 where it does not show the effect."""
        shows, place = random.random(2)
        # Squared: most scans are decent, few are wrecks.
        amount = self.least + (self.most - self.least) * place**2
        return float(strength * amount) if shows < self.share else 0.0


@dataclass(frozen=True)
class ScanParams:
    """What scans of old photos look like. Ranges are for crops of 128 to 256 pixels.

    The defaults were set beside nine scans of photos from 1865 to 1940 (data/legacy), all at 128 pixels. Medians of the
    darkest and the lightest percentile of L*, and of the standard deviation where a crop is flattest: 11, 84 and 0.35
    in those scans; 7, 95 and 0.41 in clean crops of data/sample; 15, 85 and 0.46 in scans drawn from these.

    Attributes
    ----------
    strength : float
        In [0, 1], a factor on the share of crops that become scans and on the amount of every effect.
        At 0 every crop stays as it is, to the bit.
    scanned : float
        Share of crops that become scans at full strength. The others stay clean: people bring new gray photos too.
    emulsion : Effect
        How far from what the eye sees to what the plate saw.
    blue_only : float
        Share of the emulsions that are blue-sensitive; the others are orthochromatic.
    blur : Effect
        Standard deviation, in pixels.
    vignette : Effect
        Share of the lightness that the farthest corner loses.
    grain : Effect
        Standard deviation at middle gray, in units of L*.
    grain_size : Effect
        Standard deviation of the blur that joins grains, in pixels.
    black, white : Effect
        By how much black is lifted and white is lowered, in units of L*.
    gamma : Effect
        Of the tone curve, as a logarithm to base 2; the sign is drawn.
    scratches : Effect
        Their length together, in sides of the crop.
    dust : Effect
        Specks on a crop.
    jpeg : Effect
        Quality lost, from 100.
    """

    strength: float = 1.0
    scanned: float = 0.75
    emulsion: Effect = Effect(0.6, 0.4, 1.0)
    blue_only: float = 0.5
    blur: Effect = Effect(0.35, 0.3, 1.2)
    vignette: Effect = Effect(0.3, 0.05, 0.3)
    grain: Effect = Effect(0.7, 0.1, 2.5)
    grain_size: Effect = Effect(1.0, 0.3, 0.9)
    black: Effect = Effect(0.7, 2.0, 32.0)
    white: Effect = Effect(0.7, 3.0, 27.0)
    gamma: Effect = Effect(0.5, 0.0, 0.7)
    scratches: Effect = Effect(0.2, 0.1, 1.0)
    dust: Effect = Effect(0.35, 1.0, 14.0)
    jpeg: Effect = Effect(0.5, 8.0, 65.0)

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 1:
            raise ValueError(f"Expected a strength of scans in [0, 1]. Received: {self.strength}.")


def as_scans(
    lab8: NDArray[np.uint8],
    params: ScanParams,
    *,
    seed: int,
    epoch: int = 0,
    rows: Sequence[int] | NDArray[np.integer] | None = None,
) -> NDArray[np.uint8]:
    """Lightness of crops, some of them as scans of old photos; the caller's colours stay as they are.

    Parameters
    ----------
    lab8 : ndarray of shape (n, S, S, 3), uint8
        Encoded as by `tintype.imaging.lab.encode_lab8`. The colours are read, since a plate saw them; nothing is
        written.
    seed, epoch : int
        At least 0. A crop's scan follows from these two and its row, not from the rest of the batch.
    rows : sequence of int, optional
        Which crops these are; by default 0 to n - 1.

    Returns
    -------
    ndarray of shape (n, S, S, 1), uint8
        0..255 for L* 0..100. A crop that stays clean keeps every bit.

    Raises
    ------
    ValueError
        If the crops are not 8-bit Lab, or if there is not one row for each.
    """
    if lab8.dtype != np.uint8 or lab8.ndim != 4 or lab8.shape[3] != 3:
        raise ValueError(f"Expected uint8 Lab of shape (n, S, S, 3). Received: {lab8.dtype} {lab8.shape}.")
    numbers = range(len(lab8)) if rows is None else rows
    if len(numbers) != len(lab8):
        raise ValueError(f"Expected a row number for each of {len(lab8)} crops. Received: {len(numbers)}.")
    l8 = lab8[..., :1].copy()
    for crop, planes, row in zip(lab8, l8, numbers, strict=True):
        random = np.random.default_rng((seed, epoch, int(row)))
        if random.random() < params.scanned * params.strength:
            planes[..., 0] = as_scan(crop, params, random)
    return l8


def as_scan(lab8: NDArray[np.uint8], params: ScanParams, random: Generator) -> NDArray[np.uint8]:
    """Lightness of one crop of shape (S, S, 3), uint8, as a scan, of shape (S, S), uint8."""
    strength = params.strength
    plane = _exposed(lab8, params, random)
    if sigma := params.blur.draw(random, strength):
        plane = blur(plane, sigma)
    if loss := params.vignette.draw(random, strength):
        plane = vignette(plane, random, loss)
    if sigma := params.grain.draw(random, strength):
        plane = grain(plane, random, sigma, params.grain_size.draw(random, strength))
    black, white = params.black.draw(random, strength), params.white.draw(random, strength)
    stops = params.gamma.draw(random, strength) * random.choice((-1, 1))
    plane = fade(plane, black, white, float(2**stops))
    if length := params.scratches.draw(random, strength):
        plane = scratches(plane, random, length)
    if specks := params.dust.draw(random, strength):
        plane = dust(plane, random, specks)
    l8 = encode_l8(plane)
    if loss := params.jpeg.draw(random, strength):
        l8 = jpeg(l8, random, 100 - round(loss))
    return l8


def _exposed(lab8: NDArray[np.uint8], params: ScanParams, random: Generator) -> NDArray[np.float32]:
    """L* of shape (S, S), float32, in [0, 100]: as the plate saw the crop, or as the eye does."""
    if amount := params.emulsion.draw(random, params.strength):
        weights = BLUE_SENSITIVE if random.random() < params.blue_only else ORTHOCHROMATIC
        return emulsion(decode_lab8(lab8), weights, amount, random.random())
    return decode_l8(lab8[..., 0])
