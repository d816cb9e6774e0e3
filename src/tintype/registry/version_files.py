"""The files of a version: where they lie, and that they are the ones that were registered."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tintype.registry.store import RegistryError, Store, waiting_for_files

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

SCHEME = "models:/"


def bundle_of(client: MlflowClient, store: Store, version: ModelVersion) -> Path:
    """A version's bundle on this machine: in the store itself, else a copy in the user's cache, fetched once.

    Raises
    ------
    RegistryError
        If there are no files.
    """
    from tintype.registry.mlflow_model import bundle_in

    location = client.get_model_version_download_uri(version.name, version.version)
    if not _is_here(location):
        return bundle_in(_fetched(store, version, location))
    folder = _folder_at(location)
    if not folder.is_dir():
        raise RegistryError(
            f"Expected the files of version {version.version} of {version.name} in {folder}, but there are none. "
            "If the project was moved, move it back, or remove its store and register anew."
        )
    return bundle_in(folder)


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
    expected = version.tags.get("bundle_sha256", received)  # people may register a model by hand
    if received != expected:
        raise RegistryError(
            f"Expected the bundle of {SCHEME}{version.name}/{version.version} to have the digest {expected}. "
            f"Received: {received}, in {bundle}. "
            "Its files were exchanged after it was registered: do not use it; register the bundle anew."
        )
    return received


def check_files(client: MlflowClient, store: Store, version: ModelVersion) -> None:
    """Make sure that the store has a version's files, all of them and the ones that were registered.

    Nothing is loaded and no earlier copy is trusted: what a server keeps is fetched anew and thrown away. Whoever moves
    an alias asks this first, so that it leads to files that can be used.

    Parameters
    ----------
    client : MlflowClient
        From `tintype.registry.store.connect`.
    store : Store
        The same.
    version : ModelVersion
        Which.

    Raises
    ------
    RegistryError
        If they are missing, damaged or others.
    """
    from mlflow.exceptions import MlflowException

    from tintype.models.bundle import BundleError
    from tintype.registry.mlflow_model import bundle_in

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
    from tintype.registry.mlflow_model import bundle_in

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
