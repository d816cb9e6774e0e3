"""`tintype adapt`: a model, fitted further on a person's own colour photos.

The photos become tensors by the same functions as in the pipeline's stages.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tintype.cli.arguments import Force, Model
from tintype.cli.console import counted, print_error, print_line, print_note
from tintype.errors import TintypeError, UsageError, missing_package
from tintype.find_model import FoundModel, find_model

if TYPE_CHECKING:
    import pandas as pd

    from tintype.imaging.picture import PhotoFile
    from tintype.models.bundle import BundleInfo
    from tintype.params import CropsParams, ValidateParams
    from tintype.training.adapt import AdaptTensors

STOPPED = 130
GRID = "adapted.jpg"
FEWEST = 30  # photos; with fewer there is next to nothing to learn, and nothing to judge it by
HELD_OUT_AT_MOST = 200  # photos; more would make the judging longer than the training
_BATCH = 16


def adapt(
    photos: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="A folder of your own colour photos.", show_default=False)
    ],
    model: Model = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="BUNDLE", help="Folder for the new bundle.")
    ] = Path("models/adapted"),
    epochs: Annotated[
        int,
        typer.Option(
            "--epochs", metavar="NUMBER", min=1, max=1000, help="How often the photos are gone through."
        ),
    ] = 4,
    force: Force = False,
) -> None:
    """Fit a model further on colour photos of your own.

    It says whether that helped. A fifth of the photos is held out: a card in BUNDLE compares before and after on them.
    Nothing is registered.

    Exit code: 0 there is a new bundle, better or not; 1 there is none, 2 wrong usage, 130 stopped by
    Ctrl+C.
    """
    try:
        _refuse(photos, output, force=force)
        found = find_model(model, print_note)
        with tempfile.TemporaryDirectory(prefix="tintype-adapt-") as scratch:
            _adapt(photos.resolve(), output, found, epochs, Path(scratch))
    except ModuleNotFoundError as error:
        raise missing_package("Training", error.name, "pipeline") from None
    except KeyboardInterrupt:
        print_error(f"Stopped. Nothing was written to {output}.")
        raise typer.Exit(STOPPED) from None


def _refuse(folder: Path, output: Path, *, force: bool) -> None:
    if not folder.is_dir():
        raise UsageError(f"Expected a folder of colour photos. Received: {folder}, which is no folder.")
    if output.resolve().is_relative_to(folder.resolve()):
        raise UsageError(f"Expected an output apart from the photos in {folder}. Received: {output}.")
    if output.exists() and not force:
        raise UsageError(f"{output} is there already. Choose another --output, or replace it with --force.")


def _adapt(folder: Path, output: Path, found: FoundModel, epochs: int, scratch: Path) -> None:
    from tintype.models.bundle import read_info
    from tintype.models.keras_backend import prepare_keras
    from tintype.training.adapt import adapt_bundle

    info = read_info(found.bundle)
    prepare_keras("tensorflow")  # whose streams feed the training
    prepared = prepare(folder, found.bundle, info, scratch)
    learned, chosen, held_out = prepared.counts
    print_line(
        f"{counted(learned, 'photo')} to learn from, {chosen} to choose by, {held_out} held out; "
        f"{prepared.rejected} cannot be used."
    )
    adapted = scratch / "bundle"
    adapt_bundle(found.bundle, prepared.tensors, epochs, scratch, adapted)
    comparison = _judge(found, adapted, prepared)
    _publish(adapted, output)
    print_line(comparison)
    print_line(
        f"The bundle is {output}; its card is {output / 'README.md'}, before and after {output / GRID}."
    )
    print_line(f"Nothing was registered. Try it: tintype colorize PHOTO -o OUT --model {output}")


def _judge(found: FoundModel, adapted: Path, prepared: Prepared) -> str:
    """Compare both bundles, write card and picture into the new one, and return a sentence on whether it helped."""
    from tintype.colorize import Colorizer
    from tintype.evaluation.before_after import compare, comparison_table, verdict
    from tintype.files.atomic import write_text
    from tintype.formats.photo import write_photo
    from tintype.models.bundle import CARD_FILE, read_info
    from tintype.models.card import adapted_card
    from tintype.models.keras_backend import INFERENCE

    # On what people colour with, though Keras, which has trained, is loaded.
    before, after = (Colorizer.load(bundle, INFERENCE) for bundle in (found.bundle, adapted))
    compared = compare(prepared.held_out, before.colorize, after.colorize)
    sentence, table = verdict(compared.judgements), comparison_table(compared.judgements)
    card = adapted_card(read_info(adapted), _model_name(found), sentence, table, prepared.counts)
    write_text(adapted / CARD_FILE, card)
    write_photo(adapted / GRID, compared.grid, quality=90)
    return f"\n{table}\n\n{sentence}"


def _model_name(found: FoundModel) -> str:
    lineage = found.lineage
    version = f", version {lineage.version}" if lineage.version else ""
    return f"{lineage.name}{version} (bundle {lineage.bundle_sha256[:12]})"


def _publish(adapted: Path, output: Path) -> None:
    from tintype.files.atomic import new_folder

    try:
        with new_folder(output, durable=True) as part:
            shutil.copytree(adapted, part, dirs_exist_ok=True)
    except OSError as error:
        raise TintypeError(f"Expected to write {output}. Received: {error.strerror}.") from None


@dataclass(frozen=True)
class Prepared:
    """Photos, checked and split.

    Attributes
    ----------
    counts : tuple of three int
        Photos to learn from, to choose by, and held out.
    held_out : dict of str to PhotoFile
        Name in reports -> file.
    rejected : int
        Photos that were left out.
    """

    tensors: AdaptTensors
    counts: tuple[int, int, int]
    held_out: dict[str, PhotoFile]
    rejected: int


def _crops() -> CropsParams:
    """How many crops are made of a photo, and how small they get."""
    from tintype.params import CropsParams

    return CropsParams(per_photo=8, min_side_share=0.5)


def _checks() -> ValidateParams:
    """What a photo must fulfil to be learned from, and how the photos are split."""
    from tintype.params import ValidateParams

    return ValidateParams(
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

    Raises
    ------
    TintypeError
        If fewer than `FEWEST` photos can be used.
    """
    from tintype.data.tensors.lab import make_lab
    from tintype.data.tensors.plan import plan_shards
    from tintype.data.validation.manifest import MANIFEST_FILE
    from tintype.imaging.picture import PhotoFile
    from tintype.params import LabParams
    from tintype.training.adapt import AdaptTensors

    manifest, rejected = _checked(folder, scratch / "manifest")
    plans = plan_shards(manifest, _crops())
    make_lab(plans, folder, scratch / "lab", _crops(), LabParams(size=info.size, workers=0))
    tensors = AdaptTensors(
        plans, scratch / "manifest" / MANIFEST_FILE, scratch / "lab", scratch / "embeddings"
    )
    _embed(tensors, folder, bundle, info)
    sizes = Counter(manifest["split"])
    test = manifest[manifest["split"] == "test"].sort_values("content_hash").head(HELD_OUT_AT_MOST)
    held_out = zip(test["path"], test["content_hash"], strict=True)
    return Prepared(
        tensors,
        (sizes["train"], sizes["validation"], len(test)),
        {path: PhotoFile(folder / path, content_hash) for path, content_hash in held_out},
        rejected,
    )


def _checked(folder: Path, destination: Path) -> tuple[pd.DataFrame, int]:
    """The manifest of the photos that can be used, and how many cannot."""
    from tintype.data.validation.duplicates import group_near_duplicates
    from tintype.data.validation.inspection import inspect_all
    from tintype.data.validation.manifest import write_manifest
    from tintype.data.validation.validate import make_manifest, make_rejected, quarantine
    from tintype.imaging.finding import find_photos

    found = [path.relative_to(folder).as_posix() for path in find_photos(folder)]
    accepted, rejections = quarantine(inspect_all(folder, found), _checks()) if found else ([], [])
    if len(accepted) < FEWEST:
        reasons = Counter(str(one.reason).replace("_", " ") for one in rejections)
        left_out = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())
        raise TintypeError(
            f"Expected at least {FEWEST} colour photos below {folder} that differ from each other. Received: "
            f"{len(accepted)}{f', and left out {left_out}' if left_out else ''}. So few would teach nothing that lasts."
        )
    manifest = make_manifest(accepted, group_near_duplicates(accepted), _checks())
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
        _crops(),
        embed=lambda gray8: backbone.embed(gray8, _BATCH),
        input_size=backbone.spec.input_size,
        embedding_size=backbone.spec.embedding_size,
        backbone_sha256=backbone.spec.sha256,
        batch_size=_BATCH,
    )
