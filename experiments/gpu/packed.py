"""What travels to the GPU machine: one ZIP file with photos as JPEG, the backbone and the parameters."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tintype.errors import TintypeError
from tintype.files.atomic import new_file
from tintype.files.digest import sha256_of
from tintype.imaging.geometry import resize
from tintype.imaging.lab import decode_lab8, encode_lab8, lab_to_rgb, rgb_to_lab
from tintype.models.backbone.spec import NETWORK_FILE, SPEC_FILE, BackboneSpec, read_spec
from tintype.models.network import build_network, needs_embedding
from tintype.params import NetworkParams, Params
from tintype.params.load import PARAMS_FILE, check_params, load_params
from tintype.training.shard_set import ShardSet

QUALITY = 85  # of the JPEG files, some 5 kB each at 128 pixels; chroma in full, since it is what is learned
DESCRIPTION = "description.json"
LEAST_ROWS = 2  # of each split


@dataclass(frozen=True)
class Packed:
    """A packed file, unpacked.

    Attributes
    ----------
    params : Params
        Of the pipeline, with the packed size.
    learn, check : ShardSet
        Training and validation rows. The networks that can be packed take no embeddings, so theirs are empty.
    backbone : Path
        Folder with network and description.
    photos : int
        Of the training rows.
    manifest_sha256 : str
    """

    params: Params
    learn: ShardSet
    check: ShardSet
    backbone: Path
    photos: int
    manifest_sha256: str

    def build(self, network: NetworkParams) -> Any:
        """A fresh network."""
        from tintype.models.keras_file import load_network

        spec: BackboneSpec = read_spec(self.backbone)
        file = self.backbone / NETWORK_FILE
        return build_network(
            network, self.learn.size, spec.embedding_size, lambda: (load_network(file), spec)
        )


def pack(packed: Path, project: Path, size: int, mib: float) -> str:
    """Write the file; a sentence that says what it holds.

    Raises
    ------
    TintypeError
        If the network needs embeddings, which are too large to travel, the training begins with another's weights, or
        not even a few photos fit.
    """
    from tintype.data.tensors.plan import plan_shards
    from tintype.data.tensors.shards import open_shard
    from tintype.data.validation.manifest import TRAIN, VALIDATION, read_manifest

    params = load_params(project / PARAMS_FILE)
    if needs_embedding(params.network.needs):
        raise TintypeError(
            f"Expected a network that takes the backbone's maps alone. Received: {params.network.name}, which needs "
            "embeddings, and these do not fit beside the photos. Set `network` to one of the pyramids without."
        )
    if params.train.start is not None:
        raise TintypeError(
            f"Expected a training from fresh weights, as this script does it. Received: train.start "
            f"{params.train.start}. Set train.start to null."
        )
    manifest, backbone = project / "data/manifest", project / "models/backbone"
    plans = plan_shards(read_manifest(manifest), params.crops)
    size = min(size, params.lab.size)
    limit = mib * 2**20
    with new_file(packed) as part, zipfile.ZipFile(part, "w") as archive:
        for name in (NETWORK_FILE, SPEC_FILE):
            archive.write(backbone / name, f"backbone/{name}", zipfile.ZIP_DEFLATED)
        taken, all_rows = {}, {}
        # Validation first: where not all fit, training photos are left out.
        for split in (VALIDATION, TRAIN):
            shards = [open_shard(project / "data/lab", plan.name)[0] for plan in plans if plan.split == split]
            places = [(shard, row) for shard in shards for row in range(len(shard))]
            # In an order of chance, so that what does not fit is no bucket of its own.
            np.random.default_rng(0).shuffle(places)
            taken[split], all_rows[split] = 0, len(places)
            for shard, row in places:
                content = _jpeg(shard[row], size)
                # A file's entries in a ZIP take some 130 bytes beside its content.
                if part.stat().st_size + len(content) + 200 * (sum(taken.values()) + 20) > limit:
                    break
                archive.writestr(f"{split}/{taken[split]:06d}.jpg", content)
                archive.fp.flush()  # type: ignore[union-attr]
                taken[split] += 1
        if min(taken.values()) < LEAST_ROWS:
            raise TintypeError(
                f"Expected room for at least {LEAST_ROWS} validation and {LEAST_ROWS} training rows in {mib:g} MiB. "
                f"Received: {taken[VALIDATION]} and {taken[TRAIN]} of {all_rows[VALIDATION]} and {all_rows[TRAIN]}. "
                "Give a larger --mib, a smaller --size, or a smaller backbone."
            )
        description = {
            "params": params.model_dump(mode="json", by_alias=True),
            "size": size,
            "photos": -(-taken[TRAIN] // params.crops.per_photo),
            "manifest_sha256": sha256_of(manifest / "manifest.parquet"),
        }
        archive.writestr(DESCRIPTION, json.dumps(description))
    sentence = (
        f"{packed}: {taken[TRAIN]} of {all_rows[TRAIN]} training rows and {taken[VALIDATION]} of "
        f"{all_rows[VALIDATION]} validation rows at {size} pixels, {packed.stat().st_size / 2**20:.1f} MiB."
    )
    left_out = sum(all_rows.values()) - sum(taken.values())
    return sentence + (f" {left_out} rows did not fit and are left out." if left_out else "")


def unpack(packed: Path, folder: Path) -> Packed:
    """Write the rows as tensor files, and the backbone, into a folder."""
    try:
        with zipfile.ZipFile(packed) as archive:
            description = json.loads(archive.read(DESCRIPTION))
            for name in (NETWORK_FILE, SPEC_FILE):
                archive.extract(f"backbone/{name}", folder)
            size = description["size"]
            learn, check = (_rows(archive, split, size, folder) for split in ("train", "validation"))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise TintypeError(
            f"Expected a file that `python -m experiments.gpu pack` wrote in {packed}. Received: {error}."
        ) from None
    content = description["params"]
    content["lab"]["size"] = size
    params = check_params(content, packed)
    return Packed(
        params, learn, check, folder / "backbone", description["photos"], description["manifest_sha256"]
    )


def _jpeg(lab8: NDArray[np.uint8], size: int) -> bytes:
    content = io.BytesIO()
    rgb8 = lab_to_rgb(resize(decode_lab8(lab8), size, size))
    Image.fromarray(rgb8).save(content, "JPEG", quality=QUALITY, subsampling=0)
    return content.getvalue()


def _rows(archive: zipfile.ZipFile, split: str, size: int, folder: Path) -> ShardSet:
    names = sorted(name for name in archive.namelist() if name.startswith(f"{split}/"))
    lab8 = np.empty((len(names), size, size, 3), np.uint8)
    for row, name in zip(lab8, names, strict=True):
        row[...] = encode_lab8(rgb_to_lab(np.asarray(Image.open(io.BytesIO(archive.read(name))))))
    lab, embeddings = folder / f"{split}.npy", folder / f"{split}-embeddings.npy"
    np.save(lab, lab8)
    np.save(embeddings, np.empty((len(names), 0), np.float16))
    return ShardSet([lab], [embeddings], len(names), size, 0)
