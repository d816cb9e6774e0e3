"""The model as BentoML keeps it: a bundle and its lineage under an exact tag.

Workspace and built Bento load it the same way. The tag names the version and the bundle's content, such as
``tintype:v3-1a8b4bf73d0f``; nothing is ever looked up as ``latest``, which moves.
"""

from __future__ import annotations

import json
import logging
import shutil
from dataclasses import asdict
from pathlib import Path

import bentoml
from bentoml.exceptions import BentoMLException

from tintype.errors import TintypeError
from tintype.imaging.provenance import Lineage
from tintype.models.bundle import BundleError, bundle_digest, read_info
from tintype.models.lineage import unregistered_lineage
from tintype.serving.model.served_version_file import ServedVersion, read_served_version
from tintype.serving.settings import Settings

BUNDLE = "bundle"
LINEAGE = "lineage.json"
_log = logging.getLogger("bentoml.tintype")
_DIGITS = 12  # of the digest: enough to tell bundles apart, short enough to read


class ModelError(TintypeError):
    """The model is not in BentoML's store, or is not what its tag says."""


def model_tag(lineage: Lineage) -> str:
    """The tag that names a model in BentoML's store.

    Parameters
    ----------
    lineage : Lineage
        With `bundle_sha256`.

    Returns
    -------
    str
        Such as ``tintype:v3-1a8b4bf73d0f``; ``tintype:starter-...`` for what has a name for a number, and
        ``tintype:unregistered-...`` where there is neither.
    """
    version = f"v{lineage.version}" if lineage.version.isdecimal() else lineage.version or "unregistered"
    return f"{lineage.name}:{version}-{lineage.bundle_sha256[:_DIGITS]}".lower()


def import_version(bundle: Path, lineage: Lineage) -> str:
    """Put a bundle into BentoML's store, unless it is there.

    Parameters
    ----------
    bundle : Path
        The folder.
    lineage : Lineage
        Where it comes from; its `bundle_sha256` is the bundle's.

    Returns
    -------
    str
        The exact tag.

    Raises
    ------
    BundleError
        If the bundle is not whole.
    ModelError
        If the bundle is not the one that the lineage names, or the store cannot be written.
    """
    tag = model_tag(lineage)
    _check_digest(bundle, lineage)
    if _stored(tag) == lineage:
        return tag
    try:
        _remove(tag)
        with bentoml.models.create(tag, metadata={"lineage": asdict(lineage)}) as model:
            shutil.copytree(bundle, Path(model.path_of(BUNDLE)))
            Path(model.path_of(LINEAGE)).write_text(_as_json(lineage), encoding="utf-8")
    except (BentoMLException, OSError) as error:
        if _stored(tag) != lineage:  # else another process was faster
            raise ModelError(
                f"Expected to put {tag} into BentoML's store. Received: {error}. "
                "Check that BENTOML_HOME can be written to and has room."
            ) from error
    return tag


def load_packed(tag: str) -> tuple[Path, Lineage]:
    """The bundle and lineage behind a tag, checked against each other.

    Parameters
    ----------
    tag : str
        As `import_version` gave it.

    Returns
    -------
    bundle : Path
        The folder, in BentoML's store or in the Bento itself.
    lineage : Lineage

    Raises
    ------
    ModelError
        If there is no such model, or its bundle is not the one that its lineage names.
    BundleError
        If the bundle is not whole.
    """
    try:
        model = bentoml.models.get(tag)
        lineage = Lineage(**json.loads(Path(model.path_of(LINEAGE)).read_bytes()))
    except (BentoMLException, OSError, ValueError, TypeError) as error:
        raise ModelError(
            f"Expected the model {tag} in BentoML's store. Received: {error}. "
            "Run `tintype serve` or `tintype package`, which put it there."
        ) from error
    bundle = Path(model.path_of(BUNDLE))
    _check_digest(bundle, lineage)
    return bundle, lineage


def find_model(settings: Settings) -> tuple[Path, Lineage]:
    """The bundle to serve, checked against its checksums; nothing is loaded yet.

    Parameters
    ----------
    settings : Settings
        A file of the served version wins over a bundle's folder, and that over a packed model.

    Returns
    -------
    bundle : Path
    lineage : Lineage

    Raises
    ------
    BundleError, ModelError, ServedVersionError
        If there is none or it is damaged.
    """
    if settings.pointer is not None:
        return _newest_undamaged(read_served_version(settings.pointer))
    if settings.bundle is not None:
        return settings.bundle, unregistered_lineage(read_info(settings.bundle))
    if settings.model:
        return load_packed(settings.model)
    raise ModelError(
        "Expected a model to serve. Received: none. Run `tintype serve`, or set TINTYPE_BUNDLE to a bundle's folder."
    )


def _newest_undamaged(version: ServedVersion) -> tuple[Path, Lineage]:
    """The version that the file names, or the newest before it that is not damaged."""
    for tag in version.before:
        try:
            return load_packed(version.model)
        except TintypeError as error:
            _log.error("%s", error)
            version = version.model_copy(update={"model": tag})
    return load_packed(version.model)


def _check_digest(bundle: Path, lineage: Lineage) -> None:
    received = bundle_digest(read_info(bundle))
    if received != lineage.bundle_sha256:
        raise ModelError(
            f"Expected the bundle in {bundle} to have the digest {lineage.bundle_sha256}. Received: {received}. "
            "Its files were exchanged: pack the version anew."
        )


def _stored(tag: str) -> Lineage | None:
    """The lineage of a whole model in the store; None for one that is missing, cut off or damaged."""
    try:
        return load_packed(tag)[1]
    except (ModelError, BundleError):
        return None


def _remove(tag: str) -> None:
    """Make room for a tag: an import that was killed leaves half a model, which BentoML would keep for whole."""
    try:
        bentoml.models.delete(tag)
    except bentoml.exceptions.NotFound:
        return


def _as_json(lineage: Lineage) -> str:
    return json.dumps(asdict(lineage), indent=2) + "\n"
