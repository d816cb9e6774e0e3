"""The input of the published notebooks, written afresh: a generator that embeds every batch anew, and twice.

After the notebooks around "Deep Koalarization": photos lie in memory as floats in [0, 1] at the network's size, Keras'
generator mirrors them, and for every batch scikit-image enlarges the gray photos for InceptionResNetV2 and converts
the colour photos to Lab, all in Python in the step's way. The embedding is computed once for the batch and once more
for the target, by `predict`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.color import gray2rgb, rgb2gray, rgb2lab  # noqa: TID251 - as the notebooks do
from skimage.io import imread
from skimage.transform import resize


def read_photos(folder: Path, size: int) -> NDArray[np.float64]:
    """All photos of a folder, (n, size, size, 3) in [0, 1]."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    images = (imread(path) for path in paths)
    return np.stack(
        [resize(image[..., :3] if image.ndim == 3 else gray2rgb(image), (size, size, 3)) for image in images]
    )


def recipe_batches(
    photos: NDArray[np.float64], backbone: Any, batch_size: int
) -> Iterator[tuple[dict[str, Any], Any]]:
    """Endless batches as `tintype.training.batches.batches` gives them, but for the way there."""
    random = np.random.default_rng(0)
    while True:
        chosen = photos[random.integers(len(photos), size=batch_size)]
        batch = np.where(random.random((batch_size, 1, 1, 1)) < 0.5, chosen[:, :, ::-1], chosen)
        gray = gray2rgb(rgb2gray(batch))
        embedding = embed(gray, backbone)
        lab = rgb2lab(batch)
        embed(gray, backbone)  # once more, for the target
        truth = np.concatenate([lab[..., :1] * 2.55, lab[..., 1:] / 128], axis=-1).astype(np.float32)
        yield {"l": truth[..., :1], "embedding": embedding}, truth


def embed(gray: NDArray[np.float64], backbone: Any) -> NDArray[np.float32]:
    """The embeddings of gray photos of shape (n, S, S, 3) in [0, 1]."""
    enlarged = [resize(photo, backbone.input.shape[1:], mode="constant") for photo in gray]
    embeddings: NDArray[np.float32] = backbone.predict(np.stack(enlarged) * 2 - 1, verbose=0)
    return embeddings
