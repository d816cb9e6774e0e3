"""A version's comparison with the champion, kept where a person decides: on its run, in its tags and description.

`tintype.evaluation.comparison` compares and decides. This module knows the champion, and whether the comparison has
been made already.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion

from tintype.models.bundle import BundleError
from tintype.registry import tags
from tintype.registry.resolve import resolve_version
from tintype.registry.store import SCHEME, RegistryError, Store

if TYPE_CHECKING:
    from tintype.evaluation.comparison import Champion, Comparison, ComparisonReport

FOLDER = "comparison"
NOT_COMPARED = "not compared"
_OWN_FIGURES = "### Its own figures"
_LINKS = {"picture.jpg": "Photos on which they differ most", "photos.csv": "scores photo by photo"}
_MORE = {"verdict.json": "verdict with its limits", "card.json": "metric card"}
_LONGEST = 4900  # letters; of a description, MLflow's databases keep 5000
_KEPT = ("card.json", "photos.csv", "front.csv", "verdict.json")


def ensure_compared(
    client: MlflowClient,
    store: Store,
    version: ModelVersion,
    champion: ModelVersion | None,
    compare: Comparison,
) -> None:
    """Compare a version, whose files and evaluation are in the store, with the champion, and keep the result.

    Nothing is done if the version has been compared with this champion by this card and these limits.
    """
    version = client.get_model_version(version.name, version.version)
    if champion is not None and _is_same_bundle(version, champion):
        _ensure_excused(client, version, champion)
        return
    against = str(champion.version) if champion else "none"
    done = f"{against}, {compare.card_sha256}, {compare.limits_sha256}"
    if version.tags.get(tags.COMPARED) == done:
        return
    with tempfile.TemporaryDirectory() as scratch:
        known = _champion_facts(client, store, champion, Path(scratch) / "champion") if champion else None
        report = Path(scratch) / FOLDER
        report.mkdir()
        result = compare(known, report)
        client.log_artifacts(version.run_id, str(report), FOLDER)
    _describe(client, version, _verdict_text(client, version, result, against))
    values = {
        tags.VERDICT: result.verdict,
        tags.REASONS: " ".join(result.reasons),
        tags.CARD: compare.card_sha256,
    }
    _tag(client, version, values, against if champion else None)
    client.set_model_version_tag(version.name, version.version, tags.COMPARED, done)


def _is_same_bundle(version: ModelVersion, champion: ModelVersion) -> bool:
    ours, theirs = version.tags.get(tags.BUNDLE), champion.tags.get(tags.BUNDLE)
    return str(version.version) == str(champion.version) or (ours is not None and ours == theirs)


def _ensure_excused(client: MlflowClient, version: ModelVersion, champion: ModelVersion) -> None:
    """The champion has no rival to beat. What it was promoted on stays as it is."""
    if tags.VERDICT in version.tags:
        return
    number = str(champion.version)
    reason = (
        "It is the champion itself."
        if str(version.version) == number
        else f"It is the same bundle as the champion, version {number}."
    )
    shown = f"**Verdict: {NOT_COMPARED}**\n\n- {reason}"
    _describe(client, version, shown)
    _tag(client, version, {tags.VERDICT: NOT_COMPARED, tags.REASONS: reason}, number)


def _tag(client: MlflowClient, version: ModelVersion, values: dict[str, str], against: str | None) -> None:
    for key, value in values.items():
        client.set_model_version_tag(version.name, version.version, key, value)
    if against is not None:
        client.set_model_version_tag(version.name, version.version, tags.RIVAL, against)
    elif tags.RIVAL in version.tags:
        client.delete_model_version_tag(version.name, version.version, tags.RIVAL)


def _describe(client: MlflowClient, version: ModelVersion, shown: str) -> None:
    """Put the comparison before the version's own figures, in the place of an earlier comparison."""
    before, mark, own = (version.description or "").partition(_OWN_FIGURES)
    described = _joined(shown, own if mark else before)
    client.update_model_version(version.name, version.version, described)


def with_own_figures(description: str | None, own: str) -> str:
    """A version's description with its own figures made anew; a comparison before them stays."""
    before, mark, _ = (description or "").partition(_OWN_FIGURES)
    return _joined(before, own) if mark else own


def _joined(shown: str, own: str) -> str:
    return f"{shown.strip()}\n\n{_OWN_FIGURES}\n\n{own.strip()}\n"


def _verdict_text(client: MlflowClient, version: ModelVersion, result: ComparisonReport, against: str) -> str:
    experiment = client.get_run(version.run_id).info.experiment_id
    artifacts = f"#/experiments/{experiment}/runs/{version.run_id}/artifacts/{FOLDER}"
    links = " | ".join(f"[{title}]({artifacts}/{name})" for name, title in (_LINKS | _MORE).items())
    beaten = "" if against == "none" else f" against champion version {against}"
    reasons = "\n".join(f"- {reason}" for reason in result.reasons)
    head = f"**Verdict: {result.verdict}**{beaten}\n\n{reasons}"
    table = result.markdown
    if len(head) + len(table) + len(links) + len(version.description or "") > _LONGEST:
        table = f"[The table]({artifacts}/table.md)"
    return f"{head}\n\n{table}\n\n{links}"


def _champion_facts(client: MlflowClient, store: Store, champion: ModelVersion, scratch: Path) -> Champion:
    from tintype.evaluation.comparison import Champion

    bundle, missing = None, ""
    try:
        bundle = resolve_version(f"{SCHEME}{champion.name}/{champion.version}", store).bundle
    except (RegistryError, BundleError) as error:
        missing = str(error)
    digest = champion.tags.get(tags.BUNDLE, "")
    return Champion(str(champion.version), digest, bundle, missing, _report(client, champion, scratch))


def _report(client: MlflowClient, champion: ModelVersion, scratch: Path) -> Path | None:
    """A copy of the champion's own report, if all that is needed of it is there."""
    if not champion.run_id:
        return None
    there = {item.path for item in client.list_artifacts(champion.run_id, FOLDER)}
    if not all(f"{FOLDER}/{name}" in there for name in _KEPT):
        return None
    scratch.mkdir()
    return Path(client.download_artifacts(champion.run_id, FOLDER, str(scratch)))
