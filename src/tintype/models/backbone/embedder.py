"""Gray photos in, embeddings out: the backbone at work, and the choice of what computes it on this machine.

Preprocessing (gray as R = G = B, offset, scale) is part of the compiled graph, so callers hand over plain gray bytes.
On Keras every call to the graph has the same shape: the last batch is padded, so an embedding depends on its photo and
never on the other photos, and on the batch size, the place in the batch and the machine only in the last places of half
precision. On OpenVINO each photo is computed by itself and by one core, so batch size and place do not matter either.

On a CPU, OpenVINO embeds more photos a second than TensorFlow (docs/performance/features.md has the figures). Whether
bfloat16 makes it faster still depends on the processor, and not on what that says it can: of two with AVX512-BF16,
AMD's was twice as fast as in float32, Intel's slower.
"""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from tintype.files.digest import sha256_of
from tintype.models.backbone.spec import (
    DESCRIPTION_FILE,
    IR_FILE,
    NETWORK_FILE,
    BackboneError,
    BackboneSpec,
    IrDescription,
    problems_of,
    read_spec,
)
from tintype.models.keras_backend import compile_for_inference
from tintype.models.keras_file import load_network
from tintype.models.openvino import HINTS, OpenVinoNetwork, Precision, openvino_is_installed


class Backbone:
    """A backbone that is ready to embed.

    Parameters
    ----------
    network : keras.Model or None
        (B, S, S, 3) float32, preprocessed, to (B, E); None if `graph` is given.
    spec : BackboneSpec
        Describes `network`.
    graph : optional
        The network behind its preprocessing, if it is at hand, with Keras' `predict_on_batch`.

    """

    def __init__(self, network: Any, spec: BackboneSpec, graph: Any = None) -> None:
        self.network = network
        self.spec = spec
        self.graph = with_preprocessing(network, spec) if graph is None else graph

    @classmethod
    def load(cls, folder: Path) -> Backbone:
        """Load a backbone from a folder with backbone.keras and backbone.json.

        Parameters
        ----------
        folder : Path
            As made by the stage `weights`, or a bundle's own copy.

        Raises
        ------
        BackboneError, NetworkFileError
            If a file is missing, damaged, or not the one that backbone.json describes.
        """
        return cls.load_as(read_spec(folder), folder / NETWORK_FILE)

    @classmethod
    def load_as(cls, spec: BackboneSpec, source: Path) -> Backbone:
        """Load a backbone whose description is already at hand (in a bundle, it is part of bundle.json).

        Parameters
        ----------
        source : Path
            The `.keras` file; its SHA-256 must be `spec.sha256`.

        Raises
        ------
        BackboneError, NetworkFileError
            As `load`.
        """
        if source.is_file() and (digest := sha256_of(source)) != spec.sha256:
            raise BackboneError(
                f"Expected {source} with the SHA-256 {spec.sha256}. Received: {digest}. "
                "The file was damaged or exchanged. Run `dvc repro --force weights` to make it anew."
            )
        return cls(load_network(source), spec)

    def embed(self, gray8: NDArray[np.uint8], batch_size: int) -> NDArray[np.float16]:
        """Embed gray photos.

        Parameters
        ----------
        gray8 : ndarray of shape (n, S, S, 1), uint8
            Gray photos at the backbone's input size S. n may be 0.
        batch_size : int
            Photos in one call to the network. The last bits of an embedding depend on it.

        Returns
        -------
        ndarray of shape (n, E), float16
            For a classifier, the class scores before the softmax.

        Raises
        ------
        BackboneError
            If an embedding is not finite in half precision.
        """
        side = self.spec.input_size
        if gray8.dtype != np.uint8 or gray8.shape[1:] != (side, side, 1):
            raise ValueError(
                f"Expected uint8 gray photos of shape (n, {side}, {side}, 1). Received: {gray8.dtype} {gray8.shape}"
            )
        embeddings = np.empty((len(gray8), self.spec.embedding_size), np.float16)
        for start in range(0, len(gray8), batch_size):
            photos = gray8[start : start + batch_size]
            with np.errstate(over="ignore"):  # found below
                embeddings[start : start + batch_size] = self._embed_batch(photos, batch_size)[: len(photos)]
        if not np.isfinite(embeddings).all():
            raise BackboneError(
                f"The backbone {self.spec.name} gives embeddings that are not finite numbers of at most 65504. "
                "Check that its weights, and the offset and scale in its backbone.json, belong together."
            )
        return embeddings

    def _embed_batch(self, photos: NDArray[np.uint8], batch_size: int) -> NDArray[np.float32]:
        missing = batch_size - len(photos)
        if missing:
            photos = np.concatenate([photos, np.zeros((missing, *photos.shape[1:]), np.uint8)])
        embeddings: NDArray[np.float32] = self.graph.predict_on_batch(photos)
        return embeddings


def with_preprocessing(network: Any, spec: BackboneSpec) -> Any:
    """A backbone behind its preprocessing.

    Returns
    -------
    keras.Model
        (B, S, S, 1) uint8 gray levels to (B, E) float32, compiled.
    """
    import keras
    from keras import ops

    gray8 = keras.Input((spec.input_size, spec.input_size, 1), dtype="uint8", name="gray8")
    gray = (ops.cast(gray8, "float32") - spec.offset) / spec.scale
    embedding = ops.cast(network(ops.concatenate([gray, gray, gray], axis=-1)), "float32")
    graph = keras.Model(gray8, embedding, name=f"{spec.name}_on_gray")
    compile_for_inference(graph)
    return graph


@dataclass(frozen=True)
class Embedder:
    """A backbone, and how to keep this machine busy with it.

    Attributes
    ----------
    precision : {"float32", "bfloat16"}
        What it computes in. Embeddings of two precisions are never mixed.
    batch_size : int
        Photos in one call of its network.
    at_once : int
        Calls of `embed`, each from a thread of its own, that keep the machine busy.
    sentence : str
        What was chosen, for people; a fallback is named with its reason.
    """

    backbone: Backbone
    precision: Precision
    batch_size: int
    at_once: int
    sentence: str

    def embed(self, gray8: NDArray[np.uint8]) -> NDArray[np.float16]:
        """Embed gray photos, as `Backbone.embed`."""
        return self.backbone.embed(gray8, self.batch_size)


def load_embedder(
    folder: Path,
    precision: Literal["auto", "float32", "bfloat16"],
    batch_size: int,
    cores: int | None = None,
) -> Embedder:
    """Load a backbone on what embeds fastest here.

    Parameters
    ----------
    folder : Path
        As made by the stage `weights`.
    precision : {"auto", "float32", "bfloat16"}
        `auto`: what was measured to be faster on such a processor.
    batch_size : int
        Photos in one call, where the network is Keras'. OpenVINO takes them one by one.
    cores : int, optional
        How many cores to use; all if not given.

    Raises
    ------
    BackboneError, IrError
        If the folder holds no whole backbone, or the precision cannot be had.
    """
    reason = _why_keras(folder)
    if reason is not None:
        return _on_keras(folder, precision, batch_size, reason)
    spec = read_spec(folder)
    _check_ir(folder, spec)
    chosen: Precision = _faster() if precision == "auto" else precision
    cores = cores or os.cpu_count() or 1
    graph = OpenVinoNetwork.load(folder / NETWORK_FILE, streams=cores, precision=chosen)
    if graph.precision != HINTS[chosen]:
        raise BackboneError(
            f"Expected a processor that computes in {chosen}, as embed.precision says. Received: one on which OpenVINO "
            f"computes in {graph.precision}. Set embed.precision to auto or float32."
        )
    return Embedder(Backbone(None, spec, graph), chosen, 1, cores, f"on OpenVINO in {chosen}")


def choice_for(
    folder: Path, precision: Literal["auto", "float32", "bfloat16"]
) -> tuple[Precision, str | None]:
    """What `load_embedder` would choose here, without loading it: so that many machines choose alike.

    Returns
    -------
    precision : {"float32", "bfloat16"}
    reason : str or None
        Why Keras and not OpenVINO; None if it is OpenVINO.
    """
    reason = _why_keras(folder)
    if precision != "auto":
        return precision, reason
    return ("float32" if reason is not None else _faster()), reason


def _why_keras(folder: Path) -> str | None:
    """Why OpenVINO does not embed; None if it does."""
    wanted = os.environ.get("KERAS_BACKEND", "openvino")
    if wanted != "openvino":
        return f"because KERAS_BACKEND is {wanted}"
    if Path("/dev/nvidia0").exists() and importlib.util.find_spec("tensorflow") is not None:
        return "because there is a GPU"
    if not openvino_is_installed():
        return "for want of the package openvino, which is faster on a CPU"
    if not (folder / IR_FILE).is_file():
        return (
            f"for want of {folder / IR_FILE}, which is faster on a CPU: `dvc repro --force weights` makes it"
        )
    return None


def _on_keras(folder: Path, precision: str, batch_size: int, reason: str) -> Embedder:
    if precision == "bfloat16":
        raise BackboneError(
            f"embed.precision is bfloat16, but Keras embeds in float32, {reason}. "
            "Set embed.precision to auto or float32."
        )
    backbone = Backbone.load(folder)
    import keras

    sentence = f"on Keras with {keras.backend.backend()} in float32, {reason}"
    return Embedder(backbone, "float32", batch_size, 1, sentence)


def _faster() -> Precision:
    """The precision in which OpenVINO embeds faster on this processor."""
    cpuinfo = Path("/proc/cpuinfo")
    words = set(cpuinfo.read_text().split()) if cpuinfo.is_file() else set[str]()
    amd = {"AuthenticAMD", "avx512_bf16"} <= words
    return "bfloat16" if amd or "amx_bf16" in words else "float32"


def _check_ir(folder: Path, spec: BackboneSpec) -> None:
    """Make sure that a folder's IR is whole and was made of the network beside it."""
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
