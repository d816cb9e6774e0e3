"""The model that a command works with.

A person names it: a version of the registry, a bundle's folder that was never registered, or ``starter``, which comes
with the package. Without a name it is the registry's champion where there is a registry, else the starter; what lies
in models/tintype has to be named, since the last training need not be the best.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tintype.cli.console import print_error
from tintype.errors import TintypeError, missing_package
from tintype.imaging.provenance import Lineage

if TYPE_CHECKING:
    from tintype.registry.resolve import ResolvedVersion

SCHEME = "models:/"
MODEL = "tintype"
CHAMPION = f"{SCHEME}{MODEL}@champion"
STARTER = "starter"


@dataclass(frozen=True)
class FoundVersion:
    """What serving takes of a model.

    Attributes
    ----------
    bundle : Path
        The folder.
    lineage : Lineage
        Where it comes from; without a version if it was never registered.
    judgement : str
        The registry's description of it, in Markdown; empty if there is none.
    """

    bundle: Path
    lineage: Lineage
    judgement: str = ""


def find_version(model: str | None) -> FoundVersion:
    """The version that `--model` means.

    Parameters
    ----------
    model : str or None
        ``models:/NAME@ALIAS``, ``models:/NAME/VERSION``, a folder or ``starter``; None takes the champion where there
        is a registry, else the starter.

    Returns
    -------
    FoundVersion

    Raises
    ------
    TintypeError
        If there is no such version or folder, or its bundle is not whole.
    """
    if model is None:
        return _champion_or_starter()
    if model == STARTER:
        return _starter()
    if not model.startswith(SCHEME):
        return _in_folder(Path(model))
    from tintype.registry.resolve import resolve_version

    with _needing_mlflow(model):
        return _registered(resolve_version(model))


def _champion_or_starter() -> FoundVersion:
    """Without a registry nothing of MLflow is imported, which alone takes seconds."""
    from tintype.registry.resolve import resolve_champion, store_at_hand

    store = store_at_hand()
    if store is None:
        return _starter()
    with _needing_mlflow(CHAMPION):
        champion = resolve_champion(MODEL, store)
    if champion is None:
        print_error(f"note: The registry at {store.shown} has no model yet: the starter is used.")
        return _starter()
    return _registered(champion)


def _registered(resolved: ResolvedVersion) -> FoundVersion:
    return FoundVersion(resolved.bundle, resolved.lineage, resolved.description)


def _starter() -> FoundVersion:
    from tintype.models.starter import starter_bundle, starter_lineage

    return FoundVersion(starter_bundle(), starter_lineage(), "Its card says it, below.")


@contextmanager
def _needing_mlflow(model: str) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise TintypeError(
            f"{missing_package(f'{model} is in the registry, which', error.name, 'pipeline')} "
            f"Or name a bundle's folder with --model, or `--model {STARTER}` for the model that comes along."
        ) from None


def _in_folder(folder: Path) -> FoundVersion:
    from tintype.models.bundle import read_info
    from tintype.models.lineage import unregistered_lineage

    if not folder.is_dir():
        raise TintypeError(
            f"Expected a bundle's folder or a models:/ address as model. Received: {folder}, which is no folder."
        )
    return FoundVersion(folder, unregistered_lineage(read_info(folder)))
