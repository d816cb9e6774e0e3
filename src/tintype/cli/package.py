"""`tintype package`: a model becomes a Bento."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tintype.cli.arguments import Model, Variant
from tintype.cli.console import print_line, print_note
from tintype.cli.serve import needs_bentoml
from tintype.errors import UsageError
from tintype.find_model import MODEL, SCHEME, find_model

if TYPE_CHECKING:
    from tintype.serving.packing.build import Packed


def package(
    model: Model = None,
    alias: Annotated[
        str | None,
        typer.Option(
            "--alias",
            metavar="ALIAS",
            help="Pack the version that has this alias, such as champion, instead of --model.",
            show_default=False,
        ),
    ] = None,
    variant: Variant = "cpu",
) -> None:
    """Pack a model as a Bento.

    The Bento holds the model's lineage and pinned requirements. Run it in the project's folder.
    """
    if alias is not None and model is not None:
        raise UsageError(f"Expected --model or --alias. Received both: {model} and {alias}.")
    packed = package_version(f"{SCHEME}{MODEL}@{alias}" if alias is not None else model, variant)
    print_line(f"{'Built' if packed.anew else 'Unchanged:'} {packed.tag} with the model {packed.model}")
    print_line(f"In {packed.path}")
    home = f"BENTOML_HOME={shlex.quote(os.environ['BENTOML_HOME'])} " if "BENTOML_HOME" in os.environ else ""
    print_line(f"Serve it:   {home}bentoml serve {packed.tag}")
    print_line(f"An image:   {home}bentoml containerize {packed.tag}")


def package_version(model: str | None, variant: str) -> Packed:
    """The Bento of a version, by the source in the current folder; one that is in BentoML's store is not built again.

    Parameters
    ----------
    model : str or None
        As `tintype.find_model.find_model` takes it. An alias is looked up once: what is built is one version.
    variant : str
        ``cpu`` or ``gpu``.

    Raises
    ------
    TintypeError
        If there is no such version, something that it takes is missing, or BentoML cannot build it.
    """
    needs_bentoml()
    from tintype.serving.packing.build import build_bento
    from tintype.serving.packing.requirements import VARIANTS

    found = find_model(model, print_note)
    project = Path.cwd()
    return build_bento(
        project, found.bundle, found.lineage, VARIANTS[variant], found.judgement, _commit(project)
    )


def _commit(project: Path) -> str:
    """The commit of the source that is packed; empty without git, or if it was changed since."""
    from tintype.registry.lineage import code_tags

    tags = code_tags(project)
    return "" if tags.get("git_dirty") == "true" else tags.get("git_commit", "")
