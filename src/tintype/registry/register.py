"""Registration: a bundle becomes a version, with all that a person needs to judge it.

`register` is a row of steps. Each first looks whether it has been done, so a registration that was cut off is finished
by the next one, and the same bundle never becomes two versions. The version appears only after its files are complete,
and carries its lineage from the start; the aliases come last.

`challenger` is what the pipeline made last, unless its verdict is ``fail``: such a version has its tags, and no alias.
`champion` is what is in service: a person moves it. Only where there is no version yet, the first one becomes champion
too. With the starter at hand that is the starter, so that what is trained here has a champion to beat.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlflow import MlflowClient
from mlflow.entities import LoggedModel, LoggedModelOutput, LoggedModelStatus, Metric
from mlflow.entities.model_registry import ModelVersion
from mlflow.models import Model

from tintype.files.digest import sha256_of
from tintype.files.lock import locked
from tintype.models.bundle import BundleInfo, bundle_digest, read_info
from tintype.models.lineage import starter_lineage
from tintype.models.starter import (
    METRICS_FILE,
    VERSION,
    StarterError,
    starter_bundle,
    starter_origin,
)
from tintype.params import PARAMS_FILE, RegisterParams
from tintype.registry import history, tags
from tintype.registry.backfill import ensure_run, read_report
from tintype.registry.compare import ensure_compared, with_own_figures
from tintype.registry.history import CHAMPION
from tintype.registry.lineage import bundle_tags, code_tags, lock_tags
from tintype.registry.mlflow_model import write_model
from tintype.registry.runs import NOTE, experiment_id
from tintype.registry.store import (
    SCHEME,
    RegistryError,
    Store,
    answering,
    as_default,
    connect,
    find_store,
    local_folder,
    waiting_for_files,
)
from tintype.registry.versions import (
    champion_of,
    check_files,
    create_version,
    find_version,
    missing_files,
    model_id_of,
)

if TYPE_CHECKING:
    from tintype.evaluation.comparison import Comparison

CHALLENGER = "challenger"
HEADLINES = ("psnr_db", "delta_e2000_mean", "colourfulness_ratio")
_CHARTED = (*HEADLINES, "patch_score")
_GRID = "grid.jpg"
_PICTURES = {_GRID: "Test photos: gray, ours, truth", "custom.jpg": "legacy photos"}
_LOCK = Path("dvc.lock")
_LOCK_SECONDS = 900  # for another registration to end; a large bundle on a slow network takes minutes


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
    verdict_reasons: str = ""

    def describe(self) -> dict[str, Any]:
        """The fields as JSON takes them."""
        return asdict(self)


def register(
    bundle: Path,
    train_report: Path,
    evaluation: Path,
    params: RegisterParams,
    preset: str,
    store: Store | None = None,
    compare: Comparison | None = None,
) -> Registration:
    """Register a bundle as a version, unless it is one already, and make it the challenger unless its verdict is fail.

    Parameters
    ----------
    bundle : Path
        The bundle's folder.
    train_report : Path
        With run.json: the version belongs to the run that trained the bundle, if this store knows it. If not, since
        DVC's cache may bring a bundle from elsewhere, a new run stands in for it.
    evaluation : Path
        With metrics.json, and pictures if there are any.
    params : RegisterParams
        Names of model and experiment.
    preset : str
        Becomes a tag.
    store : Store, optional
        Where; the project's if not given.
    compare : Comparison, optional
        Compares the bundle with the champion's; without it the version has no verdict.

    Raises
    ------
    RegistryError
        If the store does not answer or a report is missing.
    BundleError
        If the bundle is not whole.
    """
    info = read_info(bundle)
    digest, origin = bundle_digest(info), bundle_tags(info, preset)
    metrics = read_metrics(evaluation)
    store = store or find_store()
    client = connect(store)
    with answering(store), as_default(store), one_at_a_time(store):
        version = find_version(client, params.model_name, digest)
        if version is None:
            experiment = experiment_id(client, store, params.experiment)
            run_id = ensure_run(client, experiment, train_report, digest, preset)
            model_id = ensure_model(client, run_id, params.model_name, bundle, info, digest)
            for file in (_LOCK, PARAMS_FILE):
                if file.is_file():
                    client.log_artifact(run_id, str(file), "lineage")
            made_by = {**code_tags(Path.cwd()), **lock_tags(_LOCK)}
            version = create_version(client, params.model_name, model_id, run_id, {**origin, **made_by})
        elif missing_files(client, store, version):
            upload(client, client.get_logged_model(model_id_of(version)), bundle, info)
        ensure_judged(client, version, evaluation, metrics)
        if compare is not None:
            ensure_compared(client, store, version, champion_of(client, params.model_name), compare)
        ensure_run_described(client, version)
        ensure_aliases(client, store, version)
        return registration_of(client, version, digest)


def register_starter(
    params: RegisterParams,
    folder: Path | None = None,
    store: Store | None = None,
) -> Registration | None:
    """Make the starter the first version and the champion, where the registry has neither.

    Once there is a champion, or a version of another bundle, people decide. Like `register` this looks before each step
    whether it has been done.

    Parameters
    ----------
    params : RegisterParams
        Names of model and experiment.
    folder : Path, optional
        The starter's; the package's own if not given.
    store : Store, optional
        The project's if not given.

    Returns
    -------
    Registration or None
        None if there is a champion or a version of another bundle, or this installation has no starter.

    Raises
    ------
    RegistryError
        If the store does not answer.
    BundleError
        If the starter is not whole.
    """
    try:
        bundle = starter_bundle(folder)
    except StarterError:
        return None
    info, lineage = read_info(bundle), starter_lineage(folder)
    digest = lineage.bundle_sha256
    origin = {**bundle_tags(info, info.preset), **starter_origin(folder), tags.ORIGIN: VERSION}
    store = store or find_store()
    client = connect(store)
    with answering(store), as_default(store), one_at_a_time(store):
        if not _is_wanted(client, params.model_name, digest):
            return None
        version = find_version(client, params.model_name, digest)
        if version is None:
            run_id = _starter_run(client, experiment_id(client, store, params.experiment), origin)
            model_id = ensure_model(client, run_id, params.model_name, bundle, info, digest)
            version = create_version(client, params.model_name, model_id, run_id, origin)
        evaluation = bundle.parent
        if (evaluation / METRICS_FILE).is_file():
            ensure_judged(client, version, evaluation, read_metrics(evaluation))
        ensure_run_described(client, version)
        check_files(client, store, version)
        make_first_champion(client, version, "the starter, which comes along")
        return registration_of(client, version, digest)


@contextmanager
def one_at_a_time(store: Store) -> Iterator[None]:
    """Wait for another registration on this machine, in any store, so that two of one bundle become one version."""
    try:
        with locked(local_folder(store) / ".registering", _LOCK_SECONDS):
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
        [experiment], f"tags.{tags.BUNDLE} = '{digest}' AND source_run_id = '{run_id}'"
    )
    ready = [model for model in found if model.status == LoggedModelStatus.READY]
    if ready:
        return str(ready[0].model_id)
    # One that is not ready was cut off during its upload, which is done once more.
    model = (
        found[0]
        if found
        else client.create_logged_model(experiment, name, run_id, tags={tags.BUNDLE: digest})
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


def ensure_judged(
    client: MlflowClient,
    version: ModelVersion,
    evaluation: Path,
    metrics: dict[str, Any],
) -> None:
    """Attach the evaluation to run, model and version: files, metrics, headline tags, a description to read.

    A few figures become metrics, since MLflow draws a chart for each, before those of the training. All others are in
    metrics.json, the baselines' in the description too.
    """
    digest = sha256_of(evaluation / "metrics.json")
    if version.tags.get(tags.EVALUATION) == digest:
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
            if metric in _CHARTED
        ],
    )
    pictures = [name for name in _PICTURES if (evaluation / name).is_file()]
    description = _description(client, version, metrics, pictures)
    described = with_own_figures(version.description, description)
    client.update_model_version(version.name, version.version, described)
    headlines = {name: str(metrics["ours"][name]) for name in HEADLINES if name in metrics["ours"]}
    for key, value in {**headlines, tags.EVALUATION: digest}.items():
        client.set_model_version_tag(version.name, version.version, key, value)


def ensure_run_described(client: MlflowClient, version: ModelVersion) -> None:
    """Describe the run as its version is described: verdict, pictures and figures are on both pages."""
    described = client.get_model_version(version.name, version.version).description or ""
    if client.get_run(version.run_id).data.tags.get(NOTE, "") != described:
        client.set_tag(version.run_id, NOTE, described)


def ensure_aliases(client: MlflowClient, store: Store, version: ModelVersion) -> None:
    """Make a version the challenger unless its verdict is fail, and the champion if it is the first there ever was.

    Raises
    ------
    RegistryError
        If its files are not whole: then no alias is moved.
    """
    aliases = client.get_registered_model(version.name).aliases
    challenges = str(aliases.get(CHALLENGER)) != str(version.version)
    if client.get_model_version(version.name, version.version).tags.get(tags.VERDICT) == tags.FAIL:
        if not challenges:  # the champion has changed since, and it is worse than this one
            client.delete_registered_model_alias(version.name, CHALLENGER)
        challenges = False
    is_first = CHAMPION not in aliases and int(version.version) == 1
    if challenges or is_first:
        check_files(client, store, version)
    if challenges:
        client.set_registered_model_alias(version.name, CHALLENGER, version.version)
    if is_first:
        make_first_champion(client, version, "the first version")


def make_first_champion(client: MlflowClient, version: ModelVersion, reason: str) -> None:
    """Make a version the first champion."""
    client.set_registered_model_alias(version.name, CHAMPION, version.version)
    history.record(client, version.name, str(version.version), "", "tintype register", reason)


def _description(
    client: MlflowClient,
    version: ModelVersion,
    metrics: dict[str, Any],
    pictures: list[str],
) -> str:
    from tintype.evaluation.summary import metrics_table

    experiment = client.get_run(version.run_id).info.experiment_id
    artifacts = f"#/experiments/{experiment}/runs/{version.run_id}/artifacts/evaluation"
    links = [f"[{_PICTURES[name]}]({artifacts}/{name})" for name in pictures]
    model = f"#/experiments/{experiment}/models/{model_id_of(version)}/artifacts"
    shown = " | ".join([*links, f"[signature and input example]({model})"])
    grid = f"![{_PICTURES[_GRID]}](get-artifact?path=evaluation/{_GRID}&run_uuid={version.run_id})\n\n"
    return f"""{metrics.get("photos", "?")} test photos. Read each figure beside all-gray photos: PSNR rewards gray.

{grid if _GRID in pictures else ""}{metrics_table(metrics)}

{shown}
"""


def registration_of(client: MlflowClient, version: ModelVersion, digest: str) -> Registration:
    """A version as reports/register.json keeps it."""
    aliases = client.get_registered_model(version.name).aliases
    judged = client.get_model_version(version.name, version.version).tags
    return Registration(
        name=version.name,
        version=int(version.version),
        model_uri=f"{SCHEME}{version.name}/{version.version}",
        model_id=model_id_of(version),
        run_id=version.run_id,
        bundle_sha256=digest,
        aliases=sorted(alias for alias, number in aliases.items() if str(number) == str(version.version)),
        verdict=judged.get(tags.VERDICT),
        verdict_reasons=judged.get(tags.REASONS, ""),
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


def _is_wanted(client: MlflowClient, name: str, digest: str) -> bool:
    models = client.search_registered_models(f"name = '{name}'")
    if any(CHAMPION in model.aliases for model in models):
        return False
    # Where another version is, a person took the champion away, and it stays away.
    versions = client.search_model_versions(f"name = '{name}'")
    return all(version.tags.get(tags.BUNDLE) == digest for version in versions)


def _starter_run(client: MlflowClient, experiment: str, origin: dict[str, str]) -> str:
    """The id of the run that stands in for a training that happened elsewhere."""
    found = client.search_runs([experiment], f"tags.{tags.BUNDLE} = '{origin[tags.BUNDLE]}'", max_results=1)
    if found:
        return str(found[0].info.run_id)
    run = client.create_run(experiment, run_name=VERSION, tags=origin, start_time=int(time.time() * 1000))
    client.set_terminated(run.info.run_id)
    return str(run.info.run_id)
