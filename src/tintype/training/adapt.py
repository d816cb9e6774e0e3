"""A trained bundle's network, fitted further on other photos.

The network starts with the bundle's weights. The backbone inside it is frozen and the learning rate is low, so that the
network keeps what it has learned from many photos. Temperature, gain and confidence are fitted again, at the
colourfulness that the bundle had before, so that both bundles can be compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tintype.data.tensors.plan import ShardPlan
from tintype.data.tensors.shards import write_shard
from tintype.data.validation.manifest import TRAIN, VALIDATION
from tintype.files.digest import sha256_of
from tintype.models.bundle import (
    BACKBONE_FILE,
    NETWORK_FILE,
    BundleInfo,
    DataInfo,
    bundle_digest,
    read_info,
    save_bundle,
)
from tintype.models.decoding import CLASSES, decoded, undecoded
from tintype.models.keras_file import load_network
from tintype.models.network import needs_embedding
from tintype.params import DecodeParams, LossParams, TrainParams
from tintype.params.blocks import ClassesParams, HuberParams, MseParams
from tintype.training.calibrate import fit_decoding, ratio_shown
from tintype.training.checkpoint import Checkpoints
from tintype.training.fit import fit, trained_info
from tintype.training.shard_set import mean_ab, open_split


class Quiet:
    """An observer that does nothing."""

    def epoch(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Nothing."""

    def picture(self, name: str, epoch: int, path: Path) -> None:
        """Nothing."""


@dataclass(frozen=True)
class AdaptTensors:
    """Where a training's inputs lie, and which shards they are."""

    plans: list[ShardPlan]
    manifest: Path
    lab: Path
    embeddings: Path


def adapt_bundle(
    bundle: Path, tensors: AdaptTensors, epochs: int, scratch: Path, destination: Path
) -> BundleInfo:
    """Fit a bundle's network to other photos and write the result as a bundle.

    Parameters
    ----------
    bundle : Path
        To begin with.
    tensors : AdaptTensors
        At the size that the bundle's network takes.
    epochs : int
        At most; the one with the lowest loss on validation photos is kept.
    scratch : Path
        A folder for what is not needed afterwards.
    destination : Path
        The new bundle's folder.

    Returns
    -------
    BundleInfo
        What was written.

    Raises
    ------
    TintypeError
        If a file is damaged or the loss is no longer a number.
    """
    info = read_info(bundle)
    learn = open_split(tensors.plans, TRAIN, tensors.lab, tensors.embeddings)
    check = open_split(tensors.plans, VALIDATION, tensors.lab, tensors.embeddings)

    def start() -> Any:
        return undecoded(load_network(bundle / NETWORK_FILE))

    network = start()
    decode = DecodeParams(
        temperature=None,
        colourfulness=ratio_shown(network, info.decoding, check),
        smoothing=info.decoding.smoothing,
        contrast=info.decoding.contrast,
    )
    params = train_params(info, epochs, has_classes=_has_classes(network))
    fitted = fit(
        start,
        params,
        learn,
        check,
        checkpoints=Checkpoints(scratch / "checkpoint"),
        observer=Quiet(),
        grids=scratch / "grids",
    )
    decoding = fit_decoding(fitted.network, check, decode)
    changed = {
        "preset": f"adapted from {bundle_digest(info)[:12]}",
        "decoding": decoding,
        "trained": trained_info(fitted, tensors.plans, learn, params, bundle_digest(info)),
        "data": DataInfo(manifest_sha256=sha256_of(tensors.manifest), mean_ab=mean_ab(learn)),
        "files": {},
    }
    return save_bundle(
        destination,
        decoded(fitted.network, decoding.temperature),
        bundle / BACKBONE_FILE if needs_embedding(info.network.needs) else None,
        info.model_copy(update=changed),
        half=True,
    )


def train_params(info: BundleInfo, epochs: int, *, has_classes: bool) -> TrainParams:
    """How a bundle is fitted further."""
    loss: LossParams
    if has_classes:
        loss = ClassesParams(name="classes", rebalance=0.0)
    elif info.trained.loss == "mse":
        loss = MseParams(name="mse")
    else:
        loss = HuberParams(name="huber", delta=0.1)
    return TrainParams(
        strategy="single",
        workers=1,
        start=None,  # `fit` is given the bundle's network
        epochs=epochs,
        batch_size=16,
        loss=loss,
        perceptual=0.0,
        # Embeddings are of clean photos.
        scans=0.0 if needs_embedding(info.network.needs) else 0.3,
        optimizer="adamw",
        learning_rate=2e-4,  # a tenth of what the starter was trained with
        schedule="cosine",
        warmup_share=0.1,
        weight_decay=1e-4,
        mixed_precision=False,
        flip=True,
        ema_momentum=0.9,  # of few steps
        patience=None,
        grid_every=epochs,
        seed=20170428,
    )


def write_no_embeddings(plans: Sequence[ShardPlan], folder: Path) -> None:
    """Shards of a single 0 for each row, for networks that need no embedding."""
    for plan in plans:
        rows = (np.zeros((plan.crops, 1), np.float16) for _ in plan.photos)
        write_shard(folder, plan, {}, rows, row_shape=(1,), dtype=np.float16)


def _has_classes(network: Any) -> bool:
    return any(layer.name == CLASSES for layer in network.layers)
