"""Versions: finding and making them; where their files lie, and that they are the ones that were registered."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tintype.registry import tags
from tintype.registry.history import CHAMPION
from tintype.registry.store import SCHEME, RegistryError, Store, waiting_for_files

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

_MODEL_FILE = "MLmodel"  # MLflow's description of a model, beside the model's files


def find_version(client: MlflowClient, name: str, digest: str) -> ModelVersion | None:
    """The version of a bundle, by its digest; the newest if people made several."""
    found = client.search_model_versions(f"name = '{name}' AND tags.{tags.BUNDLE} = '{digest}'")
    return max(found, key=lambda version: int(version.version), default=None)


def champion_of(client: MlflowClient, name: str) -> ModelVersion | None:
    """The version in service; None if there is none."""
    number = client.get_registered_model(name).aliases.get(CHAMPION)
    return None if number is None else client.get_model_version(name, str(number))


def first_version(client: MlflowClient, name: str, digest: str) -> ModelVersion | None:
    """The oldest version of a bundle."""
    found = client.search_model_versions(f"name = '{name}' AND tags.{tags.BUNDLE} = '{digest}'")
    return min(found, key=lambda version: int(version.version), default=None)


def create_version(
    client: MlflowClient, name: str, model_id: str, run_id: str, values: dict[str, str]
) -> ModelVersion:
    """Make a logged model a version, with its lineage as tags; the first one wins if two machines do so at once."""
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name, description="Turns black-and-white photographs into colour.")
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    version = client.create_model_version(name, f"{SCHEME}{model_id}", run_id, tags=values, model_id=model_id)
    first = first_version(client, name, values[tags.BUNDLE])
    if first is not None and int(first.version) < int(version.version):
        client.delete_model_version(name, version.version)
        client.delete_logged_model(model_id)
        return first
    # By this tag MLflow's pages lead from the model to its versions.
    link = [{"name": name, "version": int(version.version)}]
    client.set_logged_model_tags(model_id, {"mlflow.modelVersions": json.dumps(link)})
    return version


def model_id_of(version: ModelVersion) -> str:
    """The id of the logged model behind a version."""
    # MLflow fills `version.model_id` only on some stores; the source has it on all.
    return str(version.source).removeprefix(SCHEME)


def bundle_of(client: MlflowClient, store: Store, version: ModelVersion) -> Path:
    """A version's bundle on this machine: in the store itself, else a copy in the user's cache, fetched once.

    Raises
    ------
    RegistryError
        If there are no files.
    """
    location = client.get_model_version_download_uri(version.name, version.version)
    if not _is_here(location):
        return bundle_in(_fetched(store, version, location))
    folder = _folder_at(location)
    if not folder.is_dir():
        raise RegistryError(
            f"Expected the files of version {version.version} of {version.name} in {folder}, but there are none. "
            "Put them back, or register its bundle anew."
        )
    return bundle_in(folder)


def bundle_in(folder: Path) -> Path:
    """The bundle in an MLflow model's folder."""
    from mlflow.models import Model

    path: str = Model.load(str(folder)).flavors["python_function"]["artifacts"]["bundle"]["path"]
    return folder / path


def check_bundle(bundle: Path, version: ModelVersion) -> str:
    """The digest of a bundle, which must be the one that was registered, by SHA-256, before anything loads it.

    Raises
    ------
    RegistryError
        If it is another one.
    BundleError
        If its files are missing or damaged.
    """
    from tintype.models.bundle import bundle_digest, read_info

    received = bundle_digest(read_info(bundle))
    expected = version.tags.get(tags.BUNDLE, received)  # people may register a model by hand
    if received != expected:
        raise RegistryError(
            f"Expected the bundle of {SCHEME}{version.name}/{version.version} to have the digest {expected}. "
            f"Received: {received}, in {bundle}. "
            "Its files were exchanged after it was registered: do not use it; register the bundle anew."
        )
    return received


def check_files(client: MlflowClient, store: Store, version: ModelVersion) -> None:
    """Make sure that the store has a version's files, all of them and the ones that were registered.

    Nothing is loaded and no earlier copy is trusted: files on a server are fetched anew and thrown away. It is called
    before an alias is moved, so that the alias leads to files that can be used.

    Raises
    ------
    RegistryError
        If they are missing, damaged or others.
    """
    from mlflow.exceptions import MlflowException

    from tintype.models.bundle import BundleError

    location = client.get_model_version_download_uri(version.name, version.version)
    with _place_for(location) as place:
        try:
            folder = place if _is_here(location) else _download(store, location, place)
            check_bundle(bundle_in(folder), version)
        except (BundleError, RegistryError, MlflowException, OSError) as error:
            reason = " ".join(str(error).replace(str(place), location).split()).removesuffix(".")
            raise RegistryError(
                f"Expected the files of version {version.version} of {version.name}, whole, at {location}. "
                f"Received: {reason}. No alias is moved to it: register its bundle anew, or choose another version."
            ) from None


def missing_files(client: MlflowClient, store: Store, version: ModelVersion) -> list[str]:
    """The files that a version made by `register` should have and its store has not, as paths in the version's folder.

    Their content is checked where they are loaded.
    """
    from mlflow.artifacts import download_artifacts
    from mlflow.models import Model

    model_id = model_id_of(version)
    if _MODEL_FILE not in _names(client, model_id, None):
        return [_MODEL_FILE]
    location = client.get_model_version_download_uri(version.name, version.version).rstrip("/")
    with tempfile.TemporaryDirectory() as scratch, waiting_for_files():
        description = Model.load(
            download_artifacts(f"{location}/{_MODEL_FILE}", dst_path=scratch, tracking_uri=store.uri)
        )
    bundle = Path(description.flavors["python_function"]["artifacts"]["bundle"]["path"])
    wanted = [bundle / name for name in ("bundle.json", *(description.metadata or {}).get("files", {}))]
    found = {folder: _names(client, model_id, folder) for folder in {path.parent for path in wanted}}
    return sorted(path.as_posix() for path in wanted if path.name not in found[path.parent])


def _names(client: MlflowClient, model_id: str, folder: Path | None) -> set[str]:
    listed = client.list_logged_model_artifacts(model_id, None if folder is None else folder.as_posix())
    return {Path(item.path).name for item in listed if not item.is_dir}


@contextmanager
def _place_for(location: str) -> Iterator[Path]:
    """The folder itself if it is on this machine, else an empty one for a copy."""
    if _is_here(location):
        yield _folder_at(location)
        return
    with tempfile.TemporaryDirectory() as scratch:
        yield Path(scratch)


def _is_here(location: str) -> bool:
    return urlsplit(location).scheme in ("", "file")


def _folder_at(location: str) -> Path:
    from mlflow.utils.file_utils import local_file_uri_to_path

    return Path(local_file_uri_to_path(location))


def _fetched(store: Store, version: ModelVersion, location: str) -> Path:
    """A copy of a version's files, fetched once; one that is not whole is not kept."""
    from tintype.files.atomic import new_folder

    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tintype" / "versions"
    # The same number is another version in another store.
    folder = cache / hashlib.sha256(f"{store.uri} {location}".encode()).hexdigest()[:16]
    if not folder.is_dir():
        with new_folder(folder) as part:
            check_bundle(bundle_in(_download(store, location, part)), version)
    return folder / PurePosixPath(urlsplit(location).path).name


def _download(store: Store, location: str, into: Path) -> Path:
    from mlflow.artifacts import download_artifacts

    with waiting_for_files():
        return Path(download_artifacts(artifact_uri=location, dst_path=str(into), tracking_uri=store.uri))
