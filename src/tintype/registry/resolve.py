"""From a version's address to its bundle on this machine."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tintype.imaging.provenance import Lineage
from tintype.registry.store import SQLITE, VARIABLE, RegistryError, Store, answering, connect, find_store

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

SCHEME = "models:/"


class NoSuchVersionError(RegistryError):
    """The registry answers, but does not hold the version."""


@dataclass(frozen=True)
class ResolvedVersion:
    """A version as it stood when it was asked for: an alias may move a moment later."""

    bundle: Path
    lineage: Lineage
    description: str = ""  # Markdown, with the figures of its evaluation


_ADDRESS = re.compile(r"models:/(?P<name>[^@/]+)(?:@(?P<alias>[^@/]+)|/(?P<version>\d+))")


def resolve(uri: str, store: Store | None = None) -> Path:
    """The folder of a registered bundle: `resolve_version` for those who need nothing else of it."""
    return resolve_version(uri, store).bundle


def resolve_version(uri: str, store: Store | None = None) -> ResolvedVersion:
    """A registered bundle and where it comes from.

    Parameters
    ----------
    uri : str
        ``models:/tintype@champion`` (by alias) or ``models:/tintype/3`` (by number).
    store : Store, optional
        Where to look; the project's if not given.

    Returns
    -------
    ResolvedVersion
        The bundle lies in the store itself if that is on this machine; else it is a copy in the user's cache,
        fetched once.

    Raises
    ------
    RegistryError
        If the store does not answer, there is no such version, or its bundle is not the one registered.
    BundleError
        If its files are missing or damaged.
    """
    store = store or find_store()
    client, version = _looked_up(uri, store)
    with answering(store):
        bundle = _bundle(client, store, version)
    digest = _check(bundle, uri, version)
    return ResolvedVersion(
        bundle, replace(lineage_of(version), bundle_sha256=digest), version.description or ""
    )


def exact_address(uri: str) -> str:
    """The address by number of what an alias names now; its files are not looked at.

    Parameters
    ----------
    uri : str
        ``models:/tintype@champion``.

    Returns
    -------
    str
        ``models:/tintype/3``, which always means the same.

    Raises
    ------
    RegistryError
        If the store does not answer or there is no such version.
    """
    _, version = _looked_up(uri, find_store())
    return f"{SCHEME}{version.name}/{version.version}"


def _looked_up(uri: str, store: Store) -> tuple[MlflowClient, ModelVersion]:
    address = _ADDRESS.fullmatch(uri)
    if address is None:
        raise RegistryError(
            f"Expected a registered model as models:/NAME@ALIAS or models:/NAME/VERSION. Received: {uri}."
        )
    if not _exists(store):
        raise RegistryError(
            f"Expected {uri} in the MLflow store at {store.shown}, but there is none yet. Run `dvc repro`."
        )
    client = connect(store)
    with answering(store):
        return client, _version(client, uri, **address.groupdict())


def store_at_hand() -> Store | None:
    """The store that a command uses when no model is named.

    It is found by its address alone: nothing is imported and nothing is made.

    Returns
    -------
    Store or None
        None if `MLFLOW_TRACKING_URI` is not set and no project here has a store of its own yet.
    """
    try:
        store = find_store()
    except RegistryError:
        return None
    # One that a person named counts even if it does not answer: another model in its place would be a surprise.
    return store if os.environ.get(VARIABLE) or _exists(store) else None


def resolve_champion(name: str, store: Store) -> ResolvedVersion | None:
    """The version in service.

    Parameters
    ----------
    name : str
        Of the registered model.
    store : Store
        Where to look.

    Returns
    -------
    ResolvedVersion or None
        None if the registry has no version of the model at all. One that has versions but no champion has lost it to
        a person, and is an error.

    Raises
    ------
    RegistryError, BundleError
        As `resolve_version`.
    """
    try:
        return resolve_version(f"{SCHEME}{name}@champion", store)
    except NoSuchVersionError:
        client = connect(store)
        with answering(store):
            if client.search_model_versions(f"name = '{name}'", max_results=1):
                raise
        return None


def _exists(store: Store) -> bool:
    return not store.uri.startswith(SQLITE) or Path(store.uri.removeprefix(SQLITE)).is_file()


def lineage_of(version: ModelVersion) -> Lineage:
    """Where a version comes from, by its tags; what they do not tell is empty."""
    tags = version.tags
    return Lineage(
        name=version.name,
        version=str(version.version),
        bundle_sha256=tags.get("bundle_sha256", ""),
        run_id=version.run_id or "",
        git_commit=tags.get("git_commit", ""),
        dvc_lock_sha256=tags.get("dvc_lock_sha256", ""),
        manifest_sha256=tags.get("manifest_sha256", ""),
    )


def _version(
    client: MlflowClient, uri: str, name: str, alias: str | None, version: str | None
) -> ModelVersion:
    from mlflow.exceptions import MlflowException

    try:
        return (
            client.get_model_version_by_alias(name, alias)
            if alias
            else client.get_model_version(name, version)
        )
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
    raise NoSuchVersionError(f"There is no {uri} in the registry. {_what_there_is(client, name)}")


def _what_there_is(client: MlflowClient, name: str) -> str:
    models = {model.name: model for model in client.search_registered_models()}
    if not models:
        return (
            "It has no models yet: `dvc repro` registers one "
            "(`dvc repro --single-item --force register` if it says that all is up to date)."
        )
    if name not in models:
        return f"It has the models {', '.join(sorted(models))}."
    versions = sorted(int(version.version) for version in client.search_model_versions(f"name = '{name}'"))
    aliases = ", ".join(
        f"{alias} (version {number})" for alias, number in sorted(models[name].aliases.items())
    )
    return f"{name} has the versions {', '.join(map(str, versions)) or 'none'} and the aliases {aliases or 'none'}."


def _bundle(client: MlflowClient, store: Store, version: ModelVersion) -> Path:
    from mlflow.utils.file_utils import local_file_uri_to_path

    from tintype.registry.mlflow_model import bundle_in

    location = client.get_model_version_download_uri(version.name, version.version)
    if urlsplit(location).scheme not in ("", "file"):
        return bundle_in(_fetched(store, version, location))
    folder = Path(local_file_uri_to_path(location))
    if not folder.is_dir():
        raise RegistryError(
            f"Expected the files of version {version.version} of {version.name} in {folder}, but there are none. "
            "If the project was moved, move it back, or remove its store and register anew."
        )
    return bundle_in(folder)


def _fetched(store: Store, version: ModelVersion, location: str) -> Path:
    """A copy of a version's files, fetched once."""
    import hashlib

    from mlflow.artifacts import download_artifacts

    from tintype.files.atomic import new_folder

    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tintype" / "versions"
    # The same number is another version in another store.
    folder = cache / hashlib.sha256(f"{store.uri} {location}".encode()).hexdigest()[:16]
    if not folder.is_dir():
        with new_folder(folder) as part:
            download_artifacts(artifact_uri=location, dst_path=str(part), tracking_uri=store.uri)
    return folder / PurePosixPath(urlsplit(location).path).name


def _check(bundle: Path, uri: str, version: ModelVersion) -> str:
    """The digest of the bundle, which must be the one that was registered, by SHA-256, before anything loads it."""
    from tintype.models.bundle import bundle_digest, read_info

    received = bundle_digest(read_info(bundle))
    expected = version.tags.get("bundle_sha256", received)  # people may register a model by hand
    if received != expected:
        raise RegistryError(
            f"Expected the bundle of {uri} to have the digest {expected}. Received: {received}, in {bundle}. "
            "Its files were exchanged after it was registered: do not use it; register the bundle anew."
        )
    return received
