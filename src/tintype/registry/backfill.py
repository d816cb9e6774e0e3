"""Fill a run with what its store lacks, from the report of the training.

The store may have been away during the training, or the training happened elsewhere: DVC's cache brings bundles and
reports of other machines.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from tintype.registry import tags
from tintype.registry.lineage import code_tags
from tintype.registry.runs import Point, chart_name, log_picture, log_points, run_name
from tintype.registry.store import NOT_FOUND, RegistryError


def ensure_run(client: MlflowClient, experiment: str, report: Path, digest: str, preset: str) -> str:
    """The id of the run that a bundle belongs to, with all that the training's report knows of it.

    Parameters
    ----------
    experiment : str
        The id of the experiment for a run that stands in for a training that happened elsewhere.
    report : Path
        The training's folder with run.json, and history.csv and grids/ if there are any.
    digest : str
        Of the bundle; becomes a tag of the run.
    preset : str
        Names the run if it has to be made.

    Returns
    -------
    str
        Of the run that trained the bundle, if this store has it; else of one that stands in for it, made once.

    Raises
    ------
    RegistryError
        If there is no run.json.
    """
    trained_in = str(read_report(report / "run.json").get("run_id", "unknown"))
    run_id = _existing_run(client, trained_in) or _substitute(client, experiment, trained_in, digest, preset)
    client.set_tag(run_id, tags.BUNDLE, digest)
    complete_run(client, run_id, report)
    return run_id


def complete_run(client: MlflowClient, run_id: str, report: Path) -> None:
    """Give a run what its store lacks of it, from the training's report; a second time changes nothing."""
    unsent = [
        (chart_name(name), *point) for name, *point in read_report(report / "run.json").get("unsent", [])
    ]
    points: dict[tuple[str, int], Point] = {(point[0], point[3]): point for point in unsent}
    for point in _points_in(report / "history.csv"):
        points.setdefault((point[0], point[3]), point)
    names = {name for name, _ in points}
    there = {(name, point.step) for name in names for point in client.get_metric_history(run_id, name)}
    log_points(client, run_id, [point for key, point in points.items() if key not in there])
    pictures = {Path(item.path).name for item in client.list_artifacts(run_id, "grids")}
    for picture in sorted((report / "grids").glob("epoch-*")):
        name = picture.name.replace("epoch", "validation")
        if name not in pictures:
            log_picture(client, run_id, picture, name)
    if client.get_run(run_id).info.status == "RUNNING":
        client.set_terminated(run_id, "FINISHED")


def read_report(report: Path) -> dict[str, Any]:
    """The content of a report that a stage has written as JSON.

    Raises
    ------
    RegistryError
        If it cannot be read or is no JSON object.
    """
    try:
        content = json.loads(report.read_text(encoding="utf-8"))
    except OSError as error:
        raise RegistryError(
            f"Expected a report in {report}, but it cannot be read ({error.strerror}). Run `dvc repro`."
        ) from None
    except ValueError as error:
        raise RegistryError(
            f"Expected JSON in {report}. Received: {error}. Run `dvc repro` to write it anew."
        ) from None
    if not isinstance(content, dict):
        raise RegistryError(f"Expected a JSON object in {report}. Received: {type(content).__name__}.")
    return content


def _existing_run(client: MlflowClient, run_id: str) -> str | None:
    """The id if the store has the run."""
    try:
        run = client.get_run(run_id)
    except MlflowException as error:
        if error.error_code in NOT_FOUND:
            return None
        raise
    return None if run.info.lifecycle_stage == "deleted" else run_id


def _substitute(client: MlflowClient, experiment: str, trained_in: str, digest: str, preset: str) -> str:
    """The run that stands in for one of another store; made if it is not there."""
    found = client.search_runs([experiment], f"tags.{tags.BUNDLE} = '{digest}'", max_results=1)
    if found:
        return str(found[0].info.run_id)
    code = code_tags(Path.cwd())
    origin = {
        tags.TRAINED_IN: trained_in,
        tags.BUNDLE: digest,
        "mlflow.source.name": "tintype register",
        **code,
    }
    return str(client.create_run(experiment, run_name=run_name(code, preset), tags=origin).info.run_id)


def _points_in(history: Path) -> list[Point]:
    """The curves in a training's history.csv; none if there is no such file."""
    if not history.is_file():
        return []
    import pandas as pd

    now, points = int(time.time() * 1000), []
    for row in pd.read_csv(history).to_dict("records"):
        step = int(row.pop("epoch"))
        points += [(chart_name(str(name)), float(value), now, step) for name, value in row.items()]
    return points
