"""The bundle: a folder with all that colouring takes.

It holds network and backbone as `.keras` files, `bundle.json` with the constants of preprocessing, checksums
and where it all came from, and a model card. Nothing else is read when a photo is coloured: no params.yaml,
nothing from the network.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tintype.errors import TintypeError
from tintype.files.atomic import new_folder, write_json, write_text
from tintype.files.digest import sha256_of
from tintype.models.backbone.spec import BackboneSpec
from tintype.models.card import model_card
from tintype.models.keras_file import save_network
from tintype.models.network import Needs

FORMAT = 1
INFO_FILE = "bundle.json"
NETWORK_FILE = "network.keras"
BACKBONE_FILE = "backbone.keras"
CARD_FILE = "README.md"


class BundleError(TintypeError):
    """A folder is not a bundle that can be used."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NetworkInfo(_Part):
    """Which network."""

    name: str
    width: float
    needs: Needs


class TrainedInfo(_Part):
    """What its training was."""

    photos: int
    crops: int
    epochs: int  # run in all
    best_epoch: int  # the one whose weights these are, from 1
    loss: str
    train_loss: float
    val_loss: float
    optimizer: str
    seed: int


class DataInfo(_Part):
    """What it was trained on."""

    manifest_sha256: str
    mean_ab: tuple[float, float]  # of the training photos, in Lab units


class Decoding(_Part):
    """How the network's output becomes the colours that are shown; fitted on validation photos."""

    gain: float = Field(default=1.0, gt=0)  # factor on a* and b*
    temperature: float | None = Field(
        default=None, gt=0
    )  # of a class distribution; at work inside the network
    smoothing: float = Field(default=0.0, ge=0)  # strength; see `tintype.imaging.smoothing`
    confidence: tuple[tuple[float, float], ...] | None = None  # (spread in Lab units, probability), by spread


class BundleInfo(_Part):
    """The content of bundle.json."""

    format: int = FORMAT
    name: str = "tintype"
    size: int = Field(ge=8)  # pixels; side of the network's square input
    ab_limit: float  # Lab units; the network's 1
    network: NetworkInfo
    backbone: BackboneSpec
    decoding: Decoding = Decoding()
    preset: str
    trained: TrainedInfo
    data: DataInfo
    files: dict[str, str] = {}  # SHA-256 of each


def save_bundle(
    destination: Path, network: Any, backbone_file: Path | None, info: BundleInfo, *, half: bool = False
) -> BundleInfo:
    """Write a bundle; the folder appears whole or not at all.

    Parameters
    ----------
    destination : Path
        The folder; one that is there is replaced.
    network : keras.Model
        The trained network.
    backbone_file : Path or None
        The backbone's `.keras` file; None for a network that has what it needs of the backbone inside it.
    info : BundleInfo
        All but `files`, which are added here.
    half : bool
        Whether the network's weights are kept in half precision.

    Returns
    -------
    BundleInfo
        As written.
    """
    with new_folder(destination) as folder:
        save_network(network, folder / NETWORK_FILE, half=half)
        if backbone_file is not None:
            shutil.copyfile(backbone_file, folder / BACKBONE_FILE)
        files = {path.name: sha256_of(path) for path in sorted(folder.iterdir())}
        complete = info.model_copy(update={"files": files})
        write_json(folder / INFO_FILE, complete.model_dump(mode="json"))
        write_text(folder / CARD_FILE, model_card(complete))
    return complete


def read_info(folder: Path) -> BundleInfo:
    """What a bundle says of itself, its files checked against their checksums.

    Raises
    ------
    BundleError
        If the folder is no bundle, of another format, or a file is missing or not the one that was written.
    """
    path = folder / INFO_FILE
    try:
        info = BundleInfo.model_validate_json(path.read_bytes())
    except OSError as error:
        raise BundleError(
            f"Expected a bundle in {folder}, but {path} cannot be read ({error.strerror}). Run `dvc repro` to make "
            "models/tintype, or name another bundle."
        ) from None
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise BundleError(f"{path} does not describe a bundle of format {FORMAT}: {problems}.") from None
    if info.format != FORMAT:
        raise BundleError(
            f"Expected a bundle of format {FORMAT} in {folder}. Received: format {info.format}."
        )
    for name, checksum in info.files.items():
        _check(folder / name, checksum)
    return info


def bundle_digest(info: BundleInfo) -> str:
    """One hash that names a bundle by its content.

    SHA-256 of its description without spaces, keys sorted; the description holds the checksums of the files.
    """
    description = json.dumps(info.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(description.encode()).hexdigest()


def _check(path: Path, checksum: str) -> None:
    if not path.is_file():
        raise BundleError(f"Expected {path} in the bundle, but it is missing. Copy the whole bundle again.")
    received = sha256_of(path)
    if received != checksum:
        raise BundleError(
            f"Expected {path} with SHA-256 {checksum}. Received: {received}. "
            "It was damaged or exchanged: copy the bundle again."
        )
