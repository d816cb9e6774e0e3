"""How the published notebooks make a network's inputs: scikit-image for sizes and colours, `predict` for batches of 10.

Written afresh after their manner, with the one mistake of theirs left out that would change the result and not the
time (photos scaled to [0, 1] before a preprocessing that wants 0..255).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

BATCH = 10  # photos


class Notebook:
    """A backbone on Keras with TensorFlow, and what is around it.

    Parameters
    ----------
    backbone : Path
        Folder made by the stage `weights`.
    size : int
        Side of the network's square in pixels.
    """

    def __init__(self, backbone: Path, size: int) -> None:
        from tintype.models.backbone.spec import read_spec
        from tintype.models.keras_backend import prepare_keras
        from tintype.models.keras_file import load_network

        prepare_keras("tensorflow")
        self._spec = read_spec(backbone)
        self._network: Any = load_network(backbone / "backbone.keras")
        self._size = size
        side = self._spec.input_size
        self._network.predict(
            np.zeros((BATCH, side, side, 3), np.float32), verbose=0
        )  # compiled before the clock

    def features(self, photos: Sequence[Path]) -> list[tuple[NDArray[Any], NDArray[Any]]]:
        """Lab and embeddings of photos, batch by batch."""
        return [self._batch(photos[start : start + BATCH]) for start in range(0, len(photos), BATCH)]

    def _batch(self, photos: Sequence[Path]) -> tuple[NDArray[Any], NDArray[Any]]:
        from skimage import color, io, transform  # noqa: TID251

        size, side = (self._size, self._size), (self._spec.input_size,) * 2
        rgb = [transform.resize(_in_colour(io.imread(photo)), size) for photo in photos]
        gray = [color.gray2rgb(color.rgb2gray(photo)) for photo in rgb]
        seen = np.stack([transform.resize(photo, side) for photo in gray]) * 255
        embeddings = self._network.predict((seen - self._spec.offset) / self._spec.scale, verbose=0)
        return color.rgb2lab(np.stack(rgb)), embeddings


def _in_colour(photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return photo[..., :3] if photo.ndim == 3 else np.stack([photo] * 3, axis=-1)
