"""From a folder of photos to a manifest that can be trusted, or a sentence that says why not.

Bad photos are quarantined one by one, with a reason. The expectations then judge what is left as a whole.
All results are on disk before a failure is raised, so that a person can look.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from tintype.data.sources.source import read_left_out
from tintype.data.validation.checkpoint import check
from tintype.data.validation.duplicates import (
    NearDuplicate,
    drop_duplicates,
    group_near_duplicates,
    groups_of,
)
from tintype.data.validation.expectations import manifest_tables, outcome_table
from tintype.data.validation.inspection import Facts, Reason, Rejection, inspect_all
from tintype.data.validation.manifest import COLUMNS, REJECTED_COLUMNS, SPLITS, write_manifest
from tintype.data.validation.report import Chart, write_report
from tintype.data.validation.rules import Finding
from tintype.data.validation.splits import assign_splits
from tintype.data.validation.thumbnails import photos_to_show
from tintype.errors import TintypeError
from tintype.files.atomic import write_json
from tintype.pages.charts import bars, histogram
from tintype.params import ValidateParams

_CLASSES = 12  # that the page shows


class ValidationError(TintypeError):
    """The photos are not fit to train on."""


class Validated(NamedTuple):
    """What became of a data set: how many photos are accepted, and the account in a sentence."""

    accepted: int
    summary: str


def validate(raw: Path, manifest_folder: Path, report_folder: Path, params: ValidateParams) -> Validated:
    """Inspect all photos, quarantine the bad ones, and judge the data set.

    Parameters
    ----------
    raw : Path
        What `fetch` made; the photos are in `raw/photos`.
    manifest_folder : Path
        For manifest.parquet and rejected.csv; replaced as a whole.
    report_folder : Path
        For verdict.json and the page in `docs`.
    params : ValidateParams
        Thresholds and shares.

    Returns
    -------
    Validated
        Every file of `raw/photos`, and every one that `fetch` left out, is in the manifest or in rejected.csv.

    Raises
    ------
    ValidationError
        If there are no photos, or an expectation fails; the message has all failures in words.
    """
    photos = raw / "photos"
    found = sorted(path.relative_to(photos).as_posix() for path in photos.rglob("*") if path.is_file())
    if not found:
        raise ValidationError(f"Expected photos in {photos}, but there are none. Run `dvc repro fetch`.")
    accepted, rejections = quarantine(inspect_all(photos, found), params)
    near_duplicates = group_near_duplicates(accepted)
    manifest, rejected = make_manifest(accepted, near_duplicates, params), make_rejected(rejections)
    pairs = pd.DataFrame(near_duplicates, columns=[field.name for field in fields(NearDuplicate)])
    left_out = pd.DataFrame(read_left_out(raw), columns=REJECTED_COLUMNS, dtype="str")
    write_manifest(manifest_folder, manifest, pd.concat([rejected, left_out]), pairs)
    groups = groups_of(near_duplicates)
    tables = [outcome_table(manifest["path"], rejected, params), *manifest_tables(manifest, params, groups)]
    findings = check(tables)
    verdict = describe(manifest, rejected, findings)
    write_json(report_folder / "verdict.json", verdict)
    write_report(
        report_folder / "docs",
        "Photos",
        "What was found, what of it may teach, and what the data set as a whole must fulfil.",
        {
            "photos found": f"{verdict['photos']:,}",
            "accepted": f"{verdict['accepted']:,}",
            "quarantined": f"{verdict['rejected']:,} ({verdict['rejected_share']:.0%})",
            "near duplicates": f"{len(groups):,} in {len(set(groups.values())):,} groups, each in one split",
            "train, validation, test": ", ".join(f"{count:,}" for count in verdict["splits"].values()),
        },
        findings,
        _charts(manifest, verdict, params),
        photos_to_show(photos, rejected),
        len(rejected),
    )
    if failures(findings):
        where = f"See {manifest_folder / 'rejected.csv'} and {report_folder / 'docs' / 'index.html'}."
        raise ValidationError(f"{_failure(rejected, len(found), findings)}\n{where}")
    return Validated(len(manifest), _summary(verdict, len(groups), left_out["reason"]))


def _summary(verdict: Mapping[str, Any], near: int, left_out: Iterable[str]) -> str:
    """How many photos there are, and how many were left out and why."""
    splits = ", ".join(f"{count:,} {split}" for split, count in verdict["splits"].items())
    words = [f"{verdict['photos']:,} photos, of which {verdict['accepted']:,} accepted ({splits})"]
    if near:
        words.append(f"{near:,} of them near duplicates of each other, see near_duplicates.csv")
    words.append(f"{verdict['rejected']:,} quarantined{_counted(verdict['reasons'])}")
    others = Counter(left_out)
    if others:
        words.append(f"{others.total():,} not fetched{_counted(others)}")
    named = verdict["rejected"] or others
    return f"{'; '.join(words)}.{' All are named in rejected.csv.' if named else ''}"


def _counted(reasons: Mapping[str, int]) -> str:
    counts = [f"{count:,} {reason.replace('_', ' ')}" for reason, count in reasons.items() if count]
    return f" ({', '.join(counts)})" if counts else ""


def quarantine(
    inspected: Iterable[Facts | Rejection], params: ValidateParams
) -> tuple[list[Facts], list[Rejection]]:
    """Separate the good photos from the bad.

    Parameters
    ----------
    inspected : iterable of Facts or Rejection
        As made by `inspect_all`.
    params : ValidateParams
        Thresholds.

    Returns
    -------
    accepted : list of Facts
        No two of them the same picture.
    rejected : list of Rejection
        A photo with several faults has the first of the order of `Reason`.
    """
    fit: list[Facts] = []
    rejected: list[Rejection] = []
    for one in inspected:
        judged = _judge(one, params) if isinstance(one, Facts) else one
        if isinstance(judged, Facts):
            fit.append(judged)
        else:
            rejected.append(judged)
    accepted, duplicates = drop_duplicates(fit, params.min_hash_distance)
    return accepted, rejected + duplicates


def _judge(facts: Facts, params: ValidateParams) -> Facts | Rejection:
    if min(facts.width, facts.height) < params.min_side:
        received = (
            f"Expected at least {params.min_side} pixels a side. Received: {facts.width} x {facts.height}."
        )
        return Rejection(facts.path, Reason.TOO_SMALL, received)
    if facts.mean_chroma < params.min_chroma:
        received = (
            f"Expected a mean chroma of at least {params.min_chroma:g}. Received: {facts.mean_chroma:.2f}."
        )
        return Rejection(facts.path, Reason.NEAR_GRAY, received)
    return facts


def describe(manifest: pd.DataFrame, rejected: pd.DataFrame, findings: Sequence[Finding]) -> dict[str, Any]:
    """The verdict as metrics, numbers first."""
    reasons = Counter(rejected["reason"])
    total = len(manifest) + len(rejected)
    return {
        "photos": total,
        "accepted": len(manifest),
        "rejected": len(rejected),
        "rejected_share": round(len(rejected) / total, 4),
        "reasons": {str(reason): reasons[str(reason)] for reason in Reason},
        "splits": {split: int((manifest["split"] == split).sum()) for split in SPLITS},
        "classes": int(manifest["label"].nunique()),
        "expectations": len(findings),
        "failures": len(failures(findings)),
        "success": not failures(findings),
        "failed": failures(findings),
    }


def _charts(manifest: pd.DataFrame, verdict: dict[str, Any], params: ValidateParams) -> list[Chart]:
    classes = manifest["label"].value_counts()
    sides = manifest[["width", "height"]].min(axis=1)
    return [
        Chart("Splits", "Photos in each", bars(verdict["splits"], "Photos by split")),
        Chart(
            "Lightness",
            "Mean L* of each photo, 0 to 100",
            histogram(manifest["mean_l"], "Photos by lightness"),
        ),
        Chart(
            "Chroma",
            "Mean distance from gray (C*) of each photo; left of the line it is quarantined as nearly gray",
            histogram(manifest["mean_chroma"], "Photos by chroma", limit=params.min_chroma),
        ),
        Chart(
            "Size",
            "Shorter side in pixels; left of the line a photo is too small",
            histogram(sides, "Photos by shorter side", limit=params.min_side),
        ),
        *(
            [
                Chart(
                    "Classes",
                    f"Photos in the {min(len(classes), _CLASSES)} largest of {len(classes)} folders",
                    bars({str(name): int(n) for name, n in classes[:_CLASSES].items()}, "Photos by class"),
                )
            ]
            if len(classes) > 1
            else []
        ),
    ]


def failures(findings: Iterable[Finding]) -> list[str]:
    """Sentences about the expectations that do not hold."""
    return [finding.sentence for finding in findings if finding.received is not None]


def _failure(rejected: pd.DataFrame, photos: int, findings: Sequence[Finding]) -> str:
    failed = failures(findings)
    reasons = [f"{count} {reason.replace('_', ' ')}" for reason, count in Counter(rejected["reason"]).items()]
    lines = [
        f"The photos are not fit to train on: {len(failed)} of {len(findings)} expectations failed.",
        *(f"  - {sentence}" for sentence in failed),
        f"Of {photos} photos {len(rejected)} are quarantined: {', '.join(reasons) or 'none'}.",
        "Mend the photos, or the thresholds under `validate` in params.yaml.",
    ]
    return "\n".join(lines)


def make_manifest(
    photos: Sequence[Facts], near_duplicates: Iterable[NearDuplicate], params: ValidateParams
) -> pd.DataFrame:
    """The table of accepted photos, with bucket and split.

    Parameters
    ----------
    photos : sequence of Facts
        Distinct photos, in any order.
    near_duplicates : iterable of NearDuplicate
        Those of the photos that are not alone; each group is in one split.
    params : ValidateParams
        Digits of a bucket, and how photos are dealt out.

    Returns
    -------
    DataFrame
        With `COLUMNS`, sorted by content hash.
    """
    ranked = sorted(photos, key=lambda facts: facts.content_hash)
    leaders = groups_of(near_duplicates)
    leader_of = [leaders.get(facts.content_hash, facts.content_hash) for facts in ranked]
    splits = assign_splits(
        sorted(set(leader_of)), params.validation_share, params.test_share, params.split_seed
    )
    derived = {
        "bucket": [facts.content_hash[: params.bucket_digits] for facts in ranked],
        "split": [splits[leader] for leader in leader_of],
    }
    # Column by column: a dict for each row would take four times the memory of the facts.
    facts_of = {name: [getattr(facts, name) for facts in ranked] for name in COLUMNS if name not in derived}
    return pd.DataFrame(facts_of | derived, columns=list(COLUMNS)).astype(COLUMNS)


def make_rejected(rejections: Sequence[Rejection]) -> pd.DataFrame:
    """The table of quarantined photos: path, reason, detail, sorted by path."""
    rows = sorted((rejection.path, str(rejection.reason), rejection.detail) for rejection in rejections)
    return pd.DataFrame(rows, columns=REJECTED_COLUMNS, dtype="str")
