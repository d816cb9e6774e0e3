"""The model that a person means, and what is known of where it comes from."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from tintype.cli.version import SCHEME, STARTER, FoundVersion, find_version
from tintype.errors import UsageError
from tintype.imaging.provenance import Lineage

_REGISTERED = Path("reports/register.json")  # below the project whose pipeline made the bundle


def find_model(model: str | None) -> FoundVersion:
    """The model that `--model` means.

    Parameters
    ----------
    model : str or None
        As `tintype.cli.version.find_version` takes it.

    Returns
    -------
    FoundVersion
        The lineage of a bundle's folder has version and run if the pipeline beside it registered this very bundle.

    Raises
    ------
    TintypeError
        If there is no such folder or version.
    """
    if model not in (None, STARTER) and not model.startswith(SCHEME) and not Path(model).is_dir():
        raise UsageError(
            f"Expected a bundle's folder, a models:/ address or {STARTER} as model. Received: {model}."
        )
    found = find_version(model)
    return replace(found, lineage=_with_registration(found.lineage, found.bundle))


def _with_registration(lineage: Lineage, bundle: Path) -> Lineage:
    """The lineage of an unregistered folder, completed by what the pipeline's last registration says of it."""
    if lineage.version:
        return lineage
    try:
        said = json.loads((bundle.resolve().parents[1] / _REGISTERED).read_bytes())
        if said["bundle_sha256"] != lineage.bundle_sha256:
            return lineage  # of another bundle, before or after this one
        return replace(lineage, name=said["name"], version=str(said["version"]), run_id=said["run_id"])
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return lineage  # it is a fact less, not an error: the digest still names the bundle
