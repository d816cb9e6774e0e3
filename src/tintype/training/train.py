"""From shards to a bundle: what the stage `train` does, MLflow apart."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tintype.data.tensors.plan import TRAIN, VALIDATION, ShardPlan
from tintype.data.tensors.shards import index_path
from tintype.files.atomic import new_file
from tintype.files.digest import sha256_of
from tintype.imaging.grid import draw_grid
from tintype.imaging.lab import decode_lab8, gray_to_rgb, lab_to_rgb
from tintype.imaging.photo import write_photo
from tintype.models.backbone.spec import NETWORK_FILE as BACKBONE_NETWORK
from tintype.models.backbone.spec import read_spec
from tintype.models.bundle import BundleInfo, DataInfo, NetworkInfo, TrainedInfo, save_bundle
from tintype.models.network import AB_LIMIT, NEEDS, build_network, decode_ab
from tintype.params import NetworkParams, TrainParams
from tintype.training.batches import ShardSet, first_rows, mean_ab, open_split
from tintype.training.checkpoint import Checkpoints
from tintype.training.fit import Fitted, fit
from tintype.training.observer import Observer

GRID_PHOTOS = 6


@dataclass(frozen=True)
class Tensors:
    """Where the inputs of a training lie, and which shards they are."""

    plans: list[ShardPlan]
    manifest: Path
    lab: Path
    embeddings: Path
    backbone: Path


def checkpoints_of(root: Path, tensors: Tensors, network: NetworkParams, train: TrainParams) -> Checkpoints:
    """The checkpoint that belongs to these tensors and parameters, and to no others."""
    indexes = [
        sha256_of(index_path(folder, plan.name))
        for folder in (tensors.lab, tensors.embeddings)
        for plan in tensors.plans
        if plan.split in (TRAIN, VALIDATION)
    ]
    parameters = [network.model_dump(), train.model_dump(), indexes]
    fingerprint = hashlib.sha256(json.dumps(parameters, sort_keys=True).encode()).hexdigest()[:16]
    return Checkpoints(root / fingerprint)


def train_network(
    tensors: Tensors,
    network: NetworkParams,
    train: TrainParams,
    *,
    preset: str,
    checkpoints: Checkpoints,
    observer: Observer,
    bundle: Path,
    report: Path,
) -> BundleInfo:
    """Fit the network and write its bundle, its history and its grids.

    Parameters
    ----------
    tensors : Tensors
        The inputs.
    network, train : NetworkParams, TrainParams
        The stage's parameters.
    preset : str
        For the record.
    checkpoints : Checkpoints
        From `checkpoints_of`.
    observer : Observer
        Told of every epoch.
    bundle : Path
        Folder to write the bundle to.
    report : Path
        Folder for history.csv and grids/.

    Returns
    -------
    BundleInfo
        What was written.

    Raises
    ------
    TintypeError
        If a shard is damaged or the loss is no longer a number.
    """
    learn = open_split(tensors.plans, TRAIN, tensors.lab, tensors.embeddings)
    check = open_split(tensors.plans, VALIDATION, tensors.lab, tensors.embeddings)
    grids = report / "grids"
    fitted = fit(
        lambda: build_network(network, learn.size, learn.embedding_size),
        train,
        learn,
        check,
        checkpoints=checkpoints,
        observer=observer,
        draw=_drawer(check),
        grids=grids,
    )
    write_history(report / "history.csv", fitted.history)
    info = _describe(fitted, tensors, learn, network, train, preset)
    return save_bundle(bundle, fitted.network, tensors.backbone / BACKBONE_NETWORK, info)


def write_history(destination: Path, history: list[dict[str, float]]) -> None:
    """The epochs' figures as CSV, one row an epoch."""
    with new_file(destination) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(history[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(history)


def _describe(
    fitted: Fitted, tensors: Tensors, learn: ShardSet, network: NetworkParams, train: TrainParams, preset: str
) -> BundleInfo:
    best = fitted.history[fitted.best_epoch - 1]
    return BundleInfo(
        size=learn.size,
        ab_limit=AB_LIMIT,
        network=NetworkInfo(name=network.name, width=network.width, needs=NEEDS[network.name]),
        backbone=read_spec(tensors.backbone),
        preset=preset,
        trained=TrainedInfo(
            photos=sum(len(plan.photos) for plan in tensors.plans if plan.split == TRAIN),
            crops=learn.rows,
            epochs=len(fitted.history),
            best_epoch=fitted.best_epoch,
            loss=train.loss,
            train_loss=best["loss"],
            val_loss=best["val_loss"],
            optimizer=train.optimizer,
            seed=train.seed,
        ),
        data=DataInfo(manifest_sha256=sha256_of(tensors.manifest), mean_ab=mean_ab(learn)),
    )


def _drawer(validation: ShardSet) -> Callable[[Any, Path], Path]:
    """Draws gray, ours and truth of the first validation photos, at the network's size."""
    lab8, embeddings = first_rows(validation, GRID_PHOTOS)
    lab = decode_lab8(lab8)
    inputs = {"l": lab8[..., :1].astype(np.float32), "embedding": embeddings.astype(np.float32)}

    def draw(network: Any, destination: Path) -> Path:
        ab = decode_ab(network.predict_on_batch(inputs))
        cells = [
            [gray_to_rgb(planes[..., 0]), _coloured(planes, chroma), lab_to_rgb(planes)]
            for planes, chroma in zip(lab, ab, strict=True)
        ]
        captions = [f"validation {number}" for number in range(1, len(cells) + 1)]
        write_photo(
            destination, draw_grid(cells, headings=["gray", "ours", "truth"], captions=captions), quality=90
        )
        return destination

    return draw


def _coloured(lab: NDArray[np.float32], ab: NDArray[np.float32]) -> NDArray[np.uint8]:
    return lab_to_rgb(np.concatenate([lab[..., :1], ab], axis=-1))
