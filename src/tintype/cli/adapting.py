"""A person's own photos as tensors to learn from, by the same functions as in the pipeline's stages."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tintype.errors import TintypeError
from tintype.params import CropsParams, LabParams, ValidateParams

if TYPE_CHECKING:
    import pandas as pd

    from tintype.models.bundle import BundleInfo
    from tintype.training.adapt import AdaptTensors

FEWEST = 30  # photos; with fewer there is next to nothing to learn, and nothing to judge it by
HELD_OUT_AT_MOST = 200  # photos; more would make the judging longer than the training
CROPS = CropsParams(per_photo=8, min_side_share=0.5)
CHECKS = ValidateParams(
    min_side=64,
    min_chroma=2.0,
    min_hash_distance=8,
    max_rejected_share=1.0,
    max_class_share=1.0,
    bucket_digits=1,
    validation_share=0.15,
    test_share=0.2,
    split_seed=0,
)
_BATCH = 16


@dataclass(frozen=True)
class Prepared:
    """Photos, checked and dealt out.

    Attributes
    ----------
    tensors : AdaptTensors
    counts : tuple of three int
        Photos to learn from, to choose by, and held out.
    held_out : dict of str to Path
        Name in reports -> file.
    rejected : int
        Photos that were left out.
    """

    tensors: AdaptTensors
    counts: tuple[int, int, int]
    held_out: dict[str, Path]
    rejected: int


def prepare(folder: Path, bundle: Path, info: BundleInfo, scratch: Path) -> Prepared:
    """Check the photos of a folder and make tensors of them.

    Parameters
    ----------
    folder : Path
        With colour photos, at any depth; nothing in it is changed.
    bundle : Path
        Whose backbone embeds them, if its network needs that.
    info : BundleInfo
        Of the bundle.
    scratch : Path
        Where to put manifest and tensors.

    Returns
    -------
    Prepared

    Raises
    ------
    TintypeError
        If fewer than `FEWEST` photos can be used.
    """
    from tintype.data.tensors.lab import make_lab
    from tintype.data.tensors.plan import plan_shards
    from tintype.data.validation.manifest import MANIFEST_FILE
    from tintype.training.adapt import AdaptTensors

    manifest, rejected = _checked(folder, scratch / "manifest")
    plans = plan_shards(manifest, CROPS)
    make_lab(plans, folder, scratch / "lab", CROPS, LabParams(size=info.size, workers=0))
    tensors = AdaptTensors(
        plans, scratch / "manifest" / MANIFEST_FILE, scratch / "lab", scratch / "embeddings"
    )
    _embed(tensors, folder, bundle, info)
    sizes = Counter(manifest["split"])
    test = manifest[manifest["split"] == "test"].sort_values("content_hash")["path"].head(HELD_OUT_AT_MOST)
    return Prepared(
        tensors,
        (sizes["train"], sizes["validation"], len(test)),
        {path: folder / path for path in test},
        rejected,
    )


def _checked(folder: Path, destination: Path) -> tuple[pd.DataFrame, int]:
    """The manifest of the photos that can be used, and how many cannot."""
    from tintype.data.validation.inspection import inspect_all
    from tintype.data.validation.manifest import write_manifest
    from tintype.data.validation.validate import make_manifest, make_rejected, quarantine
    from tintype.imaging.finding import find_photos

    found = [path.relative_to(folder).as_posix() for path in find_photos(folder)]
    accepted, rejections = quarantine(inspect_all(folder, found), CHECKS) if found else ([], [])
    if len(accepted) < FEWEST:
        reasons = Counter(str(one.reason).replace("_", " ") for one in rejections)
        left_out = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())
        raise TintypeError(
            f"Expected at least {FEWEST} colour photos below {folder} that differ from each other. Received: "
            f"{len(accepted)}{f', and left out {left_out}' if left_out else ''}. So few would teach nothing that lasts."
        )
    manifest = make_manifest(accepted, CHECKS)
    write_manifest(destination, manifest, make_rejected(rejections))
    return manifest, len(rejections)


def _embed(tensors: AdaptTensors, folder: Path, bundle: Path, info: BundleInfo) -> None:
    from tintype.models.network import needs_embedding
    from tintype.training.adapt import write_no_embeddings

    if not needs_embedding(info.network.needs):
        write_no_embeddings(tensors.plans, tensors.embeddings)
        return
    from tintype.data.tensors.embed import make_embeddings
    from tintype.models.backbone import Backbone
    from tintype.models.bundle import BACKBONE_FILE

    backbone = Backbone.load_as(info.backbone, bundle / BACKBONE_FILE)
    make_embeddings(
        tensors.plans,
        folder,
        tensors.embeddings,
        CROPS,
        embed=lambda gray8: backbone.embed(gray8, _BATCH),
        input_size=backbone.spec.input_size,
        embedding_size=backbone.spec.embedding_size,
        backbone_sha256=backbone.spec.sha256,
        batch_size=_BATCH,
    )
