"""The photos that a version was trained on: the manifest of the very hash that it carries, wherever it still is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tintype.files.digest import sha256_of
from tintype.registry.dvc_lock import LOCK, outs_of, read_lock
from tintype.registry.store import RegistryError

if TYPE_CHECKING:
    import pandas as pd

_MADE_BY = "validate"
_FILE = "manifest.parquet"
_FOLDER = ".dir"  # how DVC's hash of a folder ends


@dataclass(frozen=True)
class Manifest:
    """A manifest that was found.

    Attributes
    ----------
    file : Path
        With the SHA-256 that was looked for.
    in_cache : bool
        Whether it was found in DVC's cache; else it lies in the project.
    in_lock : bool
        Whether the version's dvc.lock names it.
    """

    file: Path
    in_cache: bool
    in_lock: bool

    def photos(self) -> pd.DataFrame:
        """Path, content hash (SHA-256 of the file) and split of each photo, sorted by split and path.

        Raises
        ------
        RegistryError
            If the file is no manifest, whatever its hash.
        """
        import pandas as pd
        import pyarrow

        try:
            table = pd.read_parquet(self.file, columns=["path", "content_hash", "split"])
        except (OSError, ValueError, pyarrow.ArrowException) as error:
            raise RegistryError(f"Expected a manifest of photos in {self.file}. Received: {error}.") from None
        return table.sort_values(["split", "path"], ignore_index=True)


def find_manifest(project: Path, digest: str, lock: str) -> Manifest | None:
    """Look for a manifest in the project, then by dvc.lock in DVC's cache.

    Parameters
    ----------
    project : Path
        The folder of dvc.yaml.
    digest : str
        The manifest's SHA-256.
    lock : str
        The content of the version's dvc.lock; empty if it is not known.

    Returns
    -------
    Manifest or None
        None if it is in neither.
    """
    outs = {path: md5 for path, md5 in outs_of(lock, _MADE_BY).items() if md5.endswith(_FOLDER)}
    for path in outs or _places(project):
        file = project / path / _FILE
        if file.is_file() and sha256_of(file) == digest:
            return Manifest(file, in_cache=False, in_lock=_folder_hash(file.parent) == outs.get(path))
    cached = next(_in_cache(project, list(outs.values())), None)
    if cached is not None and sha256_of(cached) == digest:
        return Manifest(cached, in_cache=True, in_lock=True)
    return None


def _places(project: Path) -> list[str]:
    """Where the project's own dvc.lock has it, if the version's is not known."""
    lock = project / LOCK
    return list(outs_of(read_lock(lock), _MADE_BY)) if lock.is_file() else []


def _folder_hash(folder: Path) -> str:
    """DVC's hash of a folder: MD5 of the list of its files' hashes."""
    listed = [
        {"md5": _md5(path), "relpath": path.relative_to(folder).as_posix()}
        for path in folder.rglob("*")
        if path.is_file()
    ]
    listed.sort(key=lambda entry: entry["relpath"])
    return (
        hashlib.md5(json.dumps(listed, sort_keys=True).encode(), usedforsecurity=False).hexdigest() + _FOLDER
    )


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _in_cache(project: Path, folders: list[str]) -> Iterator[Path]:
    """Manifests in DVC's cache, by the hashes of folders that may hold one."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    if not folders:
        return
    try:
        cache = Repo(str(project)).cache.local
    except DvcException:  # the project is not under DVC
        return
    for folder in folders:
        listing = Path(cache.oid_to_path(folder))
        if not listing.is_file() or _md5(listing) + _FOLDER != folder:
            continue
        found = (
            Path(cache.oid_to_path(entry["md5"]))
            for entry in json.loads(listing.read_bytes())
            if entry["relpath"] == _FILE
        )
        yield from (file for file in found if file.is_file())
