"""Where weights come from: each origin fills a network that the project's own code has built."""

from __future__ import annotations

import warnings
import zipfile
from importlib.resources import as_file, files
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
from numpy.typing import NDArray

from tintype.errors import TintypeError
from tintype.models.backbone.known import KNOWN
from tintype.models.backbone.spec import BackboneError
from tintype.models.keras_backend import prepare_keras
from tintype.models.keras_file import first_sentence
from tintype.params import WeightsParams


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
    network = KNOWN[backbone].build()
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
    network = KNOWN[backbone].build()
    _fit_normalization(network, _random_pictures(KNOWN[backbone].input_size, seed))
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
        A key of `KNOWN`.
    file : Path
        `.keras` (only its weights are used), `.weights.h5`, or the `.h5` in which Keras publishes the
        weights of its applications.

    Returns
    -------
    keras.Model

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
    network = KNOWN[backbone].build()
    for variable in network.weights:
        variable.assign(np.full(variable.shape, np.nan, np.float32))
    try:
        with warnings.catch_warnings(
            action="ignore"
        ):  # Keras warns of each layer that it passes over; see below
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
