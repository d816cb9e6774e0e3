"""From a version's address to its bundle on this machine."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tintype.imaging.provenance import Lineage
from tintype.registry import tags
from tintype.registry.store import (
    NOT_FOUND,
    SCHEME,
    SQLITE,
    VARIABLE,
    RegistryError,
    Store,
    answering,
    connect,
    find_store,
)
from tintype.registry.versions import bundle_of, check_bundle

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion


class NoSuchVersionError(RegistryError):
    """The registry answers, but does not hold the version."""


@dataclass(frozen=True)
class ResolvedVersion:
    """A version as it was when it was looked up; an alias may move a moment later."""

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
    parts = _parts(uri)
    store, client = open_registry(uri, store)
    with answering(store):
        version = _version(client, uri, **parts)
        bundle = bundle_of(client, store, version)
    digest = check_bundle(bundle, version)
    return ResolvedVersion(
        bundle, replace(lineage_of(version), bundle_sha256=digest), version.description or ""
    )


def exact_address(uri: str) -> str:
    """The address by number, such as ``models:/tintype/3``, of what ``models:/tintype@champion`` names now.

    The version's files are not looked at.

    Raises
    ------
    RegistryError
        If the store does not answer or there is no such version.
    """
    store, client = open_registry(uri, None)
    with answering(store):
        version = version_at(client, uri)
    return f"{SCHEME}{version.name}/{version.version}"


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
    """The version in service; None if the registry has no version of the model at all.

    A model that has versions but no champion has lost it to a person, which is an error.

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


def open_registry(wanted: str, store: Store | None = None) -> tuple[Store, MlflowClient]:
    """The registry, the project's if none is given, and a client of it; asking does not make one.

    The error says that `wanted` is not there.

    Raises
    ------
    RegistryError
        If there is none yet, or it does not answer.
    """
    store = store or find_store()
    if not _exists(store):
        raise RegistryError(
            f"Expected {wanted} in the MLflow store at {store.shown}, but there is none yet. Run `dvc repro`."
        )
    return store, connect(store)


def version_at(client: MlflowClient, uri: str) -> ModelVersion:
    """The version of an address as `resolve_version` takes it; its files are not looked at.

    Raises
    ------
    RegistryError
        If the registry does not have it, or it is no address.
    """
    return _version(client, uri, **_parts(uri))


def what_there_is(client: MlflowClient, name: str) -> str:
    """A sentence on the versions and aliases of a model, or else the models, for an error's end."""
    models = {model.name: model for model in client.search_registered_models()}
    if not models:
        return (
            "It has no models yet: `dvc repro` registers one "
            "(`dvc repro --single-item --force register` if it says that all is up to date)."
        )
    if name not in models:
        return f"It has the models {', '.join(sorted(models))}."
    found = client.search_model_versions(f"name = '{name}'")
    versions = [
        f"{version.version} (verdict: fail)"
        if version.tags.get(tags.VERDICT) == tags.FAIL
        else version.version
        for version in sorted(found, key=lambda version: int(version.version))
    ]
    aliases = ", ".join(
        f"{alias} (version {number})" for alias, number in sorted(models[name].aliases.items())
    )
    return f"{name} has the versions {', '.join(map(str, versions)) or 'none'} and the aliases {aliases or 'none'}."


def _parts(uri: str) -> dict[str, Any]:
    address = _ADDRESS.fullmatch(uri)
    if address is None:
        raise RegistryError(
            f"Expected a registered model as models:/NAME@ALIAS or models:/NAME/VERSION. Received: {uri}."
        )
    return address.groupdict()


def _exists(store: Store) -> bool:
    return not store.uri.startswith(SQLITE) or Path(store.uri.removeprefix(SQLITE)).is_file()


def lineage_of(version: ModelVersion) -> Lineage:
    """Where a version comes from, by its tags; what they do not say is empty."""
    values = version.tags
    return Lineage(
        name=version.name,
        version=str(version.version),
        bundle_sha256=values.get(tags.BUNDLE, ""),
        run_id=version.run_id or "",
        git_commit=values.get(tags.COMMIT, ""),
        dvc_lock_sha256=values.get(tags.DVC_LOCK, ""),
        manifest_sha256=values.get(tags.MANIFEST, ""),
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
        if error.error_code not in NOT_FOUND:
            raise
    raise NoSuchVersionError(f"There is no {uri} in the registry. {what_there_is(client, name)}")
