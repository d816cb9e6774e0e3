"""The backbone as an IR of OpenVINO: what embeds on a CPU without Keras and TensorFlow.

The stage `weights` writes it beside the Keras network, with whose weights it computes (`tintype.models.ir`), and holds
it to that network.
"""

from __future__ import annotations

import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from tintype.files.atomic import new_file, write_json
from tintype.files.digest import sha256_of
from tintype.models.backbone.embedder import Backbone
from tintype.models.backbone.spec import NETWORK_FILE, BackboneError, BackboneSpec, problems_of
from tintype.models.ir.export import export_ir
from tintype.models.ir.network import read_ir
from tintype.models.ir.runtime import import_openvino, openvino_is_installed
from tintype.models.keras_backend import prepare_keras

IR_FILE = "backbone.xml"
CONSTANTS_FILE = "backbone.bin"
DESCRIPTION_FILE = "openvino.json"
PHOTOS = 4  # made up, on which the IR is held to Keras
MOST_DIFFERENCE = 1e-3  # of the largest score; half precision's steps are as large


class IrDescription(BaseModel):
    """What an IR was made of."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    openvino: str  # the version that wrote it
    network_sha256: str  # of backbone.keras
    files: dict[str, str]  # SHA-256 of each
    difference: float  # largest, from Keras, as a share of the largest score


def add_ir(folder: Path) -> str:
    """Write the IR of a backbone, where there is what that takes.

    Parameters
    ----------
    folder : Path
        As made by `tintype.models.backbone.folder.make_backbone`.

    Returns
    -------
    str
        A sentence on what came of it.

    Raises
    ------
    BackboneError, IrError
        If the IR's embeddings are not those of the Keras network, or OpenVINO cannot express it.
    """
    if not openvino_is_installed():
        return "no IR for OpenVINO, for want of the package openvino; `embed` will use Keras, which is slower on a CPU."
    return (
        f"with an IR for OpenVINO, at most {write_ir(folder).difference:g} of the largest score from Keras."
    )


def write_ir(folder: Path) -> IrDescription:
    """Write the IR of a backbone into its folder: backbone.xml, backbone.bin, openvino.json.

    Parameters
    ----------
    folder : Path
        As made by `tintype.models.backbone.folder.make_backbone`.

    Returns
    -------
    IrDescription

    Raises
    ------
    BackboneError, IrError
        If the IR's embeddings are not those of the Keras network, or OpenVINO cannot express it.
    """
    prepare_keras()
    backbone = Backbone.load(folder)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".", suffix=".part") as scratch:
        part = Path(scratch) / NETWORK_FILE
        part.symlink_to((folder / NETWORK_FILE).resolve())
        export_ir({part: backbone.spec})
        difference = _difference(backbone, compiled(part, backbone.spec, cores=1))
        if not difference <= MOST_DIFFERENCE:
            raise BackboneError(
                f"Expected the backbone's IR to give the embeddings that Keras gives, to {MOST_DIFFERENCE:g} of the "
                f"largest score. Received: a difference of {difference:g}. Another version of OpenVINO may do better."
            )
        for name in (CONSTANTS_FILE, IR_FILE):
            with new_file(folder / name) as ready:
                part.with_name(name).replace(ready)
    description = IrDescription(
        openvino=version("openvino"),
        network_sha256=backbone.spec.sha256,
        files={name: sha256_of(folder / name) for name in (CONSTANTS_FILE, IR_FILE)},
        difference=difference,
    )
    write_json(folder / DESCRIPTION_FILE, description.model_dump())
    return description


def check_ir(folder: Path, spec: BackboneSpec) -> None:
    """Make sure that a folder's IR is whole and was made of the network beside it.

    Raises
    ------
    BackboneError
        If it is not.
    """
    again = "Run `dvc repro --force weights` to make it anew."
    try:
        description = IrDescription.model_validate_json((folder / DESCRIPTION_FILE).read_bytes())
    except OSError as error:
        raise BackboneError(
            f"Expected {folder / DESCRIPTION_FILE}, but it cannot be read ({error.strerror}). {again}"
        ) from None
    except ValidationError as error:
        raise BackboneError(
            f"{folder / DESCRIPTION_FILE} does not describe an IR: {problems_of(error)}. {again}"
        ) from None
    if description.network_sha256 != spec.sha256:
        raise BackboneError(
            f"Expected the IR in {folder} to be made of the network beside it, {spec.sha256[:12]}. Received: one of "
            f"{description.network_sha256[:12]}. {again}"
        )
    for name, expected in {NETWORK_FILE: spec.sha256, **description.files}.items():
        path = folder / name
        received = sha256_of(path) if path.is_file() else "no such file"
        if received != expected:
            raise BackboneError(f"Expected {path} with the SHA-256 {expected}. Received: {received}. {again}")


def compiled(keras_file: Path, spec: BackboneSpec, *, cores: int, precision: str = "float32") -> Any:
    """An IR ready to embed single photos on several cores, each photo by one of them.

    No sum is then shared between cores or photos: an embedding has the same bits whatever was embedded before, beside
    or after it, on any number of cores.

    Parameters
    ----------
    keras_file : Path
        The network, with its IR beside it.
    spec : BackboneSpec
    cores : int
        How many photos are to be embedded at a time.
    precision : {"float32", "bfloat16"}
        What is computed in.

    Returns
    -------
    openvino.CompiledModel
        (1, S, S, 1) uint8 to (1, E) float32.

    Raises
    ------
    BackboneError
        If this processor does not compute in that precision.
    """
    model = read_ir(keras_file)
    model.reshape([1, spec.input_size, spec.input_size, 1])
    network = (
        import_openvino()
        .Core()
        .compile_model(
            model,
            "CPU",
            {
                "INFERENCE_PRECISION_HINT": {"float32": "f32", "bfloat16": "bf16"}[precision],
                "INFERENCE_NUM_THREADS": cores,
                "NUM_STREAMS": cores,
            },
        )
    )
    received = network.get_property("INFERENCE_PRECISION_HINT").get_type_name()
    if received != {"float32": "f32", "bfloat16": "bf16"}[precision]:
        raise BackboneError(
            f"Expected a processor that computes in {precision}, as embed.precision says. Received: one on which "
            f"OpenVINO computes in {received}. Set embed.precision to auto or float32."
        )
    return network


def _difference(backbone: Backbone, network: Any) -> float:
    side = backbone.spec.input_size
    photos = _made_up(side)
    expected = np.asarray(backbone.graph.predict_on_batch(photos), np.float32)
    received = np.concatenate([network([photo[np.newaxis]])[0] for photo in photos])
    return float(f"{np.abs(received - expected).max() / np.abs(expected).max():.1g}")


def _made_up(side: int) -> NDArray[np.uint8]:
    """Gray pictures of flat squares of several sizes: (PHOTOS, side, side, 1)."""
    random = np.random.default_rng(0)
    pictures = []
    for count in 2 ** np.arange(2, 2 + PHOTOS):
        squares = random.integers(0, 256, (count, count), np.uint8)
        rows = np.arange(side) * count // side
        pictures.append(squares[rows][:, rows, np.newaxis])
    return np.stack(pictures)
