"""Where runs and versions are remembered.

`MLFLOW_TRACKING_URI` names the store, as it does everywhere in MLflow. Without it the project carries
its own: a SQLite database in `.mlflow/` beside dvc.yaml, with the artifacts next to it. An experiment
that DVC runs in a temporary copy of the project writes to the store of the project it was copied from,
since the copy is deleted afterwards.

Private or undocumented parts of MLflow that this package uses, to be looked at with each new version (now 3.17.2):

* `mlflow.data.pandas_dataset.PandasDataset._to_mlflow_entity` (runs.py): a client has no public way to log a data set.
* `mlflow.utils.file_utils.local_file_uri_to_path` (here, versions.py), and the tables that moved_store.py changes.
* `mlflow.system_metrics.system_metrics_monitor.SystemMetricsMonitor` (runs.py): the public switch needs an active run.
* The tags `mlflow.modelVersions` (versions.py), `mlflow.source.*`, `mlflow.user`, `mlflow.note.content` (runs.py),
  which its pages read; their address `get-artifact`, from which a description shows a picture (register.py).
* `ModelVersion.source` is `models:/<id of the logged model>` (versions.py).
* The codes of `MlflowException` below, and the variables of its environment.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from tintype.errors import TintypeError
from tintype.files.disk import fullest
from tintype.files.lock import locked

if TYPE_CHECKING:
    from logging import LogRecord

    from mlflow import MlflowClient

DATABASE = Path(".mlflow/mlflow.db")
SQLITE = "sqlite:///"
SCHEME = "models:/"  # of a version's address
VARIABLE = "MLFLOW_TRACKING_URI"
_COPIES = (".dvc", "tmp", "exps")  # where DVC puts the temporary copies of `dvc exp run --temp` and `--queue`

# MLflow's own bounds are 7 retries of 120 s with growing pauses: minutes of silence for a typing mistake.
_BOUNDS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "15",  # seconds
    "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER": "false",  # a busy server may ask for an hour, in which nothing answers
}
# Words of SQLite and MLflow, and what is to be done about it.
_CURES = {
    "database is locked": "Another program is writing to the database and has not let go of it: a backup, a tool that "
    "shows databases, a stopped pipeline. End it, or wait until it is done, then run again.",
    "Another process holds": "Wait until it is done, or end it, then run again.",
    "readonly database": "The database or its folder may not be written to: check whose they are.",
    "database or disk is full": "Make room on the disk, then run again.",
    "disk image is malformed": "The database is damaged: put a copy back, or move it away to begin a new one.",
    "file is not a database": "Something else lies there: put a copy back, or move it away to begin a new one.",
    "must be in the 'active' state": "It was deleted in MLflow's pages. Restore it there (State: Deleted), run again; "
    "a training goes on from its last checkpoint in any case, else in a new run.",
    "Run with id=": "It was removed for good, as by `mlflow gc`. Run again: a training goes on from its last "
    "checkpoint, in a new run.",
}
_NO_ROOM = "No space left on device"  # of a file, which may be a temporary one
_PASSING = ("INTERNAL_ERROR", "TEMPORARILY_UNAVAILABLE", "DEADLINE_EXCEEDED", "REQUEST_LIMIT_EXCEEDED")
# How MLflow's stores say that there is no such thing.
NOT_FOUND = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
# The server answers for a file when it has put it into its own store: a large one on its way to S3 takes longer.
_FILE_SECONDS = "300"
_MAKING_SECONDS = 60  # for another process to make the tables of a new database; it takes some five
_SAFE = {
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false"
}  # a pickle is a program, and no model of ours has one
_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # the address may carry a password
    "MLFLOW_UV_AUTO_DETECT": "false",  # a model's requirements are what we say, not all of this project's uv.lock
}


class RegistryError(TintypeError):
    """The store cannot be reached, or does not hold what was asked for."""


class NoAnswerError(RegistryError):
    """The store does not answer, or not as it should; it may later."""


class StoreAwayError(NoAnswerError):
    """The store cannot be reached now; the same may work later."""


@dataclass(frozen=True)
class Store:
    """An MLflow tracking and registry store."""

    uri: str
    artifacts: Path | None  # None: the server decides

    @property
    def shown(self) -> str:
        """The address without the password that it may carry."""
        if self.uri.startswith(SQLITE):
            return self.uri
        parts = urlsplit(self.uri)
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))

    @property
    def portable(self) -> str:
        """The address as results in git keep it: the project's own store is named relative to the project."""
        own = self.uri.startswith(SQLITE) and self.uri.endswith(f"/{DATABASE.as_posix()}")
        return f"{SQLITE}{DATABASE.as_posix()}" if own else self.shown


def find_store(start: Path | None = None) -> Store:
    """The store that belongs to a folder.

    Parameters
    ----------
    start : Path, optional
        A folder in the project; the current one if not given.

    Returns
    -------
    Store
        Named by `MLFLOW_TRACKING_URI`, or the project's own.

    Raises
    ------
    RegistryError
        If the variable is not set and there is no project here.
    """
    uri = os.environ.get(VARIABLE, "")
    if uri.startswith(SQLITE):
        return Store(uri, artifacts=Path(uri.removeprefix(SQLITE)).absolute().parent / "artifacts")
    if uri:
        return Store(uri, artifacts=None)
    database = find_project(start or Path.cwd()) / DATABASE
    return Store(f"{SQLITE}{database}", artifacts=database.parent / "artifacts")


def find_project(start: Path) -> Path:
    """The folder of dvc.yaml at or above `start`; for a temporary copy made by DVC, the original's."""
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / "dvc.yaml").is_file():
            return _original_of(folder)
    raise RegistryError(
        f"Expected dvc.yaml in {start} or above it, to find the project's MLflow store, but there is none. "
        "Change to the project's folder, or name a store in MLFLOW_TRACKING_URI."
    )


def local_folder(store: Store) -> Path:
    """The folder for what a project keeps on this machine for a store: beside its own, or below the project."""
    return find_project(Path.cwd()) / DATABASE.parent if store.artifacts is None else store.artifacts.parent


def _original_of(project: Path) -> Path:
    parts = project.parts
    for at in range(len(parts) - len(_COPIES), 0, -1):
        if parts[at : at + len(_COPIES)] == _COPIES:
            break
    else:
        return project
    repository, copies = Path(*parts[:at]), Path(*parts[: at + len(_COPIES)])
    # The copy's own root has a .dvc; the project may be a folder inside the repository.
    lineage = [project, *project.parents]
    inside = lineage[: lineage.index(copies)]
    root = next((folder for folder in reversed(inside) if (folder / ".dvc").is_dir()), project)
    return repository / project.relative_to(root)


def connect(store: Store) -> MlflowClient:
    """A client of a store that answers.

    The first use of the project's own store creates its tables, which takes some seconds.

    Parameters
    ----------
    store : Store
        The store to talk to.

    Returns
    -------
    MlflowClient
        Bound to the store explicitly; MLflow's global address is left alone.

    Raises
    ------
    RegistryError
        If the store does not answer, within a minute; or was moved or copied, so that its files would go elsewhere.
    """
    client = connect_anywhere(store)
    with answering(store):
        refuse_moved(store, client)
    return client


def connect_anywhere(store: Store) -> MlflowClient:
    """As `connect`, of a store that may have been moved."""
    for name, value in {**_BOUNDS, **_QUIET, **_SAFE}.items():
        os.environ.setdefault(name, value)
    with answering(store):
        from mlflow import MlflowClient

        _quieten_logs()
        with _making_tables(store):
            client = MlflowClient(store.uri, registry_uri=os.environ.get("MLFLOW_REGISTRY_URI") or store.uri)
            client.search_experiments(max_results=1)
    return client


def refuse_moved(store: Store, client: MlflowClient) -> None:
    """Refuse a store whose database came from another folder: MLflow would keep on writing files into that one.

    Raises
    ------
    RegistryError
        With the cure.
    """
    if store.artifacts is None:
        return
    for experiment in client.search_experiments():
        before = files_elsewhere(store, experiment.artifact_location)
        if before is not None:
            raise RegistryError(
                f"Expected the store in {store.artifacts.parent} to keep its files beside it. Received: the experiment "
                f"{experiment.name!r} keeps them in {before.parent}, so the project or its store was moved or copied. "
                "Run `tintype store move`, which makes it name its files here and leaves the other folder alone."
            )


def files_elsewhere(store: Store, location: str) -> Path | None:
    """An experiment's folder if it is in the folder `artifacts` of another store; else None.

    An experiment that people made elsewhere by MLflow's own means is not ours to judge.
    """
    from mlflow.utils.file_utils import local_file_uri_to_path

    if store.artifacts is None or urlsplit(location).scheme not in ("", "file"):
        return None
    folder = Path(local_file_uri_to_path(location))
    artifacts = folder.parent
    if artifacts.name != store.artifacts.name or artifacts == store.artifacts:
        return None
    return None if artifacts.exists() and artifacts.samefile(store.artifacts) else folder


@contextmanager
def _making_tables(store: Store) -> Iterator[None]:
    """MLflow makes a database's tables even while another process does; here one waits for the other."""
    if store.artifacts is None:
        yield
        return
    store.artifacts.mkdir(parents=True, exist_ok=True)
    with locked(store.artifacts.parent / ".making-tables", _MAKING_SECONDS):
        yield


@contextmanager
def waiting_for_files() -> Iterator[None]:
    """Give the store the time that files take, where a person has not said how long an answer may take."""
    name = "MLFLOW_HTTP_REQUEST_TIMEOUT"
    before = os.environ.get(name)
    if before in (None, _BOUNDS[name]):
        os.environ[name] = _FILE_SECONDS
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = before


@contextmanager
def as_default(store: Store) -> Iterator[None]:
    """Make the store MLflow's global one for a block; the little that MLflow does without a client needs it."""
    import mlflow

    variable = os.environ.get(VARIABLE)
    before = mlflow.get_tracking_uri() if mlflow.is_tracking_uri_set() else None
    mlflow.set_tracking_uri(store.uri)  # sets the variable too
    try:
        yield
    finally:
        mlflow.set_tracking_uri(None if before == variable else before)
        if variable is not None:
            os.environ[VARIABLE] = variable


@contextmanager
def answering(store: Store) -> Iterator[None]:
    """Turn what MLflow raises in this block into a sentence about the store."""
    from mlflow.exceptions import MlflowException
    from requests.exceptions import RequestException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, RequestException, SQLAlchemyError, OSError) as error:
        reason = _reason(error).replace(store.uri, store.shown)  # without the password
        kind = StoreAwayError if _is_away(error) else NoAnswerError
        raise kind(
            f"Expected an answer from the MLflow store at {store.shown}. Received: {reason} {_cure(store, str(error))}"
        ) from error


def _reason(error: Exception) -> str:
    """The line that says what is wrong: SQLAlchemy begins with a note about itself."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return next((f"{line}." for line in lines if any(sign in line for sign in (*_CURES, _NO_ROOM))), lines[0])


def _is_away(error: Exception) -> bool:
    """Whether another try may help: no server answered, or one that is in trouble."""
    from mlflow.exceptions import MlflowException

    if isinstance(error, MlflowException):
        return error.error_code in _PASSING
    status = getattr(getattr(error, "response", None), "status_code", None)
    return status is None or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def _cure(store: Store, reason: str) -> str:
    if _NO_ROOM in reason:
        scratch = Path(tempfile.gettempdir())
        full = fullest(scratch, *([store.artifacts.parent] if store.artifacts else []))
        other = ", or name another folder for temporary files with TMPDIR" if full == scratch else ""
        return f"The disk of {full} is full: make room there{other}, then run again."
    for sign, cure in _CURES.items():
        if sign in reason:
            return cure
    if store.uri.startswith(SQLITE):
        return "Check that the disk is not full and the folder may be written to."
    return "Check MLFLOW_TRACKING_URI and that the server runs, or unset it to use the project's own store."


def _quieten_logs() -> None:
    """Warnings and errors only: MLflow creates tables by replaying its schema's history, and would log each step."""
    import logging

    for name in ("alembic", "mlflow"):
        logging.getLogger(name).setLevel(os.environ.get("MLFLOW_LOGGING_LEVEL", "WARNING").upper())
    # Each retry would be logged; the error at their end is enough.
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
    # It would log what is raised as well, with a traceback.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
    logging.getLogger("mlflow.system_metrics.system_metrics_monitor").addFilter(_without_sql)
    # It warns that pip is not installed, which environments made by uv do without.
    logging.getLogger("mlflow.utils.environment").setLevel(logging.ERROR)


def _without_sql(record: LogRecord) -> bool:
    """A failure to log a machine's load in one line, without the statement and its numbers."""
    record.msg = " ".join(record.getMessage().partition("\n[SQL")[0].split())
    record.args = ()
    return True
