"""What a run wanted to tell a store that did not answer: kept in files, and sent later.

An hour of training is worth more than a point on its curve. While the store is away the run goes on, and what it says
is written below `.mlflow/unsent/`, a folder for each store and run. It is sent, in order, when the store answers again:
during the run, at its end, when another run starts, or by the stage `register`. Sending twice what a kill left half
sent does no harm: MLflow keeps one of two equal points, and a file of the same name is replaced by itself.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tintype.files.atomic import new_file
from tintype.registry.store import (
    RegistryError,
    Store,
    StoreAwayError,
    answering,
    connect,
    find_store,
    home_of,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient

_FOLDER = "unsent"
_ENTRY = "entry-{:06d}"
_AGAIN_SECONDS = 60.0  # between two tries: each costs up to a minute, which the training waits


class Spool:
    """What one run has not yet told its store.

    Parameters
    ----------
    client : MlflowClient
        Bound to the store.
    store : Store
        Where the run is.
    run_id : str
        The run.
    folder : Path, optional
        Where to keep it; in the project if not given.
    """

    def __init__(self, client: MlflowClient, store: Store, run_id: str, folder: Path | None = None) -> None:
        self.folder = folder or folder_of(store) / run_id
        self._client = client
        self._store = store
        self._run_id = run_id
        self._next_try = 0.0

    def say(self, what: dict[str, Any], file: Path | None = None) -> None:
        """Tell the store now if it answers, else keep it.

        Parameters
        ----------
        what : dict
            One of `metrics` (rows of name, value, time in ms, step), `tags` (name to value), `artifact` (the folder to
            put `file` in, or None) and `ended` (status and time in ms), as JSON takes it.
        file : Path, optional
            Comes along; a file or a folder.

        Raises
        ------
        RegistryError
            If the store answers that it does not want it, or it can neither be sent nor kept.
        """
        try:
            if self.waiting():
                self._try_again()
            self._send(what, file)
        except StoreAwayError as away:
            try:
                self._keep(what, file)
            except OSError as full:
                raise RegistryError(f"{away} Nor can it be kept in {self.folder}: {full}.") from away

    def hurry(self) -> None:
        """Try again at the next occasion, however short ago the last one failed."""
        self._next_try = 0.0

    def waiting(self) -> int:
        """How many entries wait to be sent."""
        return len(self._entries())

    def deliver(self) -> None:
        """Send all that waits.

        Raises
        ------
        StoreAwayError
            If the store does not answer; what was not sent is still there.
        RegistryError
            If the store answers that it does not want it.
        """
        for entry in self._entries():
            what = json.loads((entry / "what.json").read_text(encoding="utf-8"))
            files = [path for path in entry.iterdir() if path.name != "what.json"]
            self._send(what, files[0] if files else None)
            shutil.rmtree(entry)
        if self.folder.is_dir():
            shutil.rmtree(self.folder)

    def _try_again(self) -> None:
        if time.monotonic() < self._next_try:
            raise StoreAwayError(f"The MLflow store at {self._store.shown} did not answer a moment ago.")
        self.deliver()

    def _send(self, what: dict[str, Any], file: Path | None) -> None:
        from mlflow.entities import Metric, RunTag

        try:
            with answering(self._store):
                ((kind, content),) = what.items()
                if kind == "metrics":
                    self._client.log_batch(self._run_id, [Metric(*row) for row in content])
                elif kind == "tags":
                    self._client.log_batch(
                        self._run_id, tags=[RunTag(key, value) for key, value in content.items()]
                    )
                elif kind == "artifact":
                    log = self._client.log_artifacts if file and file.is_dir() else self._client.log_artifact
                    log(self._run_id, str(file), content)
                else:
                    self._client.set_terminated(self._run_id, *content)
        except StoreAwayError:
            self._next_try = time.monotonic() + _AGAIN_SECONDS
            raise

    def _keep(self, what: dict[str, Any], file: Path | None) -> None:
        """Write an entry: its file first, so that what is named is there."""
        taken = [int(path.name.rpartition("-")[2]) for path in self.folder.glob("entry-*")]
        entry = self.folder / _ENTRY.format(max(taken, default=0) + 1)
        entry.mkdir(parents=True)
        if file is not None:
            copy = shutil.copytree if file.is_dir() else shutil.copyfile
            copy(file, entry / file.name)
        with new_file(entry / "what.json") as part:
            part.write_text(json.dumps(what), encoding="utf-8")

    def _entries(self) -> list[Path]:
        """The folders of complete entries, oldest first."""
        return sorted(path.parent for path in self.folder.glob("entry-*/what.json"))


def folder_of(store: Store) -> Path:
    """Where a project keeps what it has not yet told a store."""
    # A run is one of one store, and the project may use another one tomorrow.
    return home_of(store) / _FOLDER / hashlib.sha256(store.shown.encode()).hexdigest()[:16]


def deliver_unsent(client: MlflowClient, store: Store) -> int:
    """Send what runs of this project have not yet told a store that answers.

    Parameters
    ----------
    client : MlflowClient
        From `connect(store)`.
    store : Store
        The store.

    Returns
    -------
    int
        How many runs had something to tell.

    Raises
    ------
    RegistryError
        If the store does not answer, or does not want it.
    """
    folder = folder_of(store)
    runs = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    for run_id in runs:
        try:
            Spool(client, store, run_id, folder / run_id).deliver()
        except StoreAwayError:
            raise
        except RegistryError as refused:
            raise RegistryError(
                f"{refused} This is about run {run_id}, which has something to tell the store since it was away. "
                f"To forget that, delete {folder / run_id}."
            ) from refused
    return len(runs)


def send_unsent(store: Store | None = None) -> int:
    """Connect and `deliver_unsent`.

    Parameters
    ----------
    store : Store, optional
        Where to; the project's if not given.

    Returns
    -------
    int
        How many runs had something to tell.

    Raises
    ------
    RegistryError
        As `connect` and `deliver_unsent`.
    """
    store = store or find_store()
    return deliver_unsent(connect(store), store)
