"""Skin: where faces are in a photo, how light their skin is, and how far its hue is from the truth's.

People are what most old photographs show, and a wrong skin is what people see first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 320  # pixels of the short side at which faces are looked for
SMALLEST = 32  # pixels of a face there; smaller ones are mostly none
HUES = (15.0, 85.0)  # degrees in the a*b* plane; what the detector takes for a face and is outside is none
MIN_CHROMA = 5.0  # a hue is defined
LIGHT = 10.0  # degrees of ITA: above it skin is light to tan, below it brown to dark
Tone = Literal["light", "dark"]


@dataclass(frozen=True)
class Face:
    """A face.

    Attributes
    ----------
    rows, columns : slice
        Of the photo's pixels, around the face.
    skin : ndarray of shape (h, w), bool
        Of those the middle, an ellipse without hair and background.
    tone : str
        Of the skin as the true photo shows it, ``light`` or ``dark``.
    """

    rows: slice
    columns: slice
    skin: NDArray[np.bool_]
    tone: Tone

    def skin_of(self, planes: NDArray[np.float32]) -> NDArray[np.float32]:
        """The skin's pixels of a picture of shape (H, W, ...), one after the other."""
        return planes[self.rows, self.columns][self.skin]


def find_faces(rgb8: NDArray[np.uint8], lab: NDArray[np.float32]) -> list[Face]:
    """Faces from the front, by local binary patterns (Z. Zhang et al., 2007) in scikit-image's cascade.

    Parameters
    ----------
    rgb8 : ndarray of shape (H, W, 3), uint8
        The photo in its own colours.
    lab : ndarray of shape (H, W, 3), float32
        The same in CIE L*a*b*.

    Returns
    -------
    list of Face
        The largest first, none over another. What has no colour of skin is left out, as the cascade finds faces in
        patterns too.
    """
    height, width = rgb8.shape[:2]
    scale = min(1.0, SIDE / min(height, width))
    small: Any = (
        cv2.resize(rgb8, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else rgb8
    )
    found = _cascade().detect_multi_scale(
        small,
        scale_factor=1.2,
        step_ratio=1,
        min_size=(SMALLEST, SMALLEST),
        max_size=(min(small.shape[:2]),) * 2,
    )
    faces: list[Face] = []
    for box in sorted(found, key=lambda box: (-box["width"], box["r"], box["c"])):
        top, left, size = (round(box[key] / scale) for key in ("r", "c", "width"))
        rows, columns = slice(top, min(top + size, height)), slice(left, min(left + size, width))
        if any(_overlap(rows, face.rows) and _overlap(columns, face.columns) for face in faces):
            continue
        skin = _ellipse(rows.stop - rows.start, columns.stop - columns.start)
        lightness, a, b = (float(value) for value in np.median(lab[rows, columns][skin], axis=0))
        hue = math.degrees(math.atan2(b, a))
        if math.hypot(a, b) >= MIN_CHROMA and HUES[0] <= hue <= HUES[1]:
            faces.append(Face(rows, columns, skin, tone_of(lightness, b)))
    return faces


def tone_of(lightness: float, b: float) -> Tone:
    """Light or dark skin, by its individual typology angle.

    ``ITA = atan((L* - 50) / b*)`` in degrees (A. Chardon, I. Cretois, C. Hourseau, 1991, who call skin above 10 tan,
    intermediate or light, and below it brown or dark). It is meant for even light: in a photo a shadow makes it
    smaller, so it says how light the skin is in the picture.
    """
    return "light" if math.degrees(math.atan2(lightness - 50, b)) > LIGHT else "dark"


def hue_error(lab: NDArray[np.float32], truth: NDArray[np.float32]) -> float:
    """Degrees between the mean colours' hues, 0 to 180; NaN where one of them is as good as gray.

    Parameters
    ----------
    lab, truth : ndarray of shape (N, 3), float32
        CIE L*a*b* of the same pixels.
    """
    (a, b), (true_a, true_b) = (pixels[:, 1:].mean(axis=0, dtype=np.float64) for pixels in (lab, truth))
    if min(math.hypot(a, b), math.hypot(true_a, true_b)) < 1:
        return math.nan
    turn = abs(math.degrees(math.atan2(b, a) - math.atan2(true_b, true_a))) % 360
    return min(turn, 360 - turn)


@cache
def _cascade() -> Any:
    from skimage.data import lbp_frontal_face_cascade_filename
    from skimage.feature import Cascade

    return Cascade(lbp_frontal_face_cascade_filename())


def _overlap(one: slice, other: slice) -> bool:
    return bool(one.start < other.stop and other.start < one.stop)


def _ellipse(height: int, width: int) -> NDArray[np.bool_]:
    """The middle of a face's box."""
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    inside: NDArray[np.bool_] = (y / 0.7) ** 2 + (x / 0.5) ** 2 <= 1
    return inside
