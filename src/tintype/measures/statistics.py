"""What is known of each photo that a service coloured: names, meanings and units, for all who write or read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Statistic:
    """A number that every photo has.

    Attributes
    ----------
    name : str
        In records and tables.
    title : str
        For people.
    unit : str
        Empty for a bare number.
    measured_on : {"input", "output"}
        The photo as it came, or the colours it was given.
    meaning : str
        A sentence.
    judged : bool
        Whether a change of it is worth an alarm. Size and colours that came along never reach the network.
    """

    name: str
    title: str
    unit: str
    measured_on: Literal["input", "output"]
    meaning: str
    judged: bool = True


STATISTICS = (
    Statistic("lightness", "Lightness", "L*", "input", "Mean L* of the photo."),
    Statistic(
        "lightness_spread",
        "Spread of lightness",
        "L*",
        "input",
        "Standard deviation of L*, the RMS contrast.",
    ),
    Statistic("contrast", "Contrast", "L*", "input", "From the 5th to the 95th percentile of L*."),
    Statistic(
        "sharpness",
        "Sharpness",
        "L*",
        "input",
        "Standard deviation of the Laplacian of L* at 192 pixels: how much fine detail and grain the network sees.",
    ),
    Statistic("near_black", "Near black", "share", "input", "Share of pixels with L* below 5."),
    Statistic("near_white", "Near white", "share", "input", "Share of pixels with L* above 95."),
    Statistic(
        "input_chroma",
        "Colour that came along",
        "C*",
        "input",
        "Mean C* of the photo as it came.",
        judged=False,
    ),
    Statistic("megapixels", "Size", "megapixels", "input", "Pixels of the photo.", judged=False),
    Statistic(
        "colourfulness",
        "Colourfulness",
        "",
        "output",
        "Of the answer, by Hasler and Suesstrunk 2003; 0 is gray.",
    ),
    Statistic("mean_chroma", "Chroma", "C*", "output", "Mean C* of the answer; 0 is gray."),
    Statistic(
        "mean_a", "Green to red", "a*", "output", "Mean a* of the answer: a tint over everything shows here."
    ),
    Statistic(
        "mean_b",
        "Blue to yellow",
        "b*",
        "output",
        "Mean b* of the answer: a tint over everything shows here.",
    ),
    Statistic(
        "patch_gradient",
        "Patches",
        "Lab/%",
        "output",
        "Chroma that changes where lightness does not: blotches.",
    ),
    Statistic(
        "bleed_score",
        "Bleeding",
        "% of diagonal",
        "output",
        "How far edges of colour lie from edges of lightness.",
    ),
    Statistic(
        "out_of_gamut", "Out of gamut", "share", "output", "Share of colours asked for that no screen shows."
    ),
    Statistic(
        "confidence",
        "Confidence",
        "probability",
        "output",
        "Mean of what the model says; empty if it says nothing.",
    ),
)

KINDS = ("gray", "toned", "colour")
"""What a photo was when it came: without colour, with one tint all over as sepia has, or in colour."""
