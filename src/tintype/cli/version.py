"""A model that a person names: a version of the registry, or a bundle's folder that was never registered."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tintype.errors import TintypeError
from tintype.imaging.provenance import Lineage

SCHEME = "models:/"


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


def find_version(model: str) -> FoundVersion:
    """The version that `--model` means.

    Parameters
    ----------
    model : str
        ``models:/NAME@ALIAS``, ``models:/NAME/VERSION`` or a folder.

    Returns
    -------
    FoundVersion

    Raises
    ------
    TintypeError
        If there is no such version or folder, or its bundle is not whole.
    """
    if not model.startswith(SCHEME):
        return _in_folder(Path(model))
    try:
        from tintype.registry.resolve import resolve_version
    except ModuleNotFoundError as error:
        raise TintypeError(
            f"{model} is in the registry, which needs the package {error.name}: run `uv sync --group pipeline`. "
            "Or name a bundle's folder with --model."
        ) from None
    resolved = resolve_version(model)
    return FoundVersion(resolved.bundle, resolved.lineage, resolved.description)


def _in_folder(folder: Path) -> FoundVersion:
    from tintype.models.bundle import bundle_digest, read_info

    if not folder.is_dir():
        raise TintypeError(
            f"Expected a bundle's folder or a models:/ address as model. Received: {folder}, which is no folder."
        )
    info = read_info(folder)
    lineage = Lineage(
        name=info.name, bundle_sha256=bundle_digest(info), manifest_sha256=info.data.manifest_sha256
    )
    return FoundVersion(folder, lineage)
