"""The inputs of a training: rows to learn from and to validate on, a fresh network, pictures of its progress."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tintype.data.tensors.plan import ShardPlan
from tintype.data.tensors.shards import index_path
from tintype.data.validation.manifest import TRAIN, VALIDATION
from tintype.errors import TintypeError
from tintype.files.digest import sha256_of
from tintype.imaging.geometry import resize
from tintype.imaging.grid import draw_grid, write_picture
from tintype.imaging.lab import decode_lab8, gray_to_rgb, lab_to_rgb
from tintype.models.backbone.spec import NETWORK_FILE as BACKBONE_NETWORK
from tintype.models.backbone.spec import BackboneSpec, read_spec
from tintype.models.bundle import NETWORK_FILE, bundle_digest, read_info
from tintype.models.decoding import plain_ab, undecoded
from tintype.models.keras_file import load_network
from tintype.models.network import build_network
from tintype.params import NetworkParams, TrainParams
from tintype.training.calibrate import only_inputs
from tintype.training.checkpoint import Checkpoints
from tintype.training.shard_set import first_rows, open_split
from tintype.training.start import CURE

if TYPE_CHECKING:
    from tintype.training.losses import Distance

GRID_PHOTOS = 6


@dataclass(frozen=True)
class Tensors:
    """Where the inputs of a training lie, and which shards they are."""

    plans: list[ShardPlan]
    manifest: Path
    lab: Path
    embeddings: Path
    backbone: Path
    start: Path | None = None  # the bundle whose weights the network begins with


def checkpoints_of(root: Path, tensors: Tensors, network: NetworkParams, train: TrainParams) -> Checkpoints:
    """The checkpoint that belongs to these tensors and parameters, and to no others."""
    indexes = [
        sha256_of(index_path(folder, plan.name))
        for folder in (tensors.lab, tensors.embeddings)
        for plan in tensors.plans
        if plan.split in (TRAIN, VALIDATION)
    ]
    # A batch is the same for any number of workers: a training may go on with those that are left.
    # How a bundle keeps its weights is no part of how they come about.
    parameters = [network.model_dump(exclude={"half"}), train.model_dump(exclude={"workers"}), indexes]
    if tensors.start is not None:
        parameters.append(bundle_digest(read_info(tensors.start)))
    fingerprint = hashlib.sha256(json.dumps(parameters, sort_keys=True).encode()).hexdigest()[:16]
    return Checkpoints(root / fingerprint)


class TrainingInputs:
    """What `tintype.training.fit` is given.

    Parameters
    ----------
    tensors : Tensors
        The inputs.
    network : NetworkParams
        The network to build.

    Attributes
    ----------
    learn, check : ShardSet
        Rows to learn from, and validation rows.

    Raises
    ------
    ShardError
        If a shard is missing or damaged.
    """

    def __init__(self, tensors: Tensors, network: NetworkParams) -> None:
        self.learn = open_split(tensors.plans, TRAIN, tensors.lab, tensors.embeddings)
        self.check = open_split(tensors.plans, VALIDATION, tensors.lab, tensors.embeddings)
        self._folder, self._network, self._start = tensors.backbone, network, tensors.start

    def build(self) -> Any:
        """A network that has learned nothing here: with fresh weights, or those of the bundle to start from."""
        network = build_network(
            self._network, self.learn.size, self.learn.embedding_size, lambda: self._backbone
        )
        return network if self._start is None else take_weights(network, self._start)

    def perceptual(self) -> Distance:
        """The distance of two colourings as the backbone sees them."""
        from tintype.models.trunk import feature_maps
        from tintype.training.perceptual import feature_distance

        network, spec = self._backbone
        return feature_distance(feature_maps(network, spec, self.learn.size))

    def draw(self, network: Any, destination: Path) -> Path:
        """Draw gray, ours and truth of the first validation photos, at the network's size."""
        lab8, given = self._first
        lab = decode_lab8(lab8)
        output = network(only_inputs(network, given), training=False)
        ab = [resize(planes, *lab.shape[1:3]) for planes in plain_ab(np.asarray(output))]
        cells = [
            [gray_to_rgb(planes[..., 0]), _coloured(planes, chroma), lab_to_rgb(planes)]
            for planes, chroma in zip(lab, ab, strict=True)
        ]
        captions = [f"validation {number}" for number in range(1, len(cells) + 1)]
        write_picture(
            destination, draw_grid(cells, headings=["gray", "ours", "truth"], captions=captions), quality=90
        )
        return destination

    @cached_property
    def _backbone(self) -> tuple[Any, BackboneSpec]:
        return load_network(self._folder / BACKBONE_NETWORK), read_spec(self._folder)

    @cached_property
    def _first(self) -> tuple[NDArray[np.uint8], dict[str, NDArray[np.float32]]]:
        lab8, embeddings = first_rows(self.check, GRID_PHOTOS)
        return lab8, {"l": lab8[..., :1].astype(np.float32), "embedding": embeddings.astype(np.float32)}


def _coloured(lab: NDArray[np.float32], ab: NDArray[np.float32]) -> NDArray[np.uint8]:
    return lab_to_rgb(np.concatenate([lab[..., :1], ab], axis=-1))


def take_weights(network: Any, bundle: Path) -> Any:
    """Give a fresh network the weights of a bundle's, the backbone's inside it among them.

    Parameters
    ----------
    network : keras.Model
        As `tintype.models.network.build_network` makes it; its input may be of another size than the bundle's.

    Returns
    -------
    keras.Model
        The same network.

    Raises
    ------
    TintypeError
        If it is not of the same layers as the bundle's.
    """
    given = {weight.path: weight for weight in undecoded(load_network(bundle / NETWORK_FILE)).weights}
    wanted = {weight.path: weight for weight in network.weights}
    apart = sorted(
        path
        for path in given.keys() | wanted.keys()
        if path not in given or path not in wanted or given[path].shape != wanted[path].shape
    )
    if apart:
        raise TintypeError(
            f"Expected a network of the same layers as that of {bundle}, whose weights train.start begins with. "
            f"Received: one that differs in {len(apart)} of {len(given)} arrays, such as {apart[0]}. {CURE}"
        )
    for path, weight in wanted.items():
        weight.assign(given[path])
    return network
