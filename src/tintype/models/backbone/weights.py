"""The folder models/backbone: a network with its weights, what must be known to use it, and its IR.

`weights.origin` says where the weights come from; each origin fills a network that the project's own code has built.
"""

from __future__ import annotations

import tempfile
import warnings
import zipfile
from importlib.metadata import version
from importlib.resources import as_file, files
from pathlib import Path, PurePosixPath
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tintype.errors import TintypeError
from tintype.files.atomic import new_file, new_folder, write_json
from tintype.files.digest import sha256_of
from tintype.models.backbone.catalogue import CATALOGUE, check_combination
from tintype.models.backbone.embedder import Backbone
from tintype.models.backbone.spec import (
    CONSTANTS_FILE,
    DESCRIPTION_FILE,
    IR_FILE,
    NETWORK_FILE,
    SPEC_FILE,
    BackboneError,
    BackboneSpec,
    IrDescription,
    Origin,
    problems_of,
)
from tintype.models.keras_backend import prepare_keras
from tintype.models.keras_file import first_sentence, load_network, save_network
from tintype.models.openvino import OpenVinoNetwork, made_up_photos, openvino_is_installed, write_ir
from tintype.params import WeightsParams

DOWNLOADS = ".download"  # beside the backbone's folder: a cut download outlives the folder's replacement
MOST_DIFFERENCE = 1e-3  # of the largest score, between IR and Keras; half precision's steps are as large


class Preprocessing(BaseModel):
    """The description that a person's own network needs, in the `.json` beside its `.keras` file."""

    model_config = ConfigDict(
        frozen=True, strict=True
    )  # a backbone.json, which has more keys, serves as well

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
        Checked first, before anything heavy is imported.
    folder : Path
        Replaced as a whole, and only once everything is ready.

    Raises
    ------
    BackboneError, NetworkFileError
        If the parameters contradict each other, or the weights cannot be had or do not fit.
    """
    check_combination(params)
    if params.backbone in CATALOGUE:
        _make_from_catalogue(params, folder)
    else:
        _make_own(Path(params.backbone), folder)


def _make_from_catalogue(params: WeightsParams, folder: Path) -> None:
    entry = CATALOGUE[params.backbone]
    network, detail = network_of(params, folder.parent / DOWNLOADS)
    licence = {"random": "none: random weights", "file": "that of the file"}.get(params.origin, entry.licence)
    description = {
        "name": params.backbone,
        "input_size": entry.input_size,
        "offset": entry.offset,
        "scale": entry.scale,
        "origin": params.origin,
        "origin_detail": detail,
        "licence": licence,
    }
    _write(network, description, folder)


def _make_own(source: Path, folder: Path) -> None:
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
    with new_folder(folder, durable=True) as part:
        save_network(network, part / NETWORK_FILE)
        spec = BackboneSpec(
            **description,
            embedding_size=int(network.output_shape[-1]),
            sha256=sha256_of(part / NETWORK_FILE),
        )
        write_json(part / SPEC_FILE, spec.model_dump())


def network_of(params: WeightsParams, downloads: Path) -> tuple[Any, str]:
    """Build one of the project's backbones and fill it as `weights.origin` says.

    Parameters
    ----------
    params : WeightsParams
        Checked by `check_combination`; `backbone` is the name of a known one.
    downloads : Path
        Folder for downloads; what is in it already is not fetched again.

    Returns
    -------
    network : keras.Model
    detail : str
        Where exactly the weights came from: a URL, a file's name or a seed.

    Raises
    ------
    BackboneError
        If the weights cannot be had or do not fit the network.
    """
    match params.origin:
        case "embedded":
            return with_embedded(params.backbone), f"{params.backbone}.npz, part of tintype"
        case "random":
            return with_random(params.backbone, params.seed), f"seed {params.seed}"
        case "imagenet":
            file = _downloaded(params.url, params.checksum, downloads)
            return with_file(params.backbone, file), params.url
        case "file":
            file = Path(str(params.file))
            return with_file(params.backbone, file), file.name


def with_embedded(backbone: str) -> Any:
    """A known backbone with the weights that ship with the project (kernels in half precision)."""
    network = CATALOGUE[backbone].build()
    with as_file(files("tintype.models") / "embedded" / f"{backbone}.npz") as path, np.load(path) as arrays:
        for variable in network.weights:
            variable.assign(arrays[variable.path].astype(np.float32))
    return network


def with_random(backbone: str, seed: int) -> Any:
    """A known backbone with fresh weights that depend on the seed alone.

    Its normalization layers are fitted to a few random pictures. Without that, the signal fades from layer
    to layer until every photo has the same embedding.
    """
    prepare_keras()
    import keras

    keras.utils.set_random_seed(seed)
    network = CATALOGUE[backbone].build()
    _fit_normalization(network, _random_pictures(CATALOGUE[backbone].input_size, seed))
    return network


def _random_pictures(size: int, seed: int) -> NDArray[np.float32]:
    """Gray pictures of flat squares: (2, size, size, 3) float32 in [-1, 1]."""
    squares = np.random.default_rng(seed).uniform(-1, 1, (2, 10, 10, 1)).astype(np.float32)
    side = -(-size // 10)  # rounded up
    return np.kron(squares, np.ones((1, side, side, 3), np.float32))[:, :size, :size]


def _fit_normalization(network: Any, pictures: NDArray[np.float32]) -> None:
    """Make the pictures' statistics those of the network's normalization layers."""
    import keras

    layers = [layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)]
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.momentum = 0.0  # the moving statistics become the batch's own
    network(pictures, training=True)
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum


def with_file(backbone: str, file: Path) -> Any:
    """A known backbone with the weights in a file.

    Parameters
    ----------
    backbone : str
        A key of `CATALOGUE`.
    file : Path
        `.keras` (only its weights are used), `.weights.h5`, or the `.h5` in which Keras publishes the
        weights of its applications.

    Raises
    ------
    BackboneError
        If the file is missing, damaged, or holds another network's weights.
    """
    if not file.is_file():
        raise BackboneError(f"Expected weights of {backbone} in {file}, but there is no such file.")
    if not file.name.endswith((".keras", ".h5")):
        raise BackboneError(
            f"Expected weights of {backbone} in a file ending in .keras, .weights.h5 or .h5. Received: {file}."
        )
    network = CATALOGUE[backbone].build()
    for variable in network.weights:
        variable.assign(np.full(variable.shape, np.nan, np.float32))
    try:
        # Keras warns of each layer that it passes over; see below.
        with warnings.catch_warnings(action="ignore"):
            network.load_weights(file)
    except (
        AttributeError,
        KeyError,
        OSError,
        RuntimeError,
        TypeError,
        ValueError,
        zipfile.BadZipFile,
    ) as error:
        raise BackboneError(f"{file} does not hold weights of {backbone}: {first_sentence(error)}") from error
    missing = [variable.path for variable in network.weights if not np.isfinite(variable.numpy()).all()]
    if missing:
        raise BackboneError(
            f"{file} does not hold weights of {backbone}: {len(missing)} of its {len(network.weights)} arrays are "
            f"missing or not finite, {missing[0]} among them."
        )
    return network


def _downloaded(url: str, checksum: str, downloads: Path) -> Path:
    """The file at `url`, on this machine; a download that was cut goes on where it was."""
    from tintype.files.download import download

    name = PurePosixPath(unquote(urlsplit(url).path)).name
    if not name.endswith((".keras", ".h5")):
        raise BackboneError(
            f"weights.url is {url}. Expected the address of a file ending in .keras, .weights.h5 or .h5."
        )
    destination = downloads / name
    try:
        download(url, destination, checksum=checksum)
    except TintypeError as error:
        raise BackboneError(
            f"The backbone's weights could not be fetched. {error} Without a network, set weights.origin to file and "
            "weights.file to a copy of the file; for a try with efficientnet_lite0, set weights.backbone to it and "
            "weights.origin to embedded."
        ) from error
    return destination


def add_ir(folder: Path) -> str:
    """Write the IR of a backbone, where OpenVINO is installed.

    Parameters
    ----------
    folder : Path
        As made by `make_backbone`.

    Returns
    -------
    str
        A sentence on the result.

    Raises
    ------
    BackboneError, IrError
        If the IR's embeddings are not those of the Keras network, or OpenVINO cannot express it.
    """
    if not openvino_is_installed():
        return "no IR for OpenVINO, for want of the package openvino; `embed` will use Keras, which is slower on a CPU."
    difference = write_backbone_ir(folder)
    return f"with an IR for OpenVINO, at most {difference:g} of the largest score from Keras."


def write_backbone_ir(folder: Path) -> float:
    """Write the IR of a backbone into its folder: backbone.xml, backbone.bin, openvino.json.

    Parameters
    ----------
    folder : Path
        As made by `make_backbone`.

    Returns
    -------
    float
        The largest difference from Keras, as a share of the largest score. It is of this machine, so no file has it.

    Raises
    ------
    BackboneError, IrError
        If the IR's embeddings are not those of the Keras network, or OpenVINO cannot express it.
    """
    backbone = Backbone.load(folder)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".", suffix=".part") as scratch:
        part = Path(scratch) / NETWORK_FILE
        part.symlink_to((folder / NETWORK_FILE).resolve())
        write_ir({part: backbone.spec}, {part: backbone.graph})
        difference = _difference(backbone, OpenVinoNetwork.load(part))
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
    )
    write_json(folder / DESCRIPTION_FILE, description.model_dump())
    return difference


def _difference(backbone: Backbone, by_openvino: OpenVinoNetwork) -> float:
    """The largest one of an IR's embeddings from Keras', as a share of the largest score."""
    photos = made_up_photos(backbone.spec.input_size)
    expected = np.asarray(backbone.graph.predict_on_batch(photos), np.float32)
    received = np.asarray(by_openvino.predict_on_batch(photos), np.float32)
    return float(f"{np.abs(received - expected).max() / np.abs(expected).max():.1g}")
