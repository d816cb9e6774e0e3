"""Mending a store that was moved or copied: the absolute paths in MLflow's database become those of here.

MLflow has no command for it, and cannot keep paths relative to the database.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tintype.registry.store import (
    SQLITE,
    RegistryError,
    Store,
    connect_anywhere,
    files_elsewhere,
    find_store,
)

# Where MLflow's tables name a folder of files.
_PLACES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)
_SECONDS = 30  # for another process to let go of the database


@dataclass(frozen=True)
class Move:
    """What was mended.

    Attributes
    ----------
    folder : Path
        Of the store.
    before : tuple of Path
        The folders that it named; empty if there was nothing to mend.
    changed : int
        Places in the database that name a folder here now.
    """

    folder: Path
    before: tuple[Path, ...]
    changed: int


def move_store(store: Store | None = None) -> Move:
    """Make a store that was moved or copied name its own files, in one transaction. The files must be here already.

    Raises
    ------
    RegistryError
        If the store is a server's, there is none, it does not answer, or files of it are still where it was alone.
    """
    store = store or find_store()
    if store.artifacts is None:
        raise RegistryError(
            f"Expected a project's store. Received: {store.shown}, a server, which keeps its files itself: there is "
            "nothing to mend here."
        )
    database = Path(store.uri.removeprefix(SQLITE))
    if not database.is_file():
        raise RegistryError(f"Expected the MLflow store at {store.shown}, but there is none yet.")
    connect_anywhere(store)  # brings the tables up to date
    before, changed = {}, 0
    try:
        with closing(sqlite3.connect(database, timeout=_SECONDS)) as connection, connection:
            connection.execute("BEGIN IMMEDIATE")
            for name, location in connection.execute("SELECT name, artifact_location FROM experiments"):
                if (folder := files_elsewhere(store, location or "")) is not None:
                    _check_files(store.artifacts, folder, name)
                    before[location.rpartition("/")[0]] = folder.parent
            for written in before:
                changed += sum(_rewrite(connection, *place, written, store.artifacts) for place in _PLACES)
    except sqlite3.Error as error:
        raise RegistryError(
            f"Expected to change {database}. Received: {error}. Nothing was changed."
        ) from error
    return Move(store.artifacts.parent, tuple(dict.fromkeys(before.values())), changed)


def _rewrite(connection: sqlite3.Connection, table: str, column: str, before: str, artifacts: Path) -> int:
    begins = f"{before}/"
    done = connection.execute(
        f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE substr({column}, 1, ?) = ?",
        (f"{artifacts.as_uri()}/", len(begins) + 1, len(begins), begins),
    )
    return done.rowcount


def _check_files(artifacts: Path, before: Path, experiment: str) -> None:
    now = artifacts / before.name
    if before.is_dir() and not now.is_dir():
        raise RegistryError(
            f"Expected the files of the experiment {experiment!r} in {now}, but they are in {before} alone. "
            "Copy the folder, then run again. Nothing was changed."
        )
