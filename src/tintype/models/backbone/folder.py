"""The folder models/backbone: a network and what must be known to use it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tintype.files.atomic import new_folder, write_json
from tintype.files.digest import sha256_of
from tintype.models.backbone.combinations import check_combination
from tintype.models.backbone.known import KNOWN
from tintype.models.backbone.spec import (
    NETWORK_FILE,
    SPEC_FILE,
    BackboneError,
    BackboneSpec,
    Origin,
    problems_of,
)
from tintype.params import WeightsParams

DOWNLOADS = ".download"  # beside the backbone's folder: a cut download outlives the folder's replacement


class Preprocessing(BaseModel):
    """What must be said about a network of one's own, in the `.json` beside its `.keras` file."""

    model_config = ConfigDict(frozen=True, strict=True)  # a backbone.json, with more keys, will do too

    input_size: Annotated[int, Field(ge=1)]
    offset: float
    scale: Annotated[float, Field(gt=0)]
    licence: str = "unknown"
    origin: Origin = "file"  # a backbone.json says `random` of random weights, and that must not get lost
    origin_detail: str | None = None


def make_backbone(params: WeightsParams, folder: Path) -> None:
    """Make the backbone's folder: `backbone.keras` and `backbone.json`.

    Parameters
    ----------
    params : WeightsParams
    folder : Path
        Replaced as a whole, and only once everything is ready.

    Raises
    ------
    BackboneError, NetworkFileError
        If the parameters contradict each other, or the weights cannot be had or do not fit.
    """
    check_combination(params)
    if params.backbone in KNOWN:
        _make_known(params, folder)
    else:
        _make_own(Path(params.backbone), folder)


def _make_known(params: WeightsParams, folder: Path) -> None:
    from tintype.models.backbone.origins import network_of

    known = KNOWN[params.backbone]
    network, detail = network_of(params, folder.parent / DOWNLOADS)
    licence = {"random": "none: random weights", "file": "that of the file"}.get(params.origin, known.licence)
    description = {
        "name": params.backbone,
        "input_size": known.input_size,
        "offset": known.offset,
        "scale": known.scale,
        "origin": params.origin,
        "origin_detail": detail,
        "licence": licence,
    }
    _write(network, description, folder)


def _make_own(source: Path, folder: Path) -> None:
    from tintype.models.keras_file import load_network

    source = source / NETWORK_FILE if source.is_dir() else source
    preprocessing = _read_preprocessing(source)
    network = load_network(source)
    _check_shapes(network, preprocessing.input_size, source)
    name = source.parent.name if source.name == NETWORK_FILE else source.stem
    description = {"name": name, **preprocessing.model_dump()}
    description["origin_detail"] = preprocessing.origin_detail or source.name
    _write(network, description, folder)


def _read_preprocessing(source: Path) -> Preprocessing:
    sidecar = source.with_suffix(".json")
    example = '{"input_size": 224, "offset": 127.0, "scale": 128.0}'
    try:
        return Preprocessing.model_validate_json(sidecar.read_bytes())
    except OSError:
        raise BackboneError(
            f"Expected the preprocessing of {source} in {sidecar}, but that file cannot be read. "
            f"Write it, for instance {example}: the network sees (gray - offset) / scale, gray in 0..255."
        ) from None
    except ValidationError as error:
        raise BackboneError(
            f"{sidecar} does not describe a backbone ({problems_of(error)}). Expected, for instance, {example}."
        ) from None


def _check_shapes(network: Any, size: int, source: Path) -> None:
    """One RGB picture of `size` in, one vector out."""
    received = f"Received: {network.input_shape} to {network.output_shape}."
    expected_input = [(None, side, side, 3) for side in (None, size)]
    if network.input_shape not in expected_input:
        raise BackboneError(
            f"Expected the network in {source} to take a batch of {size} x {size} RGB pictures, as the input_size "
            f"in {source.with_suffix('.json')} says: (None, {size}, {size}, 3). {received}"
        )
    output = network.output_shape
    if not isinstance(output, tuple) or len(output) != 2 or output[1] is None:
        raise BackboneError(
            f"Expected the network in {source} to give one vector a picture: (None, E). {received} "
            "A network of feature maps needs a GlobalAveragePooling2D layer at its end."
        )


def _write(network: Any, description: dict[str, Any], folder: Path) -> None:
    from tintype.models.keras_file import save_network

    with new_folder(folder, durable=True) as part:
        save_network(network, part / NETWORK_FILE)
        spec = BackboneSpec(
            **description,
            embedding_size=int(network.output_shape[-1]),
            sha256=sha256_of(part / NETWORK_FILE),
        )
        write_json(part / SPEC_FILE, spec.model_dump())
