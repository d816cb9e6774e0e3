"""OpenVINO without Keras."""

from __future__ import annotations

import importlib.util
from typing import Any

from tintype.errors import TintypeError
from tintype.models.keras_backend import keep_openvino_silent


class IrError(TintypeError):
    """An IR cannot be written or used."""


def openvino_is_installed() -> bool:
    """Whether OpenVINO is there; it is not imported."""
    return importlib.util.find_spec("openvino") is not None


def import_openvino() -> Any:
    """The module `openvino` (0.3 s)."""
    keep_openvino_silent()
    import openvino

    return openvino
