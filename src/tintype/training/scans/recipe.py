"""How often a scan shows an effect, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.random import Generator


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
