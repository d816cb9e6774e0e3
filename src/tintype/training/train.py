"""From shards to a bundle: the stage `train` without MLflow."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, assert_never

from tintype.data.validation.manifest import VALIDATION
from tintype.files.atomic import new_file
from tintype.files.digest import sha256_of
from tintype.models.backbone.spec import NETWORK_FILE as BACKBONE_NETWORK
from tintype.models.backbone.spec import read_spec
from tintype.models.bundle import (
    BundleInfo,
    DataInfo,
    Decoding,
    NetworkInfo,
    bundle_digest,
    read_info,
    save_bundle,
)
from tintype.models.decoding import decoded
from tintype.models.network import AB_LIMIT, needs_embedding
from tintype.params import AdversarialParams, DecodeParams, NetworkParams, TrainParams
from tintype.training.calibrate import as_before, fit_decoding
from tintype.training.checkpoint import Checkpoints
from tintype.training.fit import Fitted, fit, loss_on, trained_info
from tintype.training.inputs import Tensors, TrainingInputs
from tintype.training.observer import Observer
from tintype.training.parallel.job import Job
from tintype.training.parallel.launch import fit_on_workers
from tintype.training.shard_set import ShardSet, mean_ab

FEW = 30  # validation photos; fewer cannot tell how strong colours should be, or how far to trust them


def train_network(
    tensors: Tensors,
    network: NetworkParams,
    train: TrainParams,
    decode: DecodeParams,
    *,
    adversarial: AdversarialParams | None = None,
    preset: str,
    checkpoints: Checkpoints,
    observer: Observer,
    bundle: Path,
    report: Path,
    cluster: str | None = None,
) -> BundleInfo:
    """Fit the network and write its bundle, its history and its grids.

    Parameters
    ----------
    tensors : Tensors
        The inputs.
    network, train, decode : NetworkParams, TrainParams, DecodeParams
        The stage's parameters.
    adversarial : AdversarialParams, optional
        Of the adversarial training after the fit.
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
    cluster : str, optional
        For the strategy `data_parallel`: address of the Ray cluster; see `tintype.cluster.connect.connected`.

    Returns
    -------
    BundleInfo
        What was written.

    Raises
    ------
    TintypeError
        If a shard is damaged or the loss is no longer a number.
    """
    inputs = TrainingInputs(tensors, network)
    learn, check, grids = inputs.learn, inputs.check, report / "grids"
    match train.strategy:
        case "single":
            pass
        case "data_parallel":
            # The workers leave the checkpoint of a finished training, which `fit` continues like any other.
            fit_on_workers(Job(tensors, network, train, checkpoints, observer, grids), cluster)
        case _:
            assert_never(train.strategy)
    fitted = fit(
        inputs.build,
        train,
        learn,
        check,
        checkpoints=checkpoints,
        observer=observer,
        perceptual=inputs.perceptual,
        draw=inputs.draw,
        grids=grids,
    )
    write_history(report / "history.csv", fitted.history)
    if adversarial is not None and adversarial.steps > 0:
        from tintype.training.gan.stage import refine

        loss = loss_on(learn, train, inputs.perceptual)
        refine(fitted.network, inputs.build, adversarial, train, decode, learn, check, loss, observer)
    decoding = _decoding(fitted.network, inputs, tensors, decode)
    info = _describe(fitted, tensors, learn, network, train, preset).model_copy(update={"decoding": decoding})
    return save_bundle(
        bundle,
        decoded(fitted.network, decoding.temperature),
        tensors.backbone / BACKBONE_NETWORK if needs_embedding(info.network.needs) else None,
        info,
        half=network.half,
    )


def _decoding(network: Any, inputs: TrainingInputs, tensors: Tensors, params: DecodeParams) -> Decoding:
    photos = sum(len(plan.photos) for plan in tensors.plans if plan.split == VALIDATION)
    if tensors.start is None or photos >= FEW:
        return fit_decoding(network, inputs.check, params)
    before = read_info(tensors.start).decoding
    fitted = fit_decoding(network, inputs.check, as_before(params, inputs.build(), before, inputs.check))
    return fitted.model_copy(update={"confidence": before.confidence})


def write_history(destination: Path, history: list[dict[str, float]]) -> None:
    """The epochs' figures as CSV, one row an epoch."""
    with new_file(destination) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(history[0]), lineterminator="\n")
        writer.writeheader()
        # Epochs that were read from a checkpoint have a float as their number.
        writer.writerows({**epoch, "epoch": int(epoch["epoch"])} for epoch in history)


def _describe(
    fitted: Fitted, tensors: Tensors, learn: ShardSet, network: NetworkParams, train: TrainParams, preset: str
) -> BundleInfo:
    began = None if tensors.start is None else bundle_digest(read_info(tensors.start))
    return BundleInfo(
        size=learn.size,
        ab_limit=AB_LIMIT,
        network=NetworkInfo(name=network.name, width=network.width, needs=network.needs),
        backbone=read_spec(tensors.backbone),
        preset=preset,
        trained=trained_info(fitted, tensors.plans, learn, train, began),
        data=DataInfo(manifest_sha256=sha256_of(tensors.manifest), mean_ab=mean_ab(learn)),
    )
