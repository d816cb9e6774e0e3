"""From a network's output to the colours that are shown, fitted on validation photos.

A mean under uncertainty is duller than the world. The gain brings the colourfulness of the validation photos to
the share of the truth's that is asked for; temperature and contrast are those whose colours then come nearest to the
truth. Confidence is measured: the share of right colours among pixels of similar spread.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tintype.imaging.confidence import NEAR
from tintype.imaging.contrast import with_contrast
from tintype.imaging.geometry import resize
from tintype.imaging.lab import decode_lab8, lab_to_rgb
from tintype.imaging.smoothing import smooth_colours
from tintype.measures.colourfulness import colourfulness
from tintype.measures.metrics import delta_e2000
from tintype.models.bundle import Decoding
from tintype.models.decoding import plain_ab, spread_of
from tintype.params import DecodeParams
from tintype.training.shard_set import ShardSet, first_rows

PHOTOS = 512  # of the validation split, at most
TEMPERATURES = (1.0, 0.7, 0.5, 0.4, 0.3, 0.2)
CONTRASTS = (0.0, 0.25, 0.5, 0.75, 1.0)
RATIOS = (0.3, 1.2)  # a bundle that is nearly gray, or far too colourful, is no example to follow
GAINS = (0.1, 20.0)
_BATCH = 32
_LEVELS = 17  # points in the table of confidence


def fit_decoding(network: Any, validation: ShardSet, params: DecodeParams) -> Decoding:
    """Fit temperature, contrast, gain and confidence.

    Parameters
    ----------
    network : keras.Model
        Trained, with its head's own output.
    validation : ShardSet
        Photos that were not learned from.
    params : DecodeParams
        What is given, and what is aimed at.
    """
    lab8, embeddings = first_rows(validation, PHOTOS)
    output = outputs_of(network, lab8[..., :1], embeddings)
    scene = scene_of(lab8, output.shape[1])
    has_classes = output.shape[-1] != 2
    temperatures: tuple[float | None, ...] = (None,)
    if has_classes:
        temperatures = TEMPERATURES if params.temperature is None else (params.temperature,)
    contrasts = CONTRASTS if params.contrast is None else (params.contrast,)
    if params.contrast is None and params.colourfulness is None:
        contrasts = (0.0,)  # contrasts can be told apart at equal colourfulness only

    @cache
    def plain(temperature: float | None) -> NDArray[np.float32]:
        return scene.colours(output, temperature, params.smoothing)

    @cache
    def tried(temperature: float | None, contrast: float) -> tuple[float, float, NDArray[np.float32]]:
        ab = with_contrast(plain(temperature), contrast)
        gain = scene.gain_for(ab, params.colourfulness)
        ab = ab * np.float32(gain)
        return scene.difference(ab), gain, ab

    # One after the other: the best temperature with one contrast is near the best with another.
    temperature = min(temperatures, key=lambda one: tried(one, contrasts[0])[0])
    contrast = min(contrasts, key=lambda one: tried(temperature, one)[0])
    _, gain, ab = tried(temperature, contrast)
    confidence = None
    if has_classes:
        error = np.linalg.norm(ab - scene.truth[..., 1:], axis=-1)
        confidence = _confidence(spread_of(output), error <= NEAR)
    return Decoding(
        gain=gain,
        temperature=temperature,
        smoothing=params.smoothing,
        contrast=contrast,
        confidence=confidence,
    )


def as_before(params: DecodeParams, network: Any, before: Decoding, validation: ShardSet) -> DecodeParams:
    """What a few validation photos cannot tell, as it was before a network was trained further.

    Parameters
    ----------
    params : DecodeParams
        What is given stays.
    network : keras.Model
        As it was before, with its head's own output.
    before : Decoding
        Fitted for that network, on other photos.
    validation : ShardSet
        On these photos colours become as strong as they were.
    """
    return DecodeParams(
        temperature=before.temperature if params.temperature is None else params.temperature,
        colourfulness=ratio_shown(network, before, validation),
        smoothing=params.smoothing,
        contrast=before.contrast if params.contrast is None else params.contrast,
    )


def ratio_shown(network: Any, decoding: Decoding, validation: ShardSet) -> float:
    """How colourful a network with that decoding shows these photos, times the truth; within `RATIOS`."""
    lab8, embeddings = first_rows(validation, PHOTOS)
    output = outputs_of(network, lab8[..., :1], embeddings)
    scene = scene_of(lab8, output.shape[1])
    ab = scene.before_gain(output, decoding)
    return float(np.clip(scene.colourfulness_ratio(ab * np.float32(decoding.gain)), *RATIOS))


def scene_of(lab8: NDArray[np.uint8], size: int) -> Scene:
    """Rows of the validation split at the size of a network's output.

    Parameters
    ----------
    lab8 : ndarray of shape (n, S, S, 3), uint8
    size : int
        Side in pixels.
    """
    return Scene(np.stack([resize(row, size, size) for row in decode_lab8(lab8)]))


class Scene:
    """Validation photos at the size of the network's output.

    Attributes
    ----------
    truth : ndarray of shape (n, h, w, 3), float32
        In Lab.
    """

    def __init__(self, truth: NDArray[np.float32]) -> None:
        self.truth = truth
        self._colourfulness = self._mean_colourfulness(truth[..., 1:])

    def colours(
        self, output: NDArray[np.float32], temperature: float | None, smoothing: float
    ) -> NDArray[np.float32]:
        """What either head says, smoothed by these photos' lightness as `tintype.imaging.smoothing` does it."""
        return smooth_colours(plain_ab(output, temperature), self.truth[..., 0], smoothing)

    def before_gain(self, output: NDArray[np.float32], decoding: Decoding) -> NDArray[np.float32]:
        """What either head says, decoded but for the gain."""
        ab = self.colours(output, decoding.temperature, decoding.smoothing)
        return with_contrast(ab, decoding.contrast)

    def gain_for(self, ab: NDArray[np.float32], ratio: float | None) -> float:
        """The factor that makes ab as colourful as `ratio` times the truth, or as near to it as `GAINS` allow."""
        if ratio is None:
            return 1.0
        low, high = GAINS
        for _ in range(10):
            middle = (low * high) ** 0.5
            if self._mean_colourfulness(ab * np.float32(middle)) < ratio * self._colourfulness:
                low = middle
            else:
                high = middle
        return round((low * high) ** 0.5, 3)

    def colourfulness_ratio(self, ab: NDArray[np.float32]) -> float:
        """Mean colourfulness, times the truth's."""
        return self._mean_colourfulness(ab) / self._colourfulness

    def difference(self, ab: NDArray[np.float32]) -> float:
        """Mean difference from the truth of colours as they are shown."""
        lab = np.concatenate([self.truth[..., :1], ab], axis=-1)
        return float(
            np.mean([delta_e2000(ours, truth).mean() for ours, truth in zip(lab, self.truth, strict=True)])
        )

    def _mean_colourfulness(self, ab: NDArray[np.float32]) -> float:
        lab = np.concatenate([self.truth[..., :1], ab], axis=-1)
        return float(np.mean([colourfulness(lab_to_rgb(photo)) for photo in lab]))


def outputs_of(network: Any, l8: NDArray[np.uint8], embeddings: NDArray[np.float16]) -> NDArray[np.float32]:
    """A network's output for rows, undecoded, of shape (n, h, w, C)."""
    outputs = []
    for start in range(0, len(l8), _BATCH):
        rows = slice(start, start + _BATCH)
        given = {"l": l8[rows].astype(np.float32), "embedding": embeddings[rows].astype(np.float32)}
        outputs.append(np.asarray(network.predict_on_batch(only_inputs(network, given))))
    return np.concatenate(outputs)


def only_inputs(network: Any, given: dict[str, Any]) -> dict[str, Any]:
    """Those of some arrays, by name, that a network takes."""
    return {name: given[name] for name in network.input}


def _confidence(spread: NDArray[np.float32], right: NDArray[np.bool_]) -> tuple[tuple[float, float], ...]:
    """Share of right colours by spread, never rising: isotonic regression (R. E. Barlow et al., 1972)."""
    from sklearn.isotonic import IsotonicRegression

    # Rounding may bring a level out of what was seen.
    model = IsotonicRegression(increasing=False, y_min=0, y_max=1, out_of_bounds="clip")
    model.fit(spread.ravel(), right.ravel())
    levels = np.unique(np.quantile(spread, np.linspace(0.01, 0.99, _LEVELS)).round(2))
    return tuple(
        (float(level), round(float(share), 4))
        for level, share in zip(levels, model.predict(levels), strict=True)
    )
