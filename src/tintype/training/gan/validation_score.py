"""How good a network's colours are, on validation photos and at equal colourfulness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tintype.models.bundle import Decoding
from tintype.training.calibrate import PHOTOS, Scene, outputs_of, scene_of
from tintype.training.shard_set import ShardSet, first_rows


@dataclass(frozen=True)
class Score:
    """How one network did.

    Attributes
    ----------
    difference : float
        Mean difference from the truth after the gain that makes all networks equally colourful, so that neither
        paleness nor gaudiness counts.
    colourfulness : float
        Ratio to the truth's, with the gain that the network had before.
    """

    difference: float
    colourfulness: float


class ValidationScore:
    """Scores networks on the same validation photos.

    Parameters
    ----------
    network : keras.Model
        The network as it was fitted.
    decoding : Decoding
        Fitted for that network; its temperature and contrast hold for all.
    ratio : float or None
        Colourfulness at which networks are compared, times the truth's; None: that of the network as it was fitted.
    """

    def __init__(self, network: Any, validation: ShardSet, decoding: Decoding, ratio: float | None) -> None:
        self._decoding = decoding
        self._lab8, self._embeddings = first_rows(validation, PHOTOS)
        output = self._output(network)
        self._scene: Scene = scene_of(self._lab8, output.shape[1])
        ab = self._ab(output)
        self._ratio = self._scene.colourfulness_ratio(ab) if ratio is None else ratio
        self.before = self._score(ab)

    def __call__(self, network: Any) -> Score:
        """The score of a network."""
        return self._score(self._ab(self._output(network)))

    def _output(self, network: Any) -> NDArray[np.float32]:
        return outputs_of(network, self._lab8[..., :1], self._embeddings)

    def _ab(self, output: NDArray[np.float32]) -> NDArray[np.float32]:
        return self._scene.before_gain(output, self._decoding)

    def _score(self, ab: NDArray[np.float32]) -> Score:
        gain = self._scene.gain_for(ab, self._ratio)
        shown = ab * np.float32(self._decoding.gain)
        return Score(self._scene.difference(ab * np.float32(gain)), self._scene.colourfulness_ratio(shown))
