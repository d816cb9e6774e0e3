"""OpenVINO, imported in silence and held to float32."""

from __future__ import annotations

import importlib.util
import sys
from typing import Any

from tintype.errors import TintypeError

# Left alone OpenVINO takes bfloat16 where a processor has it. A photo then gets other colours on another machine: of
# the starter's the mean difference in ab was 0.6 to 1.4 Lab units a photo, the largest 21.
FLOAT32 = {"INFERENCE_PRECISION_HINT": "f32"}


class IrError(TintypeError):
    """An IR cannot be written or used."""


def openvino_is_installed() -> bool:
    """Whether OpenVINO is there; it is not imported."""
    return importlib.util.find_spec("openvino") is not None


def keep_openvino_silent() -> None:
    """Do without the package by which OpenVINO reports its use to a host abroad; it goes on without a word."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]


def import_openvino() -> Any:
    """The module `openvino` (0.3 s)."""
    keep_openvino_silent()
    import openvino

    return openvino
