"""Which `weights.backbone` goes with which `weights.origin`: settled before anything heavy is imported."""

from __future__ import annotations

from pathlib import Path

from tintype.models.backbone.known import KNOWN
from tintype.models.backbone.spec import BackboneError
from tintype.params import WeightsParams

_ALLOWED = {
    "efficientnet_lite0": ("embedded", "file", "random"),
    "inception_resnet_v2": ("imagenet", "file", "random"),
}


def check_combination(params: WeightsParams) -> None:
    """Refuse parameters that cannot be meant together.

    Parameters
    ----------
    params : WeightsParams

    Raises
    ------
    BackboneError
        One sentence that names both keys and says what would do.
    """
    backbone, origin, file = params.backbone, params.origin, params.file
    if backbone not in KNOWN:
        _check_own_network(backbone, origin, file)
        return
    if origin not in _ALLOWED[backbone]:
        raise BackboneError(
            f"weights.backbone {backbone} has no weights of weights.origin {origin}. "
            f"Expected weights.origin to be one of {', '.join(_ALLOWED[backbone])}, "
            f"or weights.backbone to be {_backbone_with(origin)}."
        )
    if origin == "file" and file is None:
        raise BackboneError(
            f"weights.origin is file, but weights.file is null. Expected the path of a file with weights of {backbone}."
        )
    if origin != "file" and file is not None:
        raise BackboneError(
            f"weights.file is {file}, but weights.origin is {origin} and would not read it. "
            "Set weights.origin to file, or weights.file to null."
        )


def _check_own_network(backbone: str, origin: str, file: str | None) -> None:
    """A backbone that is not one of ours: the path of a network that brings its own weights."""
    if not backbone.endswith(".keras") and not Path(backbone).is_dir():
        raise BackboneError(
            f"weights.backbone is {backbone!r}. Expected {' or '.join(KNOWN)}, "
            "the path of a network ending in .keras, or a folder that the stage weights has made."
        )
    if origin != "file":
        raise BackboneError(
            f"weights.backbone {backbone} is a network of your own with weights of its own, "
            f"but weights.origin is {origin}. Expected weights.origin to be file."
        )
    if file is not None:
        raise BackboneError(
            f"weights.backbone {backbone} brings its own weights, but weights.file is {file}. "
            "Expected weights.file to be null."
        )


def _backbone_with(origin: str) -> str:
    return " or ".join(backbone for backbone, origins in _ALLOWED.items() if origin in origins)
