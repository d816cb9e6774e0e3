"""`tintype adapt`: the champion, fitted further on a person's own colour photos."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from tintype.cli.adapting import Prepared, prepare
from tintype.cli.console import counted, print_error, print_line
from tintype.cli.lineage import find_model
from tintype.cli.version import FoundVersion
from tintype.errors import TintypeError, UsageError, missing_package

OK, FAILED, MEANINGLESS, STOPPED = 0, 1, 2, 130
OUTPUT = Path("models/adapted")
EPOCHS = 4
GRID = "adapted.jpg"


def run(folder: Path, output: Path, model: str | None, epochs: int, *, force: bool) -> int:
    """Adapt a model, compare before and after, write the bundle.

    Parameters
    ----------
    folder : Path
        Of colour photos.
    output : Path
        The new bundle's folder, which appears whole or not at all.
    model : str or None
        As `tintype.cli.version.find_version` takes it.
    epochs : int
        Times that the photos are gone through.
    force : bool
        Whether an output that is there may be replaced.

    Returns
    -------
    int
        0 there is a new bundle, whether it is better or not; 1 there is none, 2 the command makes no sense, 130
        stopped by Ctrl+C.
    """
    try:
        _refuse(folder, output, force=force)
        found = find_model(model)
        with tempfile.TemporaryDirectory(prefix="tintype-adapt-") as scratch:
            _adapt(folder.resolve(), output, found, epochs, Path(scratch))
    except UsageError as error:
        print_error(f"error: {error}")
        return MEANINGLESS
    except TintypeError as error:
        print_error(f"error: {error}")
        return FAILED
    except ModuleNotFoundError as error:
        print_error(f"error: {missing_package('Training', error.name, 'pipeline')}")
        return FAILED
    except KeyboardInterrupt:
        print_error(f"Stopped. Nothing was written to {output}.")
        return STOPPED
    return OK


def _refuse(folder: Path, output: Path, *, force: bool) -> None:
    if not folder.is_dir():
        raise UsageError(f"Expected a folder of colour photos. Received: {folder}, which is no folder.")
    if output.resolve().is_relative_to(folder.resolve()):
        raise UsageError(f"Expected an output apart from the photos in {folder}. Received: {output}.")
    if output.exists() and not force:
        raise UsageError(f"{output} is there already. Choose another --output, or replace it with --force.")


def _adapt(folder: Path, output: Path, found: FoundVersion, epochs: int, scratch: Path) -> None:
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
    said = _judge(found, adapted, prepared)
    _publish(adapted, output)
    print_line(said)
    print_line(
        f"The bundle is {output}; its card is {output / 'README.md'}, before and after {output / GRID}."
    )
    print_line(f"Nothing was registered. Try it: tintype colorize PHOTO -o OUT --model {output}")


def _judge(found: FoundVersion, adapted: Path, prepared: Prepared) -> str:
    """Compare both bundles; write card and picture into the new one. Whether it helped, in a sentence."""
    from tintype.colorize import Colorizer
    from tintype.evaluation.before_after import compare, comparison_table, verdict
    from tintype.files.atomic import write_text
    from tintype.formats.photo import write_photo
    from tintype.models.bundle import CARD_FILE, read_info
    from tintype.models.card import adapted_card

    before, after = Colorizer.load(found.bundle), Colorizer.load(adapted)
    compared = compare(prepared.held_out, before.colorize, after.colorize)
    said, table = verdict(compared.judgements), comparison_table(compared.judgements)
    card = adapted_card(read_info(adapted), _called(found), said, table, prepared.counts)
    write_text(adapted / CARD_FILE, card)
    write_photo(adapted / GRID, compared.grid, quality=90)
    return f"\n{table}\n\n{said}"


def _called(found: FoundVersion) -> str:
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
