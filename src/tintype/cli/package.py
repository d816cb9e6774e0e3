"""`tintype package`: a model becomes a Bento."""

from __future__ import annotations

from pathlib import Path

from tintype.cli.console import print_error, print_line
from tintype.cli.serve import needs_bentoml
from tintype.cli.version import find_version
from tintype.errors import TintypeError


def run(model: str | None, variant: str) -> int:
    """Build the Bento and say what it is.

    Parameters
    ----------
    model : str or None
        As `tintype.cli.version.find_version` takes it.
    variant : str
        ``cpu`` or ``gpu``.

    Returns
    -------
    int
        0 it is in BentoML's store, 1 it could not be built.
    """
    try:
        needs_bentoml()
        from tintype.serving.packing.build import build_bento
        from tintype.serving.packing.variants import VARIANTS

        found = find_version(model)
        project = Path.cwd()
        packed = build_bento(
            project, found.bundle, found.lineage, VARIANTS[variant], found.judgement, _commit(project)
        )
    except TintypeError as error:
        print_error(f"error: {error}")
        return 1
    print_line(f"{'Built' if packed.anew else 'Unchanged:'} {packed.tag} with the model {packed.model}")
    print_line(f"In {packed.path}")
    print_line(f"Serve it:   bentoml serve {packed.tag}")
    print_line(f"An image:   bentoml containerize {packed.tag}")
    return 0


def _commit(project: Path) -> str:
    """The commit of the source that is packed; empty without git, or if it was changed since."""
    from tintype.registry.lineage import code_tags

    tags = code_tags(project)
    return "" if tags.get("git_dirty") == "true" else tags.get("git_commit", "")
