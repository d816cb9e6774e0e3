"""The bundle: a folder with all that colouring takes.

It holds network and backbone as `.keras` files, each with an IR (`tintype.models.openvino`), `bundle.json` with
the constants of preprocessing, checksums and where it all came from, and a model card. Nothing else is read when a
photo is coloured: no params.yaml, nothing from the network.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import sys
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tintype.errors import TintypeError
from tintype.files.atomic import new_folder, write_json, write_text
from tintype.files.digest import sha256_of
from tintype.models.backbone.spec import BackboneSpec
from tintype.models.card import described_anew, model_card
from tintype.models.keras_backend import compile_for_inference, own_this_process
from tintype.models.keras_file import load_network, save_network
from tintype.models.network import Needs, needs_embedding
from tintype.models.openvino import (
    MOST_AB,
    IrError,
    OpenVinoNetwork,
    largest_difference,
    openvino_is_installed,
    write_ir,
)

FORMAT = 1
INFO_FILE = "bundle.json"
NETWORK_FILE = "network.keras"
BACKBONE_FILE = "backbone.keras"
CARD_FILE = "README.md"
_DIGITS = 5  # of the difference between IR and Keras, in Lab units


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
    start: str | None = None  # digest of the bundle whose weights it began with; None: fresh ones


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
    contrast: float = Field(default=0.0, ge=0)  # before the gain; see `tintype.imaging.contrast`
    confidence: tuple[tuple[float, float], ...] | None = None  # (spread in Lab units, probability), by spread


class IrInfo(_Part):
    """The IR beside the networks."""

    openvino: str  # the version that wrote it
    max_difference: (
        float  # Lab units; between the colours that it and the Keras network give to made-up photos
    )


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
    ir: IrInfo | None = None  # None if the bundle has no IR, as those from before there was one
    files: dict[str, str] = {}  # SHA-256 of each

    def description(self) -> dict[str, Any]:
        """The content as JSON holds it. What an older bundle does not say is left out, so that its digest stays."""
        unsaid: dict[str, Any] = {"ir": True} if self.ir is None else {}
        if self.trained.start is None:
            unsaid["trained"] = {"start"}
        if self.decoding.contrast == 0:
            unsaid["decoding"] = {"contrast"}
        return self.model_dump(mode="json", exclude=unsaid)


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

    Raises
    ------
    IrError
        If the IR does not give the network's colours.
    """
    with new_folder(destination, durable=True) as folder:
        save_network(network, folder / NETWORK_FILE, half=half)
        if backbone_file is not None:
            shutil.copyfile(backbone_file, folder / BACKBONE_FILE)
        complete = _complete(folder, info)
        write_text(folder / CARD_FILE, model_card(complete))
    return complete


def add_ir(bundle: Path) -> BundleInfo:
    """Write the IR of a bundle, or write it anew; the bundle's digest changes.

    Parameters
    ----------
    bundle : Path
        The folder; it changes as a whole or not at all.

    Returns
    -------
    BundleInfo
        As written.

    Raises
    ------
    BundleError
        If the folder is no whole bundle.
    IrError
        If OpenVINO is not installed, or the IR does not give the network's colours.
    """
    if not openvino_is_installed():
        raise IrError("Expected the package openvino, which writes an IR, but it is not installed.")
    info = read_info(bundle)
    with new_folder(bundle, durable=True) as folder:
        for name in (NETWORK_FILE, BACKBONE_FILE):
            if name in info.files:
                shutil.copyfile(bundle / name, folder / name)
        complete = _complete(folder, info)
        card = (bundle / CARD_FILE).read_text(encoding="utf-8")
        write_text(folder / CARD_FILE, described_anew(card, info, complete))
    return complete


def _complete(folder: Path, info: BundleInfo) -> BundleInfo:
    """Write the IR of the networks in a folder, and its description."""
    ir = _write_ir(folder, info)
    files = {path.name: sha256_of(path) for path in sorted(folder.iterdir())}
    complete = info.model_copy(update={"ir": ir, "files": files})
    write_json(folder / INFO_FILE, complete.description())
    return complete


def _write_ir(folder: Path, info: BundleInfo) -> IrInfo | None:
    if not openvino_is_installed():
        warnings.warn(
            f"{folder.name} gets no IR, because OpenVINO is not installed: Keras will colour with it.",
            stacklevel=2,
        )
        return None
    difference = _make_ir(
        folder / NETWORK_FILE, folder / BACKBONE_FILE if needs_embedding(info.network.needs) else None, info
    )
    return IrInfo(openvino=version("openvino"), max_difference=difference)


def _make_ir(network_file: Path, backbone_file: Path | None, info: BundleInfo) -> float:
    """Write the IRs beside the `.keras` files; how far colours are from Keras', in Lab units as they are shown."""
    from tintype.models.backbone import Backbone

    by_keras = load_network(network_file)
    files: dict[Path, BackboneSpec | None] = {network_file: None}
    loaded = {network_file: by_keras}
    if backbone_file is not None:
        backbone = Backbone.load_as(info.backbone, backbone_file)
        files[backbone_file], loaded[backbone_file] = info.backbone, backbone.graph
    write_ir(files, loaded)
    compile_for_inference(by_keras)
    backbones = None
    if backbone_file is not None:
        backbones = backbone, Backbone(None, info.backbone, OpenVinoNetwork.load(backbone_file))
    networks = (by_keras, OpenVinoNetwork.load(network_file))
    apart = largest_difference(networks, backbones, info.size, info.backbone.input_size)
    difference = apart * info.ab_limit * info.decoding.gain
    if not difference <= MOST_AB:
        raise IrError(
            f"Expected an IR whose colours are at most {MOST_AB:g} Lab units from the Keras network's. Received: "
            f"{difference:g}. Another version of OpenVINO may do better; without the package the bundle is written "
            "without an IR."
        )
    return math.ceil(difference * 10**_DIGITS) / 10**_DIGITS


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
    description = json.dumps(info.description(), sort_keys=True, separators=(",", ":"))
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


def main() -> None:
    """Add an IR to a bundle: `python -m tintype.models.bundle FOLDER`."""
    import argparse

    parser = argparse.ArgumentParser(
        prog="python -m tintype.models.bundle",
        description="Write the IR of a bundle's networks into its folder, checked against Keras. The bundle's digest "
        "becomes another, so a registered version keeps being served without one: register the folder anew.",
    )
    parser.add_argument("bundle", type=Path, help="the bundle's folder")
    bundle = parser.parse_args().bundle
    own_this_process()
    try:
        ir = add_ir(bundle).ir
    except TintypeError as error:
        sys.exit(f"error: {error}")
    if ir is not None:
        sys.stdout.write(
            f"{bundle} has an IR, at most {ir.max_difference:g} Lab units from the Keras network.\n"
        )


if __name__ == "__main__":
    main()
