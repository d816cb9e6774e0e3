"""The weights that came back from the GPU machine become a bundle."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from experiments.gpu.packed import unpack
from experiments.gpu.train import FIGURES, WEIGHTS
from tintype.errors import TintypeError
from tintype.models.backbone.spec import read_spec
from tintype.models.bundle import BundleInfo, DataInfo, NetworkInfo, TrainedInfo, save_bundle
from tintype.models.decoding import decoded
from tintype.models.keras_backend import prepare_keras, set_precision
from tintype.models.network import AB_LIMIT
from tintype.training.calibrate import fit_decoding
from tintype.training.shard_set import mean_ab


def home(packed: Path, output: Path, bundle: Path) -> str:
    """Fit the decoding on the packed validation photos and write the bundle.

    Raises
    ------
    TintypeError
        If one of the files is missing, or the weights are not the packed network's.
    """
    prepare_keras()
    set_precision(False)  # a bundle always computes in float32
    with TemporaryDirectory(prefix="tintype-gpu-") as folder:
        data = unpack(packed, Path(folder))
        try:
            figures = json.loads((output / FIGURES).read_bytes())
            with np.load(output / WEIGHTS) as arrays:
                weights = [arrays[name] for name in arrays.files]
            params = type(data.params.network).model_validate(figures["network"])
            network = data.build(params)
            network.set_weights(weights)
        except (OSError, KeyError, ValueError) as error:
            raise TintypeError(
                f"Expected in {output} what `python -m experiments.gpu train` wrote for {packed}. Received: {error}."
            ) from None
        decoding = fit_decoding(network, data.check, data.params.decode)
        best = figures["history"][figures["best_epoch"] - 1]
        info = BundleInfo(
            size=data.learn.size,
            ab_limit=AB_LIMIT,
            network=NetworkInfo(name=params.name, width=params.width, needs=params.needs),
            backbone=read_spec(data.backbone),
            decoding=decoding,
            preset=data.params.preset,
            trained=TrainedInfo(
                photos=data.photos,
                crops=data.learn.rows,
                epochs=len(figures["history"]),
                best_epoch=figures["best_epoch"],
                loss=figures["train"]["loss"]["name"],
                train_loss=best["loss"],
                val_loss=best["val_loss"],
                optimizer=figures["train"]["optimizer"],
                seed=figures["train"]["seed"],
            ),
            data=DataInfo(manifest_sha256=data.manifest_sha256, mean_ab=mean_ab(data.learn)),
        )
        save_bundle(bundle, decoded(network, decoding.temperature), None, info, half=params.half)
    return f"{bundle}: validation loss {best['val_loss']:.4f} after epoch {figures['best_epoch']}."
