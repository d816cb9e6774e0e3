"""The metric card: what the figures of a comparison mean, and on what they were measured.

Two models' figures can be compared only if their cards are equal: a metric that was redefined, another list
of photos or another version of a library that computes moves a figure as a better network does. What is
a model's own, such as the size of its network, is not on the card.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tintype.evaluation.intervals import LEVEL, RESAMPLES
from tintype.evaluation.quality_curve import FACTORS
from tintype.files.atomic import write_json

CARD_FILE = "card.json"
MOST = 400  # photos; more would make intervals narrower than the differences that people can see
# Pixels; long side at which photos are judged. Colours are coarse, and at 1024 it takes four times as long.
SIDE = 512
EQUAL_SIDE = 128  # pixels; the same at equal colourfulness, where each photo is judged at every factor

# A test holds the figures of a made-up photo against these versions: a change of a metric raises its own.
METRICS = {
    "delta_e2000_mean": "1: mean CIEDE2000 over pixels, mean over photos",
    "equal_delta_e2000": (
        "1: delta_e2000_mean after one factor on each painter's chroma has made its colourfulness ratio that of the "
        "champion, kept within 0.5 to 1"
    ),
    "colourfulness_ratio": "1: Hasler and Suesstrunk 2003; sum over photos, over the true photos' sum",
    "colourfulness_distance": "1: |ln colourfulness_ratio|, the ratio not below 0.01",
    "patch_score": "1: chroma gradient where lightness has none; sum over photos, over the true photos' sum",
    "patches_per_colour": "1: patch_score over colourfulness_ratio",
    "bleed_score": (
        "1: distance of chroma edges from lightness edges in percent of the diagonal, mean over photos that have both"
    ),
    "psnr_db": "1: 10 log10(255^2 / MSE) over pixels and channels, at most 100 dB, mean over photos",
    "seconds": (
        "1: seconds a photo at its own size, the faster of two goes, both models in one process, median over photos"
    ),
}
_LIBRARIES = {
    "tintype": "tintype",
    "numpy": "numpy",
    "opencv": "opencv-python-headless",
    "scikit-image": "scikit-image",
}

_SHORT = 40  # letters of two values that are shown

Card = dict[str, Any]


def metric_card(content_hashes: Sequence[str]) -> Card:
    """The card of a comparison on these photos, by these versions.

    Parameters
    ----------
    content_hashes : sequence of str
        Of the photos' files, in the order in which they are judged.

    Returns
    -------
    dict
        As JSON takes it.
    """
    return {
        "format": 1,
        "metrics": dict(METRICS),
        "photos": {
            "count": len(content_hashes),
            "sha256": hashlib.sha256("\n".join(content_hashes).encode()).hexdigest(),
        },
        "sizes": {
            "judged_side": SIDE,
            "judged_side_at_equal_colourfulness": EQUAL_SIDE,
            "factors": list(FACTORS),
        },
        "intervals": {"level": LEVEL, "resamples": RESAMPLES},
        "versions": {name: version(package) for name, package in _LIBRARIES.items()},
    }


def card_sha256(card: Card) -> str:
    """SHA-256 of the card: that of its file."""
    return hashlib.sha256((json.dumps(card, indent=2, ensure_ascii=False) + "\n").encode()).hexdigest()


def write_card(folder: Path, card: Card) -> None:
    """Write the card as the folder's card.json."""
    write_json(folder / CARD_FILE, card)


def read_card(folder: Path) -> Card | None:
    """The card in a folder; None if none can be read, so that nothing can be compared with it."""
    try:
        card = json.loads((folder / CARD_FILE).read_bytes())
    except (OSError, ValueError):
        return None
    return card if isinstance(card, dict) else None


def differences(card: Card, other: Card) -> str:
    """Where two cards differ, such as ``photos.count: 4 and 5; versions.numpy: 2.3.5 and 2.4.0; photos.sha256``."""
    ones, others = _flat(card), _flat(other)
    differing = [key for key in ones | others if ones.get(key) != others.get(key)]
    return "; ".join(
        _difference(key, ones.get(key, "nothing"), others.get(key, "nothing")) for key in differing
    )


def _difference(key: str, one: object, other: object) -> str:
    """A difference in words; a hash or a definition is only named."""
    return f"{key}: {one} and {other}" if len(f"{one}{other}") < _SHORT else key


def _flat(block: Card, prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in block.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return flat
