"""How right the skin of faces is, of light and of dark skin apart: one must not be paid for with the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tintype.evaluation.scores import DIGITS
from tintype.imaging.lab import rgb_to_lab
from tintype.measures.metrics import delta_e2000, reduced
from tintype.measures.skin import find_faces, hue_error

Rgb8 = NDArray[np.uint8]


class FaceComparison:
    """Collects the errors inside all photos' faces.

    Parameters
    ----------
    side : int
        Long side in pixels at which photos are judged.
    """

    def __init__(self, side: int) -> None:
        self._side = side
        self._errors: dict[str, dict[str, list[tuple[float, float]]]] = {}

    def add(self, truth: Rgb8, coloured: Mapping[str, Rgb8]) -> None:
        """Judge one photo's faces.

        Parameters
        ----------
        truth : ndarray of shape (H, W, 3), uint8
            The photo in its own colours.
        coloured : mapping of str to ndarray of shape (H, W, 3), uint8
            Method -> its version.
        """
        seen = reduced(truth, self._side)
        lab = rgb_to_lab(seen)
        faces = find_faces(seen, lab)
        if not faces:
            return
        for method, rgb8 in coloured.items():
            own = rgb_to_lab(reduced(rgb8, self._side))
            for face in faces:
                true, skin = face.skin_of(lab), face.skin_of(own)
                errors = float(delta_e2000(skin, true).mean(dtype=np.float64)), hue_error(skin, true)
                self._errors.setdefault(face.tone, {}).setdefault(method, []).append(errors)

    def summary(self) -> dict[str, Any]:
        """The content of metrics.json's ``faces``.

        Returns
        -------
        dict
            For ``light`` and ``dark`` skin, where there is any: ``faces``, their number, and for each method the means
            ``delta_e2000_mean`` and ``hue_error`` (degrees; of faces that are not gray) with their standard errors.
        """
        return {
            tone: {
                "faces": len(next(iter(methods.values()))),
                **{method: _means(np.array(errors)) for method, errors in methods.items()},
            }
            for tone, methods in sorted(self._errors.items())
        }


def _means(errors: NDArray[np.float64]) -> dict[str, float]:
    means = {}
    for name, column in (("delta_e2000_mean", errors[:, 0]), ("hue_error", errors[:, 1])):
        defined = column[np.isfinite(column)]
        if len(defined):
            means[name] = round(float(defined.mean()), DIGITS)
        if len(defined) > 1:
            means[f"{name.removesuffix('_mean')}_se"] = round(
                float(defined.std(ddof=1) / np.sqrt(len(defined))), DIGITS
            )
    return means
