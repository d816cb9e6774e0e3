"""The model that a person means.

A person names it: a version of the registry, a bundle's folder that was never registered, or ``starter``, which comes
with the package. Without a name it is the registry's champion where there is a registry, else the starter; what lies
in models/tintype has to be named, since the last training need not be the best.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tintype.errors import TintypeError, UsageError, missing_package
from tintype.imaging.provenance import Lineage

if TYPE_CHECKING:
    from tintype.registry.resolve import ResolvedVersion

SCHEME = "models:/"
MODEL = "tintype"
CHAMPION = f"{SCHEME}{MODEL}@champion"
STARTER = "starter"
_REGISTERED = Path("reports/register.json")  # below the project whose pipeline made the bundle


@dataclass(frozen=True)
class FoundModel:
    """A model that can be loaded.

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


def find_model(model: str | Path | None, say: Callable[[str], None] = warnings.warn) -> FoundModel:
    """The model of a name.

    Parameters
    ----------
    model : str, Path or None
        ``models:/NAME@ALIAS``, ``models:/NAME/VERSION``, a bundle's folder or ``starter``; None takes the champion
        where there is a registry, else the starter.
    say : callable
        Is told, in a sentence, if there is a registry but the starter is taken because it has no model yet.

    Returns
    -------
    FoundModel
        The lineage of a bundle's folder has version and run if the pipeline beside it registered this very bundle.

    Raises
    ------
    UsageError
        If it is neither an address nor a folder.
    TintypeError
        If there is no such version, or its bundle is not whole.
    """
    if model is None:
        return _champion_or_starter(say)
    if model == STARTER:
        return _starter()
    if not str(model).startswith(SCHEME):
        return _in_folder(Path(model))
    from tintype.registry.resolve import resolve_version

    address = str(model)
    with _needing_mlflow(address):
        return _registered(resolve_version(address))


def _champion_or_starter(say: Callable[[str], None]) -> FoundModel:
    """Without a registry nothing of MLflow is imported, which alone takes seconds."""
    from tintype.registry.resolve import resolve_champion, store_at_hand

    store = store_at_hand()
    if store is None:
        return _starter()
    with _needing_mlflow(CHAMPION):
        champion = resolve_champion(MODEL, store)
    if champion is None:
        say(f"The registry at {store.shown} has no model yet: the starter is used.")
        return _starter()
    return _registered(champion)


def _registered(resolved: ResolvedVersion) -> FoundModel:
    return FoundModel(resolved.bundle, resolved.lineage, resolved.description)


def _starter() -> FoundModel:
    from tintype.models.lineage import starter_lineage
    from tintype.models.starter import starter_bundle

    return FoundModel(starter_bundle(), starter_lineage(), "Its card says it, below.")


@contextmanager
def _needing_mlflow(model: str) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise TintypeError(
            f"{missing_package(f'{model} is in the registry, which', error.name, 'pipeline')} "
            f"Or name a bundle's folder with --model, or `--model {STARTER}` for the model that comes along."
        ) from None


def _in_folder(folder: Path) -> FoundModel:
    from tintype.models.bundle import read_info
    from tintype.models.lineage import unregistered_lineage

    if not folder.is_dir():
        raise UsageError(
            f"Expected a bundle's folder, a {SCHEME} address or {STARTER} as model. Received: {folder}."
        )
    lineage = unregistered_lineage(read_info(folder))
    return FoundModel(folder, _with_registration(lineage, folder))


def _with_registration(lineage: Lineage, bundle: Path) -> Lineage:
    """The lineage of a bundle's folder, completed by what the pipeline's last registration says of it."""
    try:
        registered = json.loads((bundle.resolve().parents[1] / _REGISTERED).read_bytes())
        if registered["bundle_sha256"] != lineage.bundle_sha256:
            return lineage  # of another bundle, before or after this one
        return replace(
            lineage,
            name=registered["name"],
            version=str(registered["version"]),
            run_id=registered["run_id"],
        )
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return lineage  # it is a fact less, not an error: the digest still names the bundle
