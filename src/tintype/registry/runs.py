"""Runs: what was tried, with what, and how it went.

Everything is logged explicitly, through a client that is bound to one store: no autologging, no active
run, no global address. The stage owns the run; what happens inside it reaches MLflow through `TrackedRun`.
"""

from __future__ import annotations

import getpass
import json
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tintype.files.digest import sha256_of
from tintype.params import PARAMS_FILE, Params
from tintype.registry import tags
from tintype.registry.lineage import code_tags, commit_subject, environment, flatten
from tintype.registry.store import (
    RegistryError,
    Store,
    StoreAwayError,
    answering,
    connect,
    find_store,
)

if TYPE_CHECKING:
    import pandas as pd
    from mlflow import MlflowClient

_SAMPLING_SECONDS = 5  # system metrics; MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL overrides it
_BATCH = 100  # the most parameters that MLflow takes at once
_POINTS = 1000  # the most points of curves that MLflow takes at once
_DIGEST_DIGITS = 32  # of 64; MLflow keeps at most 36 characters
# Between two tries of a store that is away: each takes up to a minute of the training's time.
_AGAIN_SECONDS = 60.0

_GROUPS = {"val": "val", "adv": "adversarial"}  # of MLflow's charts, by the first word of a figure
_COMMIT_DIGITS = 7
NOTE = "mlflow.note.content"  # the tag that MLflow's pages show as a run's description

Point = tuple[str, float, int, int]  # name, value, time in ms since 1970, step


class TrackedRun:
    """A running MLflow run, for as long as `tracked_run` holds it open.

    An hour of training is worth more than a point on its curve: a store that goes away during the run costs a warning.
    Points wait in memory for the next try and go into `describe`; what the run still lacks it gets when the bundle is
    registered (`tintype.registry.backfill`).

    Attributes
    ----------
    run_id : str
        MLflow's name for it.
    """

    def __init__(self, client: MlflowClient, store: Store, run_id: str, experiment: str) -> None:
        self.run_id = run_id
        self._client = client
        self._store = store
        self._experiment = experiment
        self._unsent: list[Point] = []
        self._is_away = False
        self._next_try = 0.0

    def __reduce__(self) -> tuple[Any, ...]:
        """Sent to another process, it is the same run there; the process that opened it ends it."""
        return _join_run, (self._store, self.run_id, self._experiment)

    def epoch(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Log the metrics of an epoch (counted as the caller counts) as one step of the charts."""
        now = int(time.time() * 1000)
        self._unsent += [(chart_name(name), float(value), now, epoch) for name, value in metrics.items()]
        self._try(self._send_points)

    def picture(self, name: str, epoch: int, path: Path) -> None:
        """Keep a picture of an epoch as ``grids/<name>-<epoch>.<suffix>``; the file stays where it is."""
        self._try(log_picture, self._client, self.run_id, path, f"{name}-{epoch:04d}{path.suffix}")

    def dataset(
        self, manifest: pd.DataFrame, source: Path, name: str = "photos", context: str = "training"
    ) -> None:
        """Name the photos that the run learns from.

        Parameters
        ----------
        manifest : DataFrame
            The rows used.
        source : Path
            The file they were read from. Its SHA-256 (first 32 digits) becomes the data set's digest.
        name, context : str
            As shown by MLflow.

        Raises
        ------
        RegistryError
            If the store does not answer: what a run learns from is recorded before the work begins.
        """
        import warnings

        from mlflow.data.pandas_dataset import from_pandas
        from mlflow.data.sources import LocalArtifactDatasetSource
        from mlflow.entities import DatasetInput, InputTag

        origin = LocalArtifactDatasetSource(str(source.absolute()))
        table = from_pandas(manifest, source=origin, name=name, digest=sha256_of(source)[:_DIGEST_DIGITS])
        with warnings.catch_warnings():
            # The schema is for serving, which this is not.
            warnings.filterwarnings("ignore", message="Hint: Inferred schema contains integer")
            entry = DatasetInput(table._to_mlflow_entity(), [InputTag("mlflow.data.context", context)])
        with answering(self._store):
            self._client.log_inputs(self.run_id, [entry])

    def artifact(self, path: Path, folder: str | None = None) -> None:
        """Keep a file, or all files of a folder, with the run.

        Parameters
        ----------
        path : Path
            What to copy into the store.
        folder : str, optional
            Where in the run's artifacts; at their root if not given.
        """
        log = self._client.log_artifacts if path.is_dir() else self._client.log_artifact
        self._try(log, self.run_id, str(path), folder)

    def tag(self, values: Mapping[str, str]) -> None:
        """Set tags on the run."""
        from mlflow.entities import RunTag

        self._try(self._client.log_batch, self.run_id, tags=[RunTag(*tag) for tag in values.items()])

    def end(self, status: str) -> None:
        """Send the points that wait, and close the run."""
        self._next_try = 0.0
        self._try(self._send_points)
        self._try(self._client.set_terminated, self.run_id, status)

    def describe(self) -> dict[str, Any]:
        """The run as `run.json` keeps it: names that mean the same on every machine, and no password.

        The block `unsent` is there if the store is away: points as name, value, time in ms since 1970, and step.
        """
        unsent = {"unsent": [list(point) for point in self._unsent]} if self._unsent else {}
        return {
            "run_id": self.run_id,
            "tracking_uri": self._store.portable,
            "experiment": self._experiment,
            **unsent,
        }

    def _send_points(self) -> None:
        log_points(self._client, self.run_id, self._unsent)
        self._unsent = []

    def _try(self, call: Callable[..., Any], *arguments: Any, **named: Any) -> None:
        """Call the store; if it does not answer, warn once and leave it in peace for a minute."""
        if time.monotonic() < self._next_try:
            return
        try:
            with answering(self._store):
                call(*arguments, **named)
        except StoreAwayError as away:
            self._next_try = time.monotonic() + _AGAIN_SECONDS
            if not self._is_away:
                sys.stderr.write(
                    f"warning: {away} The training goes on. What the store was not told of run {self.run_id} is "
                    "filled in from the training's report by `dvc repro register`.\n"
                )
            self._is_away = True
        except RegistryError:
            self._unsent = []  # the store does not want them, and would refuse what comes with them
            raise
        else:
            self._is_away = False


def _join_run(store: Store, run_id: str, experiment: str) -> TrackedRun:
    return TrackedRun(connect(store), store, run_id, experiment)


@contextmanager
def tracked_run(
    stage: str, experiment: str, params: Params, *, store: Store | None = None, resume: str | None = None
) -> Iterator[TrackedRun]:
    """A run that is open for a block: FINISHED after it, FAILED if it raises, KILLED if it is interrupted.

    Parameters
    ----------
    stage : str
        Of the pipeline, such as "train".
    experiment : str
        The experiment to put it in; created if there is none.
    params : Params
        Logged with dotted names, such as ``train.epochs``.
    store : Store, optional
        Where; the project's if not given.
    resume : str, optional
        The id of a run that was cut off. It is taken up again if the store knows it and it did not
        finish; else there is a new run.

    Yields
    ------
    TrackedRun
        To log to.

    Raises
    ------
    RegistryError
        If the store does not answer, before the block is entered; after that see `TrackedRun`.
    """
    store = store or find_store()
    client = connect(store)
    with answering(store):
        run_id = _unfinished(client, resume) or _create(
            client, stage, experiment_id(client, store, experiment), params
        )
    run, status, monitor = TrackedRun(client, store, run_id, experiment), "FAILED", None
    try:
        with answering(store):
            if run_id != resume:
                _describe(client, run_id, params)
            monitor = _monitor(run_id, store, resuming=run_id == resume)
        yield run
        status = "FINISHED"
    except (KeyboardInterrupt, SystemExit):  # the second one by Ray, which has a signal's handler of its own
        status = "KILLED"
        raise
    finally:
        if monitor is not None:
            monitor.finish()
        run.end(status)


def chart_name(figure: str) -> str:
    """The name of a figure in MLflow, whose pages group charts by what stands before the slash."""
    if "/" in figure:
        return figure
    group, _, name = figure.partition("_")
    return f"{_GROUPS[group]}/{name}" if group in _GROUPS else f"train/{figure}"


def run_name(code: Mapping[str, str], preset: str) -> str:
    """A run's name: that of DVC's experiment, else commit and preset. `code` is what `code_tags` says."""
    changed = "+" if code.get(tags.DIRTY) == "true" else ""
    commit = code.get(tags.COMMIT, "")[:_COMMIT_DIGITS]
    return code.get(tags.EXPERIMENT) or " ".join(filter(None, [f"{commit}{changed}", preset]))


def log_points(client: MlflowClient, run_id: str, points: Sequence[Point]) -> None:
    """Add points to the curves of a run."""
    from mlflow.entities import Metric

    for start in range(0, len(points), _POINTS):
        client.log_batch(run_id, [Metric(*point) for point in points[start : start + _POINTS]])


def log_picture(client: MlflowClient, run_id: str, path: Path, name: str) -> None:
    """Keep a picture with a run as ``grids/<name>``; the file stays where it is."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / name
        shutil.copyfile(path, copy)
        client.log_artifact(run_id, str(copy), "grids")


def experiment_id(client: MlflowClient, store: Store, name: str) -> str:
    """The id of the experiment of a name, which is created if there is none.

    Raises
    ------
    RegistryError
        If it was deleted.
    """
    found = client.get_experiment_by_name(name)
    if found is None:
        return str(client.create_experiment(name, _artifact_location(store, name)))
    if found.lifecycle_stage == "deleted":
        raise RegistryError(
            f"The MLflow experiment {name!r} was deleted. Restore it "
            f"(mlflow experiments restore -x {found.experiment_id}), or choose another register.experiment."
        )
    return str(found.experiment_id)


def _artifact_location(store: Store, experiment: str) -> str | None:
    # MLflow's default is ./mlruns, below the folder in which the process happens to run.
    return None if store.artifacts is None else (store.artifacts / _as_folder(experiment)).as_uri()


def _as_folder(name: str) -> str:
    return re.sub(r"[^\w.-]", "_", name).strip(".") or "_"


def _unfinished(client: MlflowClient, run_id: str | None) -> str | None:
    from mlflow.exceptions import MlflowException

    if run_id is None:
        return None
    try:
        run = client.get_run(run_id)
    except MlflowException:
        return None
    if run.info.lifecycle_stage == "deleted" or run.info.status == "FINISHED":
        return None
    client.update_run(run_id, status="RUNNING")
    return run_id


def _create(client: MlflowClient, stage: str, experiment: str, params: Params) -> str:
    own = _tags(stage, params)
    return str(client.create_run(experiment, run_name=run_name(own, params.preset), tags=own).info.run_id)


def _describe(client: MlflowClient, run_id: str, params: Params) -> None:
    from mlflow.entities import Param

    flat = [Param(key, value) for key, value in flatten(params.model_dump(by_alias=True)).items()]
    for start in range(0, len(flat), _BATCH):
        client.log_batch(run_id, params=flat[start : start + _BATCH])
    client.log_text(run_id, json.dumps(environment(), indent=2) + "\n", "environment.json")
    if PARAMS_FILE.is_file():
        client.log_artifact(run_id, str(PARAMS_FILE))


def _tags(stage: str, params: Params) -> dict[str, str]:
    """The project's own tags, and those that MLflow's pages show in their columns."""
    code = code_tags(Path.cwd())
    own = {
        tags.PRESET: params.preset,
        "mlflow.source.name": f"tintype {stage}",
        "mlflow.source.type": "LOCAL",
        **code,
    }
    if tags.COMMIT in code:
        own["mlflow.source.git.commit"] = code[tags.COMMIT]
        own[NOTE] = f"Not registered. Commit: {commit_subject(code[tags.COMMIT], Path.cwd()) or 'no message'}"
    with suppress(KeyError, OSError):  # a container's user may have no name
        own["mlflow.user"] = getpass.getuser()
    return own


def _monitor(run_id: str, store: Store, *, resuming: bool) -> Any:
    from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

    monitor = SystemMetricsMonitor(
        run_id, sampling_interval=_SAMPLING_SECONDS, resume_logging=resuming, tracking_uri=store.uri
    )
    monitor.start()
    return monitor
