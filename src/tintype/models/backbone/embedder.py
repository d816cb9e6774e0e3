"""Backbone: gray photos in, embeddings out.

Preprocessing (gray as R = G = B, offset, scale) is part of the compiled graph, so whoever embeds hands
over plain gray bytes. Every call to the graph has the same shape: the last batch is padded, so an
embedding depends on its photo and never on the other photos; on the batch size, the place in the batch and the
machine only in the last places of half precision. (`tintype.models.backbone.ir` embeds without the first two of these.)
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tintype.files.digest import sha256_of
from tintype.models.backbone.spec import NETWORK_FILE, BackboneError, BackboneSpec, read_spec
from tintype.models.keras_backend import compile_for_inference
from tintype.models.keras_file import load_network


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

    Attributes
    ----------
    network : keras.Model or None
    spec : BackboneSpec
    graph
        The network behind its preprocessing.
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

        Returns
        -------
        Backbone

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
        spec : BackboneSpec
        source : Path
            The `.keras` file; its SHA-256 must be `spec.sha256`.

        Returns
        -------
        Backbone

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

    Parameters
    ----------
    network : keras.Model
    spec : BackboneSpec

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
