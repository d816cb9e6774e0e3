"""Quarantined photos as the page shows them: a look says more than a reason."""

from __future__ import annotations

import base64
from pathlib import Path

import cv2
import pandas as pd

from tintype.data.validation.report import Refused
from tintype.imaging.limits import PhotoError
from tintype.imaging.picture import read_picture

_SHOWN = 24  # quarantined photos, reasons in turn
_SIDE = 240  # pixels of a thumbnail's long side


def photos_to_show(photos: Path, rejected: pd.DataFrame) -> list[Refused]:
    """Some of each reason, the first of every reason first."""
    turns = rejected.groupby("reason").cumcount()
    chosen = rejected.assign(turn=turns).sort_values(["turn", "reason"]).head(_SHOWN)
    return [
        Refused(
            path=str(row.path),
            reason=str(row.reason).replace("_", " "),
            detail=str(row.detail),
            thumbnail=_thumbnail(photos / str(row.path)),
        )
        for row in chosen.itertuples()
    ]


def _thumbnail(photo: Path) -> str | None:
    """A small JPEG in base64; None for what cannot be read, which is why it may be here."""
    try:
        rgb8 = read_picture(photo).rgb8
    except (PhotoError, OSError):
        return None
    scale = min(_SIDE / max(rgb8.shape[:2]), 1)
    size = [max(round(side * scale), 1) for side in rgb8.shape[1::-1]]
    small = cv2.resize(rgb8, size, interpolation=cv2.INTER_AREA)
    _, encoded = cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])
    return base64.b64encode(encoded.tobytes()).decode()
