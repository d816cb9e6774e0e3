"""The starter as version 1, so that what is trained here has a champion to beat.

It is registered only where nothing is: once there is a champion, or a version of another bundle, people decide.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mlflow import MlflowClient

from tintype.models.bundle import read_info
from tintype.models.starter import (
    METRICS_FILE,
    VERSION,
    StarterError,
    starter_bundle,
    starter_lineage,
    starter_origin,
)
from tintype.params import RegisterParams
from tintype.registry.lineage import bundle_tags
from tintype.registry.runs import experiment_id
from tintype.registry.store import Store, answering, as_default, connect, find_store
from tintype.registry.version_files import check_files
from tintype.registry.versions import (
    CHAMPION,
    DIGEST_TAG,
    Registration,
    create_version,
    crown,
    ensure_judged,
    ensure_model,
    find_version,
    one_at_a_time,
    read_metrics,
    registration_of,
)


def register_starter(
    params: RegisterParams,
    table: Callable[[dict[str, Any]], str],
    folder: Path | None = None,
    store: Store | None = None,
) -> Registration | None:
    """Make the starter the first version and the champion, where the registry has neither.

    Like `tintype.registry.versions.register` it looks before each step whether it has been done.

    Parameters
    ----------
    params : RegisterParams
        Names of model and experiment.
    table : callable
        Makes a Markdown table of the content of metrics.json.
    folder : Path, optional
        The starter's; the package's own if not given.
    store : Store, optional
        Where; the project's if not given.

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
    tags = {**bundle_tags(info, info.preset), **starter_origin(folder), "origin": VERSION}
    store = store or find_store()
    client = connect(store)
    with answering(store), as_default(store), one_at_a_time(store):
        if not _is_wanted(client, params.model_name, digest):
            return None
        version = find_version(client, params.model_name, digest)
        if version is None:
            run_id = _ensure_run(client, experiment_id(client, store, params.experiment), tags)
            model_id = ensure_model(client, run_id, params.model_name, bundle, info, digest)
            version = create_version(client, params.model_name, model_id, run_id, tags)
        evaluation = bundle.parent
        if (evaluation / METRICS_FILE).is_file():
            ensure_judged(client, version, evaluation, read_metrics(evaluation), table)
        check_files(client, store, version)
        crown(client, version, "the starter, which comes along")
        return registration_of(client, version, digest)


def _is_wanted(client: MlflowClient, name: str, digest: str) -> bool:
    models = client.search_registered_models(f"name = '{name}'")
    if any(CHAMPION in model.aliases for model in models):
        return False
    # Where another version is, a person took the champion away, and it stays away.
    versions = client.search_model_versions(f"name = '{name}'")
    return all(version.tags.get(DIGEST_TAG) == digest for version in versions)


def _ensure_run(client: MlflowClient, experiment: str, tags: dict[str, str]) -> str:
    """The id of the run that stands in for a training that happened elsewhere."""
    found = client.search_runs([experiment], f"tags.{DIGEST_TAG} = '{tags[DIGEST_TAG]}'", max_results=1)
    if found:
        return str(found[0].info.run_id)
    run = client.create_run(experiment, run_name=VERSION, tags=tags, start_time=int(time.time() * 1000))
    client.set_terminated(run.info.run_id)
    return str(run.info.run_id)
