"""How different two photos look to a network that was trained to recognise things.

The figures depend on that network, so reports name it. They are not the published LPIPS (learned weights on AlexNet or
VGG) nor the published FID (a certain Inception v3), and are comparable only where the backbone is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tintype.imaging.geometry import resize
from tintype.models.backbone import Backbone
from tintype.models.keras_backend import compile_for_inference


def frechet_distance(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    """Squared Fréchet distance (2-Wasserstein) of the Gaussians with the vectors' means and covariances.

    ``|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))``: Dowson, Landau 1982, "The Fréchet distance between multivariate
    normal distributions"; on an Inception network's pooled features it is the FID of Heusel et al. 2017, on other
    features it is not, and must not be compared with any FID. With A and B the centred vectors over ``sqrt(n - 1)``,
    ``C1 = A'A``, ``C2 = B'B``, the trace of the root is the sum of the singular values of ``A B'``: exact, and n by n
    instead of E by E. Of more vectors than they are long, the triangular factors have the same singular values.

    The estimate is biased upwards, the more the fewer vectors there are (Chong, Forsyth 2020, "Effectively unbiased
    FID"): below some thousands, compare only figures of the same photos, and by their order.

    Parameters
    ----------
    first : ndarray of shape (n, E), float
    second : ndarray of shape (m, E), float

    Returns
    -------
    float
        0 for equal sets; less is better. NaN where a set has fewer than two vectors.
    """
    if min(len(first), len(second)) < 2:
        return float("nan")
    means = [np.mean(vectors, axis=0, dtype=np.float64) for vectors in (first, second)]
    a, b = (
        (vectors - mean) / np.sqrt(len(vectors) - 1)
        for vectors, mean in zip((first, second), means, strict=True)
    )
    root = np.linalg.svd(_low(a) @ _low(b).T, compute_uv=False).sum()
    distance = np.sum(np.square(means[0] - means[1])) + np.sum(a * a) + np.sum(b * b) - 2 * root
    return max(0.0, float(distance))  # rounding


def _low(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """R of ``vectors = Q R`` in place of the vectors, so that there are no more rows than columns."""
    rows, columns = vectors.shape
    return np.asarray(np.linalg.qr(vectors, mode="r")) if rows > columns else vectors


Rgb8 = NDArray[np.uint8]

_BATCH = 8  # pictures in one call of the network, about
_HALVED = 0.75  # of the size before: 147 after 149 is no new resolution, 73 is
_TINY = 1e-10


@dataclass(frozen=True)
class FeatureDistances:
    """What the backbone makes of all photos.

    Attributes
    ----------
    distances : list of dict
        For each photo, method -> feature distance to the truth.
    frechet : dict
        Method -> Fréchet distance between its photos and the true ones.
    """

    distances: list[dict[str, float]]
    frechet: dict[str, float]


class FeatureComparison:
    """Compares photos through a backbone, in colour and in batches.

    Parameters
    ----------
    backbone : Backbone
        Any; photos are squeezed into its square, and preprocessed with its offset and scale.
    methods : sequence of str
        Whose versions `add` will be given.
    """

    def __init__(self, backbone: Backbone, methods: tuple[str, ...]) -> None:
        self._side, self._methods = backbone.spec.input_size, methods
        self._rows = max(1, _BATCH // (1 + len(methods)))
        self._network = _comparison(backbone, 1 + len(methods))
        self._waiting: list[Rgb8] = []
        self._distances: list[NDArray[np.float32]] = []
        self._vectors: list[NDArray[np.float32]] = []

    def add(self, truth: Rgb8, coloured: Mapping[str, Rgb8]) -> None:
        """Add a photo.

        Parameters
        ----------
        truth : ndarray of shape (H, W, 3), uint8
        coloured : mapping of str to ndarray of shape (H, W, 3), uint8
            Method -> its version.
        """
        versions = [truth, *(coloured[name] for name in self._methods)]
        self._waiting.append(np.stack([_squeezed(rgb8, self._side) for rgb8 in versions]))
        if len(self._waiting) == self._rows:
            self._look()

    def finish(self) -> FeatureDistances:
        """The distances of all photos that were added, in their order."""
        if self._waiting:
            self._look()
        vectors = np.concatenate(self._vectors)  # (photos, versions, E)
        return FeatureDistances(
            [
                {name: float(value) for name, value in zip(self._methods, row[1:], strict=True)}
                for row in np.concatenate(self._distances)
            ],
            {
                name: frechet_distance(vectors[:, index], vectors[:, 0])
                for index, name in enumerate(self._methods, start=1)
            },
        )

    def _look(self) -> None:
        """One call of the network, always of the same shape: each shape is compiled anew."""
        count = len(self._waiting)
        photos = np.stack(self._waiting + [self._waiting[-1]] * (self._rows - count))
        distances, vectors = self._network.predict_on_batch(photos.reshape(-1, *photos.shape[2:]))
        self._distances.append(np.asarray(distances)[:count])
        self._vectors.append(np.asarray(vectors)[:count])
        self._waiting.clear()


def feature_distance(backbone: Backbone, rgb8: Rgb8, truth: Rgb8) -> float:
    """How different a photo looks from the truth.

    The mean over the backbone's resolutions of ``mean over places of |f / |f| - g / |g||^2``, with f and g the two
    photos' feature vectors in a place, taken at the end of each resolution. The form of LPIPS (Zhang, Isola, Efros,
    Shechtman, Wang 2018, "The unreasonable effectiveness of deep features as a perceptual metric", equation 1)
    without its learned weights: their baseline of an untuned network.

    Parameters
    ----------
    rgb8, truth : ndarray of shape (H, W, 3), uint8
        sRGB.

    Returns
    -------
    float
        0 for equal photos, at most 4; less is better. For many photos use a `FeatureComparison`.
    """
    viewer = FeatureComparison(backbone, ("photo",))
    viewer.add(truth, {"photo": rgb8})
    return viewer.finish().distances[0]["photo"]


def _squeezed(rgb8: Rgb8, side: int) -> Rgb8:
    return np.clip(np.rint(resize(rgb8.astype(np.float32), side, side)), 0, 255).astype(np.uint8)


def _comparison(backbone: Backbone, versions: int) -> Any:
    """From pictures (B * versions, S, S, 3) uint8, a photo's versions in a row with the truth first.

    To distances to the truth (B, versions) and pooled features (B, versions, E), float32.
    """
    import keras
    from keras import layers, ops

    spec, network = backbone.spec, backbone.network
    taps = taps_of(network)
    rgb8 = keras.Input((spec.input_size, spec.input_size, 3), dtype="uint8", name="rgb8")
    features = keras.Model(network.inputs, taps)((ops.cast(rgb8, "float32") - spec.offset) / spec.scale)
    features = [ops.cast(maps, "float32") for maps in (features if len(taps) > 1 else [features])]
    far = [_to_the_first(maps, versions) for maps in features]
    pooled = layers.GlobalAveragePooling2D()(features[-1])  # (B * versions, E)
    graph = keras.Model(
        rgb8, [sum(far[1:], far[0]) / len(far), ops.reshape(pooled, (-1, versions, pooled.shape[-1]))]
    )
    compile_for_inference(graph)
    return graph


def _to_the_first(maps: Any, versions: int) -> Any:
    """Distances of feature maps (B * versions, h, w, C) to those of each photo's first version: (B, versions)."""
    from keras import ops

    unit = maps / (ops.sqrt(ops.sum(ops.square(maps), axis=-1, keepdims=True)) + _TINY)
    unit = ops.reshape(unit, (-1, versions, *maps.shape[1:]))
    return ops.mean(ops.sum(ops.square(unit - unit[:, :1]), axis=-1), axis=(2, 3))


def taps_of(network: Any) -> list[Any]:
    """The last feature maps of each resolution, from fine to coarse.

    Parameters
    ----------
    network : keras.Model
        (B, S, S, 3) to (B, E), of any architecture that comes to its end through smaller and smaller maps.

    Returns
    -------
    list of KerasTensor of shape (B, h, w, C)
        The picture itself, preprocessed or not, is none of them.
    """
    taps: list[Any] = []
    for layer in network.layers:
        maps = layer.output
        if not hasattr(maps, "shape") or len(maps.shape) != 4 or maps.shape[-1] <= 3 or maps.shape[1] < 2:
            continue
        if taps and maps.shape[1] > _HALVED * taps[-1].shape[1]:
            taps[-1] = maps
        else:
            taps.append(maps)
    return taps
