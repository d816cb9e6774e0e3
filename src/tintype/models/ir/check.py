"""How far an IR's colours are from those of the Keras network that it was made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tintype.imaging.geometry import resize

if TYPE_CHECKING:
    from tintype.models.backbone import Backbone

PHOTOS = 3
MOST_AB = 0.1  # Lab units; two backends of Keras are as far apart


def largest_difference(
    networks: tuple[Any, Any], backbones: tuple[Backbone, Backbone] | None, size: int, input_size: int
) -> float:
    """The largest difference between what two networks say of the same made-up photos.

    Parameters
    ----------
    networks : tuple of two
        With `predict_on_batch`.
    backbones : tuple of two Backbone, or None
        For networks that take an embedding.
    size, input_size : int
        Sides in pixels of what network and backbone see.

    Returns
    -------
    float
        Of all outputs, in their unit. Infinity if one is no number where the other is one.
    """
    outputs = []
    for number, network in enumerate(networks):
        given = {"l": _photos(size).astype(np.float32)}
        if backbones is not None:
            embedding = backbones[number].embed(_photos(input_size), PHOTOS)
            given["embedding"] = embedding.astype(np.float32)
        output = network.predict_on_batch(given)
        named = output if isinstance(output, dict) else {"ab": output}
        outputs.append({name: np.asarray(values, np.float64) for name, values in named.items()})
    first, second = outputs
    return max(_apart(first[name], second[name]) for name in first)


def _apart(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    if first.shape != second.shape or not np.array_equal(np.isfinite(first), np.isfinite(second)):
        return np.inf
    return float(np.abs(first - second)[np.isfinite(first)].max(initial=0.0))


def _photos(side: int) -> NDArray[np.uint8]:
    """Blotches of several sizes, the same each time: (n, side, side, 1)."""
    random = np.random.default_rng(20170428)
    coarse = [random.uniform(-1, 1, (PHOTOS, cells, cells)).astype(np.float32) for cells in (3, 12, 48)]
    photos = [sum(resize(planes[number], side, side) for planes in coarse) for number in range(PHOTOS)]
    return np.clip(127.5 + 80 * np.stack(photos), 0, 255).astype(np.uint8)[..., np.newaxis]
