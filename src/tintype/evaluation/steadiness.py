"""How much colours change when a photo hardly does: a scan made twice should not be coloured twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tintype.evaluation.baselines import ChromaOf
from tintype.imaging.geometry import resize

Rgb8 = NDArray[np.uint8]

MOVED = 2  # pixels
_GRAIN = 4.0  # of 255, standard deviation
_BRIGHTER = 1.05
_QUALITY = 75


def _grain(rgb8: Rgb8) -> Rgb8:
    noise = np.random.default_rng(0).normal(0, _GRAIN, rgb8.shape[:2])[..., np.newaxis]
    return np.clip(np.rint(rgb8 + noise), 0, 255).astype(np.uint8)


def _moved(rgb8: Rgb8) -> Rgb8:
    padded = np.pad(rgb8, ((MOVED, 0), (MOVED, 0), (0, 0)), mode="edge")
    return np.ascontiguousarray(padded[: rgb8.shape[0], : rgb8.shape[1]])


def _brighter(rgb8: Rgb8) -> Rgb8:
    return np.clip(np.rint(rgb8 * _BRIGHTER), 0, 255).astype(np.uint8)


def _jpeg(rgb8: Rgb8) -> Rgb8:
    _, coded = cv2.imencode(".jpg", rgb8[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    bgr8: Any = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    return np.ascontiguousarray(bgr8[..., ::-1])


CHANGES: dict[str, Callable[[Rgb8], Rgb8]] = {
    "grain": _grain,
    "moved": _moved,
    "brighter": _brighter,
    "jpeg": _jpeg,
}


def unsteadiness(rgb8: Rgb8, before: NDArray[np.float32], chroma: ChromaOf) -> dict[str, float]:
    """Mean change of colours for each small change of a photo.

    Parameters
    ----------
    rgb8 : ndarray of shape (H, W, 3), uint8
        A photo, at the size at which it is judged, of more than `MOVED` pixels a side.
    before : ndarray of shape (h, w, 2), float32
        What `chroma` gives for it.
    chroma : ChromaOf
        Of the method.

    Returns
    -------
    dict
        ``grain`` (of 4 levels), ``moved`` (by 2 pixels each way), ``brighter`` (by 5 %) and ``jpeg`` (of quality 75):
        mean distance in a* and b*, in Lab units; after a move that of the same things.
    """
    changes = {}
    for name, change in CHANGES.items():
        after = chroma(change(rgb8))
        own = before
        if name == "moved":
            # At the photo's size, where a move by whole pixels can be undone.
            own, after = (resize(planes, *rgb8.shape[:2]) for planes in (before, after))
            own, after = own[:-MOVED, :-MOVED], after[MOVED:, MOVED:]
        changes[name] = float(np.hypot(*np.moveaxis(after - own, -1, 0)).mean(dtype=np.float64))
    return changes
