"""From what a photo says of its model back to the version in the registry, the run, the code and the data."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tintype.files.digest import sha256_of
from tintype.imaging.provenance import Lineage
from tintype.registry import tags
from tintype.registry.dvc_state import read_lock
from tintype.registry.resolve import lineage_of
from tintype.registry.store import NOT_FOUND, SQLITE, RegistryError, Store, answering, connect, find_store

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

KEPT_LOCK = "lineage/dvc.lock"  # among a run's files, by `create_version`


@dataclass(frozen=True)
class Trace:
    """A version as the registry knows it now.

    Attributes
    ----------
    lineage : Lineage
        In the registry's words.
    aliases : tuple of str
        That point to it now, sorted.
    run_name : str
        Of the run that trained it; empty if the store no longer has the run.
    kept_lock : str
        Content of the dvc.lock with the version's hash, from the run's files; empty if it is not among them.
    store : str
        The registry's address, without a password.
    """

    lineage: Lineage
    aliases: tuple[str, ...]
    run_name: str
    kept_lock: str
    store: str


def trace_version(named: Lineage, store: Store | None = None) -> Trace:
    """Find the version that a photo was coloured by.

    Parameters
    ----------
    named : Lineage
        What the photo names as its model. The bundle's digest decides, in any registry and under any name; name and
        number count only where there is no digest.
    store : Store, optional
        Where to look; the project's if not given.

    Raises
    ------
    RegistryError
        If the store does not answer, or does not have the version.
    """
    store = store or find_store()
    if store.uri.startswith(SQLITE) and not Path(store.uri.removeprefix(SQLITE)).is_file():
        raise RegistryError(f"Expected the MLflow store at {store.shown}, but there is none yet.")
    client = connect(store)
    with answering(store):
        version = _by_digest(client, named) if named.bundle_sha256 else _by_number(client, named)
        if version is None:
            raise RegistryError(
                f"{_model_words(named)} is not in the registry at {store.shown}: it may be another project's."
            )
        aliases = client.get_registered_model(version.name).aliases
        lineage = lineage_of(version)
        return Trace(
            lineage=lineage,
            aliases=tuple(sorted(name for name, at in aliases.items() if str(at) == str(version.version))),
            run_name=_run_name(client, lineage.run_id),
            kept_lock=_kept_lock(client, lineage),
            store=store.shown,
        )


def _by_digest(client: MlflowClient, named: Lineage) -> ModelVersion | None:
    """Of several versions with the same bundle, the one that the photo names, else the newest."""
    found = client.search_model_versions(f"tags.{tags.BUNDLE} = '{named.bundle_sha256}'")
    return max(
        found,
        key=lambda version: (
            version.name == named.name,
            str(version.version) == named.version,
            int(version.version),
        ),
        default=None,
    )


def _by_number(client: MlflowClient, named: Lineage) -> ModelVersion | None:
    from mlflow.exceptions import MlflowException

    if not named.version:
        return None
    try:
        return client.get_model_version(named.name, named.version)
    except MlflowException as error:
        if error.error_code not in NOT_FOUND:
            raise
    return None


def _run_name(client: MlflowClient, run_id: str) -> str:
    from mlflow.exceptions import MlflowException

    try:
        return str(client.get_run(run_id).info.run_name or "")
    except MlflowException as error:
        if error.error_code not in NOT_FOUND:
            raise
    return ""


def _kept_lock(client: MlflowClient, lineage: Lineage) -> str:
    from mlflow.exceptions import MlflowException

    if not lineage.dvc_lock_sha256:
        return ""
    with tempfile.TemporaryDirectory() as scratch:
        try:
            lock = Path(client.download_artifacts(lineage.run_id, KEPT_LOCK, scratch))
        except (MlflowException, OSError):  # each kind of store has its own way to say that there is none
            return ""
        return read_lock(lock) if sha256_of(lock) == lineage.dvc_lock_sha256 else ""


def _model_words(named: Lineage) -> str:
    name = f"{named.name}, version {named.version}," if named.version else named.name
    return f"The model {name} with the bundle {named.bundle_sha256 or 'unknown'}"
