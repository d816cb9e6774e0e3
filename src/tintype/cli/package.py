"""`tintype package`: a model becomes a Bento."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tintype.cli.console import print_error, print_line
from tintype.cli.serve import needs_bentoml
from tintype.cli.version import MODEL, SCHEME, find_version
from tintype.errors import TintypeError

if TYPE_CHECKING:
    from tintype.serving.packing.build import Packed


def run(model: str | None, alias: str | None, variant: str) -> int:
    """Build the Bento and say what it is.

    Parameters
    ----------
    model : str or None
        As `tintype.cli.version.find_version` takes it.
    alias : str or None
        In the registry, instead of `model`.
    variant : str
        ``cpu`` or ``gpu``.

    Returns
    -------
    int
        0 it is in BentoML's store, 1 it could not be built, 2 the command cannot be meant so.
    """
    if alias is not None and model is not None:
        print_error(f"error: Expected --model or --alias. Received both: {model} and {alias}.")
        return 2
    try:
        packed = package_version(f"{SCHEME}{MODEL}@{alias}" if alias is not None else model, variant)
    except TintypeError as error:
        print_error(f"error: {error}")
        return 1
    print_line(f"{'Built' if packed.anew else 'Unchanged:'} {packed.tag} with the model {packed.model}")
    print_line(f"In {packed.path}")
    print_line(f"Serve it:   bentoml serve {packed.tag}")
    print_line(f"An image:   bentoml containerize {packed.tag}")
    return 0


def package_version(model: str | None, variant: str) -> Packed:
    """The Bento of a version, by the source in the current folder; one that is in BentoML's store is not built again.

    Parameters
    ----------
    model : str or None
        As `tintype.cli.version.find_version` takes it. An alias is looked up once: what is built is one version.
    variant : str
        ``cpu`` or ``gpu``.

    Returns
    -------
    Packed

    Raises
    ------
    TintypeError
        If there is no such version, something that it takes is missing, or BentoML cannot build it.
    """
    needs_bentoml()
    from tintype.serving.packing.build import build_bento
    from tintype.serving.packing.variants import VARIANTS

    found = find_version(model)
    project = Path.cwd()
    return build_bento(
        project, found.bundle, found.lineage, VARIANTS[variant], found.judgement, _commit(project)
    )


def _commit(project: Path) -> str:
    """The commit of the source that is packed; empty without git, or if it was changed since."""
    from tintype.registry.lineage import code_tags

    tags = code_tags(project)
    return "" if tags.get("git_dirty") == "true" else tags.get("git_commit", "")
