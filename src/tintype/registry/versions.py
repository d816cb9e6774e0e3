"""Versions: a bundle in the registry, with all that a person needs to judge it.

`register` is a row of steps of which each first looks whether it has been done: a registration that was cut off is
finished by the next one, and the same bundle never becomes two versions. The version appears only after its files are
complete, and carries its lineage from the start; the aliases come last.

`challenger` is what the pipeline made last. `champion` is what is in service: a person moves it. Only
where there is no version yet, the first one becomes champion too. With the starter at hand that is the starter: see
`tintype.registry.starter`.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import LoggedModel, LoggedModelOutput, LoggedModelStatus, Metric
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models import Model

from tintype.files.digest import sha256_of
from tintype.files.lock import locked
from tintype.models.bundle import BundleInfo, read_info
from tintype.params import PARAMS_FILE, RegisterParams
from tintype.registry import history
from tintype.registry.comparing import Compare, ensure_compared, with_own_figures
from tintype.registry.lineage import bundle_tags, code_tags, lock_tags
from tintype.registry.mlflow_model import write_model
from tintype.registry.runs import ensure_run, experiment_id, read_report
from tintype.registry.store import (
    RegistryError,
    Store,
    answering,
    as_default,
    connect,
    find_store,
    home_of,
    waiting_for_files,
)
from tintype.registry.verdict_tags import VERDICT_TAG
from tintype.registry.version_files import check_files
from tintype.registry.whole import missing_files

CHALLENGER, CHAMPION = "challenger", history.CHAMPION
DIGEST_TAG = "bundle_sha256"
HEADLINES = ("psnr_db", "delta_e2000_mean", "colourfulness_ratio")
_JUDGED_TAG = "evaluation_sha256"  # set last: the version's figures are all there
_PICTURES = {"grid.jpg": "Test photos: gray, ours, truth", "custom.jpg": "legacy photos"}
_LOCK = Path("dvc.lock")
_TURN_SECONDS = 900  # for another registration to end; a large bundle on a slow network takes minutes


@dataclass(frozen=True)
class Registration:
    """A version, as reports/register.json keeps it."""

    name: str
    version: int
    model_uri: str
    model_id: str
    run_id: str
    bundle_sha256: str
    aliases: list[str]
    verdict: str | None = None  # of the gate: pass, fail, not compared; None before there is one

    def describe(self) -> dict[str, Any]:
        """The fields as JSON takes them."""
        return asdict(self)


def register(
    bundle: Path,
    train_report: Path,
    evaluation: Path,
    params: RegisterParams,
    preset: str,
    table: Callable[[dict[str, Any]], str],
    store: Store | None = None,
    compare: Compare | None = None,
) -> Registration:
    """Make a bundle a version, unless it is one, and the version the challenger.

    Parameters
    ----------
    bundle : Path
        The bundle's folder.
    train_report : Path
        With run.json: the version belongs to the run that trained the bundle, if this store knows it. If not, since
        DVC's cache may bring a bundle from elsewhere, there is a new run named "register".
    evaluation : Path
        With metrics.json, and pictures if there are any.
    params : RegisterParams
        Names of model and experiment.
    preset : str
        Becomes a tag.
    table : callable
        Makes a Markdown table of the content of metrics.json.
    store : Store, optional
        Where; the project's if not given.
    compare : Compare, optional
        Compares the bundle with the champion's; without it the version has no verdict.

    Returns
    -------
    Registration

    Raises
    ------
    RegistryError
        If the store does not answer or a report is missing.
    BundleError
        If the bundle is not whole.
    """
    info = read_info(bundle)
    tags = bundle_tags(info, preset)
    metrics = read_metrics(evaluation)
    store = store or find_store()
    client = connect(store)
    with answering(store), as_default(store), one_at_a_time(store):
        version = find_version(client, params.model_name, tags[DIGEST_TAG])
        if version is None:
            run_id = ensure_run(
                client, experiment_id(client, store, params.experiment), train_report, tags[DIGEST_TAG]
            )
            model_id = ensure_model(client, run_id, params.model_name, bundle, info, tags[DIGEST_TAG])
            for file in (_LOCK, PARAMS_FILE):
                if file.is_file():
                    client.log_artifact(run_id, str(file), "lineage")
            made_by = {**code_tags(Path.cwd()), **lock_tags(_LOCK)}
            version = create_version(client, params.model_name, model_id, run_id, {**tags, **made_by})
        elif missing_files(client, store, version):
            upload(client, client.get_logged_model(model_id_of(version)), bundle, info)
        ensure_judged(client, version, evaluation, metrics, table)
        if compare is not None:
            ensure_compared(client, store, version, champion_of(client, params.model_name), compare)
        ensure_aliases(client, store, version)
        return registration_of(client, version, tags[DIGEST_TAG])


def find_version(client: MlflowClient, name: str, digest: str) -> ModelVersion | None:
    """The version of a bundle, by its digest; the newest if people made several."""
    found = client.search_model_versions(f"name = '{name}' AND tags.{DIGEST_TAG} = '{digest}'")
    return max(found, key=lambda version: int(version.version), default=None)


def champion_of(client: MlflowClient, name: str) -> ModelVersion | None:
    """The version in service; None if there is none."""
    number = client.get_registered_model(name).aliases.get(CHAMPION)
    return None if number is None else client.get_model_version(name, str(number))


def first_version(client: MlflowClient, name: str, digest: str) -> ModelVersion | None:
    """The oldest version of a bundle."""
    found = client.search_model_versions(f"name = '{name}' AND tags.{DIGEST_TAG} = '{digest}'")
    return min(found, key=lambda version: int(version.version), default=None)


@contextmanager
def one_at_a_time(store: Store) -> Iterator[None]:
    """Wait for another registration on this machine, of whichever store: two of one bundle are to be one version."""
    try:
        with locked(home_of(store) / ".registering", _TURN_SECONDS):
            yield
    except TimeoutError as error:
        raise RegistryError(
            f"{error} It registers a version. Wait until it is done, then run again."
        ) from None


def ensure_model(
    client: MlflowClient, run_id: str, name: str, bundle: Path, info: BundleInfo, digest: str
) -> str:
    """The id of the bundle's logged model, with all its files in the store."""
    run = client.get_run(run_id)
    experiment = run.info.experiment_id
    found = client.search_logged_models(
        [experiment], f"tags.{DIGEST_TAG} = '{digest}' AND source_run_id = '{run_id}'"
    )
    ready = [model for model in found if model.status == LoggedModelStatus.READY]
    if ready:
        return str(ready[0].model_id)
    # One that is not ready was cut off during its upload, which is done once more.
    model = (
        found[0] if found else client.create_logged_model(experiment, name, run_id, tags={DIGEST_TAG: digest})
    )
    made = run.outputs.model_outputs if run.outputs else []
    if model.model_id not in {output.model_id for output in made}:  # a store refuses the same one twice
        client.log_outputs(run_id, [LoggedModelOutput(model.model_id, step=0)])
    upload(client, model, bundle, info)
    client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)
    return str(model.model_id)


def upload(client: MlflowClient, model: LoggedModel, bundle: Path, info: BundleInfo) -> None:
    """Put the bundle's files into the store, as an MLflow model."""
    description = Model(
        artifact_path=model.artifact_location,
        model_uuid=model.model_id,
        run_id=model.source_run_id,
        model_id=model.model_id,
    )
    with tempfile.TemporaryDirectory() as scratch, waiting_for_files():
        folder = Path(scratch) / "model"
        write_model(folder, bundle, info, description)
        client.log_model_artifacts(model.model_id, str(folder))


def create_version(
    client: MlflowClient, name: str, model_id: str, run_id: str, tags: dict[str, str]
) -> ModelVersion:
    """Make a logged model a version, with its lineage as tags; the first one wins if two machines do so at once."""
    try:
        client.create_registered_model(name, description="Turns black-and-white photographs into colour.")
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    version = client.create_model_version(name, f"models:/{model_id}", run_id, tags=tags, model_id=model_id)
    first = first_version(client, name, tags[DIGEST_TAG])
    if first is not None and int(first.version) < int(version.version):
        client.delete_model_version(name, version.version)
        client.delete_logged_model(model_id)
        return first
    # By this tag MLflow's pages lead from the model to its versions.
    link = [{"name": name, "version": int(version.version)}]
    client.set_logged_model_tags(model_id, {"mlflow.modelVersions": json.dumps(link)})
    return version


def ensure_judged(
    client: MlflowClient,
    version: ModelVersion,
    evaluation: Path,
    metrics: dict[str, Any],
    table: Callable[[dict[str, Any]], str],
) -> None:
    """Attach the evaluation to run, model and version: files, metrics, headline tags, a description to read.

    The baselines' figures are in the description and in metrics.json; as metrics they would bury ours.
    """
    digest = sha256_of(evaluation / "metrics.json")
    if version.tags.get(_JUDGED_TAG) == digest:
        return
    for name in ("metrics.json", *_PICTURES):
        if (evaluation / name).is_file():
            client.log_artifact(version.run_id, str(evaluation / name), "evaluation")
    now, model_id = int(time.time() * 1000), model_id_of(version)
    client.log_batch(
        version.run_id,
        [
            Metric(f"test/{metric}", value, now, 0, model_id=model_id, run_id=version.run_id)
            for metric, value in metrics["ours"].items()
        ],
    )
    pictures = [name for name in _PICTURES if (evaluation / name).is_file()]
    description = _description(client, version, metrics, table, pictures)
    described = with_own_figures(version.description, description)
    client.update_model_version(version.name, version.version, described)
    headlines = {name: str(metrics["ours"][name]) for name in HEADLINES if name in metrics["ours"]}
    for key, value in {**headlines, _JUDGED_TAG: digest}.items():
        client.set_model_version_tag(version.name, version.version, key, value)


def ensure_aliases(client: MlflowClient, store: Store, version: ModelVersion) -> None:
    """Make a version the challenger, and the champion too if it is the first there ever was.

    Raises
    ------
    RegistryError
        If its files are not whole: then no alias is moved.
    """
    aliases = client.get_registered_model(version.name).aliases
    challenges = str(aliases.get(CHALLENGER)) != str(version.version)
    is_first = CHAMPION not in aliases and int(version.version) == 1
    if challenges or is_first:
        check_files(client, store, version)
    if challenges:
        client.set_registered_model_alias(version.name, CHALLENGER, version.version)
    if is_first:
        crown(client, version, "the first version")


def crown(client: MlflowClient, version: ModelVersion, reason: str) -> None:
    """Make a version the first champion."""
    client.set_registered_model_alias(version.name, CHAMPION, version.version)
    history.record(client, version.name, str(version.version), "", "tintype register", reason)


def model_id_of(version: ModelVersion) -> str:
    """The id of the logged model behind a version."""
    # MLflow fills `version.model_id` only on some stores; the source has it on all.
    return str(version.source).removeprefix("models:/")


def _description(
    client: MlflowClient,
    version: ModelVersion,
    metrics: dict[str, Any],
    table: Callable[[dict[str, Any]], str],
    pictures: list[str],
) -> str:
    experiment = client.get_run(version.run_id).info.experiment_id
    artifacts = f"#/experiments/{experiment}/runs/{version.run_id}/artifacts/evaluation"
    links = " | ".join(f"[{_PICTURES[name]}]({artifacts}/{name})" for name in pictures)
    return f"""{metrics.get("photos", "?")} test photos. Read each figure beside all-gray photos: PSNR rewards gray.

{table(metrics)}

{links}
"""


def registration_of(client: MlflowClient, version: ModelVersion, digest: str) -> Registration:
    """A version as reports/register.json keeps it."""
    aliases = client.get_registered_model(version.name).aliases
    return Registration(
        name=version.name,
        version=int(version.version),
        model_uri=f"models:/{version.name}/{version.version}",
        model_id=model_id_of(version),
        run_id=version.run_id,
        bundle_sha256=digest,
        aliases=sorted(alias for alias, number in aliases.items() if str(number) == str(version.version)),
        verdict=client.get_model_version(version.name, version.version).tags.get(VERDICT_TAG),
    )


def read_metrics(evaluation: Path) -> dict[str, Any]:
    """The content of an evaluation's metrics.json.

    Raises
    ------
    RegistryError
        If there is none, or it does not say how the network did.
    """
    path = evaluation / "metrics.json"
    metrics = read_report(path)
    if not isinstance(metrics.get("ours"), dict):
        raise RegistryError(f"Expected a block `ours` in {path}. Run `dvc repro evaluate`.")
    return metrics
