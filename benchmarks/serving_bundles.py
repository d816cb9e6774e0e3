"""Bundles for benchmarks of serving: one without an IR, and one with the large backbone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[1]


def without_ir(bundle: Path, destination: Path) -> Path:
    """A copy of a bundle as it was written before there was an IR."""
    from tintype.models.bundle import INFO_FILE, read_info

    info = read_info(bundle)
    files = {name: digest for name, digest in info.files.items() if name.endswith(".keras")}
    destination.mkdir(parents=True)
    for name in files:
        shutil.copyfile(bundle / name, destination / name)
    old = info.model_copy(update={"ir": None, "files": files})
    (destination / INFO_FILE).write_text(json.dumps(old.description()), encoding="utf-8")
    return destination


def inception_bundle(folder: Path) -> Path:
    """A bundle with InceptionResNetV2 and the report's network at 256 pixels, their weights drawn by lot."""
    if folder.exists():
        return folder
    from tintype.models.backbone.spec import NETWORK_FILE, read_spec
    from tintype.models.backbone.weights import make_backbone
    from tintype.models.bundle import BundleInfo, DataInfo, NetworkInfo, TrainedInfo, save_bundle
    from tintype.models.fusion import build_fusion
    from tintype.models.network import AB_LIMIT
    from tintype.params import load_params
    from tintype.params.blocks import FusionParams

    backbone = folder.with_name(f"{folder.name}-backbone")
    weights = load_params(ROOT / "params.yaml").weights
    random = {"backbone": "inception_resnet_v2", "origin": "random", "file": None}
    make_backbone(weights.model_copy(update=random), backbone)
    spec = read_spec(backbone)
    info = BundleInfo(
        size=256,
        ab_limit=AB_LIMIT,
        network=NetworkInfo(name="fusion", width=1.0, needs="embedding"),
        backbone=spec,
        preset="benchmark",
        trained=TrainedInfo(
            photos=0,
            crops=0,
            epochs=0,
            best_epoch=0,
            loss="mse",
            train_loss=0,
            val_loss=0,
            optimizer="none",
            seed=1,
        ),
        data=DataInfo(manifest_sha256="0" * 64, mean_ab=(0.0, 0.0)),
    )
    params = FusionParams(name="fusion", width=1.0, head="tanh", skips=False, half=False)
    save_bundle(folder, build_fusion(params, 256, spec.embedding_size), backbone / NETWORK_FILE, info)
    shutil.rmtree(backbone)
    return folder
