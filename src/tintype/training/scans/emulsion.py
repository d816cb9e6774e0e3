"""What the plate saw: silver is blind to red.

Plain silver halides (wet collodion, the first dry plates) see blue, violet and ultraviolet only; Vogel's and Eder's
dyes added green, up to about 590 nm (*orthochromatic*, from 1884 into the 1930s); only *panchromatic* film sees red.
So skies are blank and lips are black, and a lightness learnt from digital photos means other colours than the plate's.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from tintype.imaging.lab import lab_to_linear, luminance_to_lightness

# Shares of red, green and blue light (sRGB's primaries) in the exposure. ORTHOCHROMATIC is RawTherapee's setting of the
# same name for its channel mixer; BLUE_SENSITIVE leaves of green what lies below 500 nm, about a tenth.
ORTHOCHROMATIC = (0.0, 0.42, 0.58)
BLUE_SENSITIVE = (0.0, 0.1, 0.9)
_PANCHROMATIC = (1 / 3, 1 / 3, 1 / 3)
_MOST_GAIN = 4.0  # two stops
_SPARSE = 4  # pixels between two that count towards the exposure


def emulsion(
    lab: NDArray[np.float32], weights: Sequence[float], amount: float = 1.0, metering: float = 0.0
) -> NDArray[np.float32]:
    """Lightness of a crop as an emulsion would have rendered it.

    Parameters
    ----------
    lab : ndarray of shape (H, W, 3), float32
        The crop in its true colours.
    weights : sequence of 3 float
        Of red, green and blue in linear light, with a sum of 1: white stays white.
    amount : float
        In [0, 1], from the lightness that the eye sees to the emulsion's.
    metering : float
        In [0, 1]. At 1 the photographer exposes for the shadows: until the darker half of the scene is as light as
        on panchromatic film, by two stops more at most; then a blue sky goes blank. At 0 white keeps its place.

    Returns
    -------
    ndarray of shape (H, W), float32
        L* in [0, 100].
    """
    linear = lab_to_linear(lab)
    gain = _gain(linear[::_SPARSE, ::_SPARSE], weights) ** metering
    response = cv2.transform(linear, np.array([weights], np.float32) * np.float32(gain))
    seen = luminance_to_lightness(response)
    return cv2.addWeighted(seen, amount, np.ascontiguousarray(lab[..., 0]), 1 - amount, 0)


def _gain(linear: NDArray[np.float32], weights: Sequence[float]) -> float:
    """How much longer the emulsion is exposed than panchromatic film; never less, for it also sees ultraviolet."""
    film = linear @ np.asarray(_PANCHROMATIC, np.float32)
    plate = linear @ np.asarray(weights, np.float32)
    dark = film <= np.median(film)
    # A hundredth of white keeps the deepest shadows from deciding.
    ratio = np.exp(np.log((film[dark] + 0.01) / (plate[dark] + 0.01)).mean())
    return float(np.clip(ratio, 1, _MOST_GAIN))
