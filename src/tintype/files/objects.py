"""Folders in an object store, as far as shards need them.

fsspec speaks to the store: s3fs for `s3://bucket/prefix`. It finds keys and address where all of Amazon's tools do, in
`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_ENDPOINT_URL` and `~/.aws`. An object appears whole or not at all, so
nothing has to be renamed.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from tintype.errors import TintypeError, install_command

SCHEME = "s3://"


class StoreError(TintypeError):
    """The object store does not do what is asked."""


@dataclass(frozen=True)
class ObjectFolder:
    """All objects whose names begin with a prefix.

    Attributes
    ----------
    url : str
        Such as ``"s3://bucket/prefix"``, without a slash at its end.
    """

    url: str

    def __str__(self) -> str:
        return self.url

    def size_of(self, name: str) -> int | None:
        """Bytes of an object; None if there is none."""
        with _connected(self.url) as store:
            try:
                return int(store.info(f"{self.url}/{name}")["size"])
            except FileNotFoundError:
                return None

    def read_bytes(self, name: str) -> bytes | None:
        """An object's content; None if there is none."""
        with _connected(self.url) as store:
            try:
                content: bytes = store.cat_file(f"{self.url}/{name}")
            except FileNotFoundError:
                return None
            return content

    def fetch(self, name: str, destination: Path) -> None:
        """Write an object's content to a file."""
        with _connected(self.url) as store:
            store.get_file(f"{self.url}/{name}", str(destination))

    def put(self, name: str, source: Path) -> None:
        """Make a file's content an object; one of that name is replaced at the end, at once."""
        with _connected(self.url) as store:
            store.put_file(str(source), f"{self.url}/{name}")

    def delete(self, name: str) -> None:
        """Delete an object, if there is one."""
        with _connected(self.url) as store:
            if store.exists(f"{self.url}/{name}"):
                store.rm_file(f"{self.url}/{name}")

    def names(self) -> list[str]:
        """Names of all objects, sorted, from the prefix on."""
        with _connected(self.url) as store:
            root = store._strip_protocol(self.url)
            found: list[str] = store.find(self.url)
            return sorted(path.removeprefix(f"{root}/") for path in found)


Folder: TypeAlias = Path | ObjectFolder


def folder_at(place: Path | str) -> Folder:
    """A folder on disk or, for an address, in an object store.

    Parameters
    ----------
    place : Path or str
        A path, or such as ``"s3://bucket/prefix"``.

    Raises
    ------
    StoreError
        If it is an address of another kind, or the package for it is not installed.
    """
    if isinstance(place, Path) or "://" not in place:
        return Path(place).absolute()  # workers on other nodes have other working folders
    if not place.startswith(SCHEME) or not place.removeprefix(SCHEME).strip("/"):
        raise StoreError(f"Expected a folder or an address such as s3://bucket/prefix. Received: {place}.")
    if importlib.util.find_spec("s3fs") is None:
        raise StoreError(
            f"Expected the package s3fs, to reach {place}, but it is not installed. "
            f"Run `{install_command('cluster')}`."
        )
    return ObjectFolder(place.rstrip("/"))


@contextmanager
def _connected(url: str) -> Iterator[Any]:
    """The file system behind an address; its errors in the block become a `StoreError`."""
    import fsspec
    from botocore.exceptions import BotoCoreError

    try:
        # Listings are not cached: other machines write here too.
        yield fsspec.filesystem(url.partition("://")[0], use_listings_cache=False)
    except (OSError, BotoCoreError) as error:
        raise StoreError(
            f"Expected to read and write {url}, but the object store says: "
            f"{str(error).strip() or type(error).__name__}. Check the bucket's name, AWS_ENDPOINT_URL, and the keys "
            "in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or ~/.aws, here and on each node of the cluster."
        ) from error
