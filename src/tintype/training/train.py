"""From shards to a bundle: what the stage `train` does, MLflow apart."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tintype.data.tensors.plan import TRAIN, VALIDATION, ShardPlan
from tintype.data.tensors.shards import index_path
from tintype.files.atomic import new_file
from tintype.files.digest import sha256_of
from tintype.imaging.geometry import resize
from tintype.imaging.grid import draw_grid
from tintype.imaging.lab import decode_lab8, gray_to_rgb, lab_to_rgb
from tintype.imaging.photo import write_photo
from tintype.models.backbone.spec import NETWORK_FILE as BACKBONE_NETWORK
from tintype.models.backbone.spec import BackboneSpec, read_spec
from tintype.models.bundle import BundleInfo, DataInfo, NetworkInfo, save_bundle
from tintype.models.decoding import decoded, plain_ab
from tintype.models.keras_file import load_network
from tintype.models.network import AB_LIMIT, build_network, needs_embedding, needs_of
from tintype.params import AdversarialParams, DecodeParams, NetworkParams, TrainParams
from tintype.training.batches import ShardSet, first_rows, mean_ab, open_split
from tintype.training.calibrate import Measures, fit_decoding, only_inputs
from tintype.training.checkpoint import Checkpoints
from tintype.training.fit import Fitted, fit, loss_on
from tintype.training.observer import Observer
from tintype.training.trained import trained_info

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
    decode: DecodeParams,
    *,
    adversarial: AdversarialParams | None = None,
    measures: Measures,
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
    network, train, decode : NetworkParams, TrainParams, DecodeParams
        The stage's parameters.
    adversarial : AdversarialParams, optional
        For a critic's lessons after the fit.
    measures : Measures
        How colours are judged where their decoding is fitted.
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
    backbone = cache(lambda: (load_network(tensors.backbone / BACKBONE_NETWORK), read_spec(tensors.backbone)))

    def build() -> Any:
        return build_network(network, learn.size, learn.embedding_size, backbone)

    def perceptual() -> Distance:
        return _perceptual(backbone, learn.size)

    fitted = fit(
        build,
        train,
        learn,
        check,
        checkpoints=checkpoints,
        observer=observer,
        perceptual=perceptual,
        draw=_drawer(check),
        grids=grids,
    )
    write_history(report / "history.csv", fitted.history)
    if adversarial is not None and adversarial.steps > 0:
        from tintype.training.adversarial.stage import refine

        loss = loss_on(learn, train, perceptual)
        refine(fitted.network, build, adversarial, train, decode, learn, check, loss, measures, observer)
    decoding = fit_decoding(fitted.network, check, decode, measures)
    info = _describe(fitted, tensors, learn, network, train, preset).model_copy(update={"decoding": decoding})
    return save_bundle(
        bundle,
        decoded(fitted.network, decoding.temperature),
        tensors.backbone / BACKBONE_NETWORK if needs_embedding(info.network.needs) else None,
        info,
        half=network.half,
    )


def _perceptual(backbone: Callable[[], tuple[Any, BackboneSpec]], size: int) -> Distance:
    from tintype.models.trunk import feature_maps
    from tintype.training.perceptual import feature_distance

    network, spec = backbone()
    return feature_distance(feature_maps(network, spec, size))


def write_history(destination: Path, history: list[dict[str, float]]) -> None:
    """The epochs' figures as CSV, one row an epoch."""
    with new_file(destination) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(history[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(history)


def _describe(
    fitted: Fitted, tensors: Tensors, learn: ShardSet, network: NetworkParams, train: TrainParams, preset: str
) -> BundleInfo:
    return BundleInfo(
        size=learn.size,
        ab_limit=AB_LIMIT,
        network=NetworkInfo(name=network.name, width=network.width, needs=needs_of(network)),
        backbone=read_spec(tensors.backbone),
        preset=preset,
        trained=trained_info(fitted, tensors.plans, learn, train),
        data=DataInfo(manifest_sha256=sha256_of(tensors.manifest), mean_ab=mean_ab(learn)),
    )


def _drawer(validation: ShardSet) -> Callable[[Any, Path], Path]:
    """Draws gray, ours and truth of the first validation photos, at the network's size."""
    lab8, embeddings = first_rows(validation, GRID_PHOTOS)
    lab = decode_lab8(lab8)
    given = {"l": lab8[..., :1].astype(np.float32), "embedding": embeddings.astype(np.float32)}

    def draw(network: Any, destination: Path) -> Path:
        output = network(only_inputs(network, given), training=False)
        ab = [resize(planes, *lab.shape[1:3]) for planes in plain_ab(np.asarray(output))]
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
