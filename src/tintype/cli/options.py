"""What a person chooses for a whole call of `tintype colorize`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from tintype.imaging.limits import COLLECTION, MEGA, Limits


@dataclass(frozen=True)
class Options:
    """How photos are coloured and written.

    Attributes
    ----------
    saturation : float
        Factor on the colours, 0 to 2.
    file_format : str or None
        ``jpeg``, ``png``, ``tiff``, ``webp`` or ``avif``; None keeps each photo's own where it can be written.
    quality : int
        Of JPEG, WebP and AVIF, 1 to 100.
    metadata : str
        What a result takes over from its photo.
    compare : bool
        Whether a picture of before and after is written beside each result.
    layer : bool
        Whether only the colours are written, to be joined with the untouched photo.
    abstain : float
        Colours of less confidence fade to gray, 0 to 1; 0 keeps all.
    confidence : bool
        Whether a picture of the model's confidence is written beside each result.
    limits : Limits
        What one photo may cost.
    force, skip_existing : bool
        What happens to results that are there already.
    """

    saturation: float = 1.0
    file_format: str | None = None
    quality: int = 95
    metadata: Literal["keep", "no-gps", "strip"] = "keep"
    compare: bool = False
    layer: bool = False
    abstain: float = 0.0
    confidence: bool = False
    limits: Limits = COLLECTION
    force: bool = False
    skip_existing: bool = False

    @property
    def parameters(self) -> Mapping[str, str]:
        """All that makes one result differ from another of the same photo and model, as the manifest keeps it."""
        return {
            "saturation": f"{self.saturation:.9g}",
            "quality": str(self.quality),
            "metadata": self.metadata,
            "compare": str(self.compare).lower(),
            "layer": str(self.layer).lower(),
            "abstain": f"{self.abstain:.9g}",
            "confidence": str(self.confidence).lower(),
        }

    @property
    def colour_parameters(self) -> Mapping[str, str]:
        """Those that change colours, as coloured files say them: what nobody asked for is not said."""
        chosen = {"saturation"} | ({"abstain"} if self.abstain > 0 else set())
        return {name: value for name, value in self.parameters.items() if name in chosen}

    @property
    def needs_confidence(self) -> bool:
        """Whether the model must say how sure it is."""
        return self.confidence or self.abstain > 0


def limits_of(megapixels: float, megabytes: float) -> Limits:
    """A collection's limits, with other ceilings for the size of a photo and of its file."""
    return replace(COLLECTION, pixels=round(megapixels * MEGA), bytes=round(megabytes * MEGA))
