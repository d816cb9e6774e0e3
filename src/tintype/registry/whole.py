"""Which of a version's files its store has lost, so that they can be put there again."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tintype.registry.store import Store, waiting_for_files

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

_DESCRIPTION = "MLmodel"


def missing_files(client: MlflowClient, store: Store, version: ModelVersion) -> list[str]:
    """What a version should have and its store has not.

    Parameters
    ----------
    client : MlflowClient
        From `connect(store)`.
    store : Store
        Where the version is.
    version : ModelVersion
        Made by `tintype.registry.versions.register`, whose description names the bundle's files.

    Returns
    -------
    list of str
        Paths in the version's folder; empty if all are there. Their content is checked where they are loaded.
    """
    from mlflow.artifacts import download_artifacts
    from mlflow.models import Model

    model_id = str(version.source).removeprefix("models:/")
    if _DESCRIPTION not in _names(client, model_id, None):
        return [_DESCRIPTION]
    location = client.get_model_version_download_uri(version.name, version.version).rstrip("/")
    with tempfile.TemporaryDirectory() as scratch, waiting_for_files():
        description = Model.load(
            download_artifacts(f"{location}/{_DESCRIPTION}", dst_path=scratch, tracking_uri=store.uri)
        )
    bundle = Path(description.flavors["python_function"]["artifacts"]["bundle"]["path"])
    wanted = [bundle / name for name in ("bundle.json", *(description.metadata or {}).get("files", {}))]
    found = {folder: _names(client, model_id, folder) for folder in {path.parent for path in wanted}}
    return sorted(path.as_posix() for path in wanted if path.name not in found[path.parent])


def _names(client: MlflowClient, model_id: str, folder: Path | None) -> set[str]:
    listed = client.list_logged_model_artifacts(model_id, None if folder is None else folder.as_posix())
    return {Path(item.path).name for item in listed if not item.is_dir}
