"""What must be true of a data set, each expectation with its reason.

An expectation is a `Rule`: the name of a Great Expectations class, its arguments, and the same in words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from tintype.data.validation.duplicates import distance_to_other_groups
from tintype.data.validation.manifest import COLUMNS, SPLITS, TEST, TRAIN, VALIDATION
from tintype.data.validation.rules import Rule, Table
from tintype.data.validation.splits import chance_interval
from tintype.imaging.reading.sniff import FORMATS
from tintype.params import ValidateParams

ACCEPTED = "accepted"
RISK = 1e-3  # of refusing a data set whose shares are the work of chance


def outcome_table(accepted: pd.Series[str], rejected: pd.DataFrame, params: ValidateParams) -> Table:
    """Every photo found, accepted or not.

    Parameters
    ----------
    accepted : Series of str
        Paths.
    rejected : DataFrame
        Path and reason.
    params : ValidateParams
        The largest share of rejected photos.
    """
    kept = pd.DataFrame({"path": accepted, "outcome": ACCEPTED})
    lost = rejected[["path", "reason"]].rename(columns={"reason": "outcome"})
    rule = Rule(
        "ExpectColumnValuesToBeInSet",
        f"at most {params.max_rejected_share:.0%} of the photos to be quarantined",
        "A few bad photos are normal. Many mean a wrong folder, a broken download or thresholds that do not fit.",
        {"column": "outcome", "value_set": [ACCEPTED], "mostly": 1 - params.max_rejected_share},
    )
    return Table("found", pd.concat([kept, lost], ignore_index=True), "path", [rule])


def manifest_tables(
    manifest: pd.DataFrame, params: ValidateParams, groups: Mapping[str, str] | None = None
) -> list[Table]:
    """Everything that is expected of a manifest.

    Parameters
    ----------
    manifest : DataFrame
        Of any quality; rows that are not whole are left to the rules on columns.
    params : ValidateParams
        Thresholds and shares.
    groups : mapping of str to str, optional
        Content hash of a photo that has near duplicates -> name of their group.

    Returns
    -------
    list of Table
        The photos; and unless columns are missing, their leakage, splits and classes.
    """
    photos = manifest.reset_index(drop=True)
    if not set(COLUMNS) <= set(photos.columns):
        return [Table("photos", photos, "path", [_columns_rule()])]
    photos = photos.assign(bucket_of_hash=photos["content_hash"].str[: params.bucket_digits])
    if len(photos) < len(SPLITS):
        return [Table("photos", photos, "path", [_count_rule()])]
    complete = photos[_is_complete(photos)]
    named = groups or {}
    complete = complete.assign(group=[named.get(one, one) for one in complete["content_hash"]])
    tables = [
        Table("photos", photos, "path", _photo_rules(params)),
        _leakage_table(complete, params),
        _splits_table(complete, params),
    ]
    labels = complete["label"].nunique()
    return tables + (_label_tables(complete, params.max_class_share) if labels > 1 else [])


def _is_complete(photos: pd.DataFrame) -> pd.Series[bool]:
    return photos.notna().all(axis=1) & photos["perceptual_hash"].str.fullmatch("[0-9a-f]{16}").eq(True)


def _columns_rule() -> Rule:
    return Rule(
        "ExpectTableColumnsToMatchSet",
        f"the columns {', '.join(COLUMNS)}",
        "Every later stage reads them by name.",
        {"column_set": list(COLUMNS), "exact_match": False},
    )


def _count_rule() -> Rule:
    return Rule(
        "ExpectTableRowCountToBeBetween",
        f"at least {len(SPLITS)} accepted photos",
        "Training, validation and test need one each.",
        {"min_value": len(SPLITS)},
    )


def _photo_rules(params: ValidateParams) -> list[Rule]:
    complete = [
        Rule(
            "ExpectColumnValuesToNotBeNull",
            f"a {column} for every photo",
            "A photo with a gap in its facts was not inspected to the end.",
            {"column": column},
        )
        for column in COLUMNS
    ]
    large = [
        Rule(
            "ExpectColumnValuesToBeBetween",
            f"a {side} of at least {params.min_side} pixels",
            "A smaller photo would be blown up, and the network would learn its blur.",
            {"column": side, "min_value": params.min_side},
        )
        for side in ("width", "height")
    ]
    return [
        _columns_rule(),
        _count_rule(),
        *complete,
        Rule(
            "ExpectColumnValuesToBeUnique",
            "every content_hash once",
            "A file that is there twice counts twice in training and can lie in two splits.",
            {"column": "content_hash"},
        ),
        Rule(
            "ExpectColumnValuesToBeUnique",
            "every path once",
            "The path is how later stages find the photo.",
            {"column": "path"},
        ),
        Rule(
            "ExpectColumnValuesToMatchRegex",
            "content_hash to be a SHA-256 in 64 hex digits",
            "Bucket and split are derived from it.",
            {"column": "content_hash", "regex": "^[0-9a-f]{64}$"},
        ),
        Rule(
            "ExpectColumnValuesToMatchRegex",
            "perceptual_hash to be 16 hex digits",
            "Near duplicates are found by it.",
            {"column": "perceptual_hash", "regex": "^[0-9a-f]{16}$"},
        ),
        *large,
        Rule(
            "ExpectColumnValuesToBeBetween",
            f"a mean chroma of at least {params.min_chroma:g}",
            "A gray photo teaches that gray is the right colour.",
            {"column": "mean_chroma", "min_value": params.min_chroma},
        ),
        Rule(
            "ExpectColumnValuesToBeBetween",
            "a mean lightness from 0 to 100",
            "Anything else is no L*, so the colour conversion went wrong.",
            {"column": "mean_l", "min_value": 0, "max_value": 100},
        ),
        Rule(
            "ExpectColumnValuesToBeInSet",
            f"a format among {', '.join(FORMATS)}",
            "These are the formats that the service decodes too.",
            {"column": "format", "value_set": list(FORMATS)},
        ),
        Rule(
            "ExpectColumnValuesToBeInSet",
            f"a split among {', '.join(SPLITS)}",
            "A photo in no known split would be silently left out.",
            {"column": "split", "value_set": list(SPLITS)},
        ),
        Rule(
            "ExpectColumnPairValuesToBeEqual",
            f"bucket to be the first {params.bucket_digits} digits of content_hash",
            "A photo in a foreign bucket would be computed twice, or not at all.",
            {"column_A": "bucket", "column_B": "bucket_of_hash"},
        ),
    ]


def _leakage_table(photos: pd.DataFrame, params: ValidateParams) -> Table:
    rows = pd.DataFrame(
        {
            "path": photos["path"],
            "split": photos["split"],
            "splits_with_group": photos.groupby("group")["split"].transform("nunique"),
            "bits_to_other_split": distance_to_other_groups(
                list(photos["perceptual_hash"]), list(photos["split"]), params.min_hash_distance
            ),
        }
    )
    reason = "A photo that is trained on and tested on makes the test say nothing."
    return Table(
        "leakage",
        rows,
        "path",
        [
            Rule(
                "ExpectColumnValuesToBeBetween",
                "no photo in two splits, nor near duplicates of one, such as mirrored copies",
                reason,
                {"column": "splits_with_group", "max_value": 1},
            ),
            Rule(
                "ExpectColumnValuesToBeBetween",
                f"at least {params.min_hash_distance} differing bits between the perceptual hashes "
                "of photos in different splits",
                reason,
                {"column": "bits_to_other_split", "min_value": params.min_hash_distance},
            ),
        ],
    )


def _shares(params: ValidateParams) -> dict[str, float]:
    held_out = {VALIDATION: params.validation_share, TEST: params.test_share}
    return {TRAIN: 1 - sum(held_out.values()), **held_out}


def _splits_table(photos: pd.DataFrame, params: ValidateParams) -> Table:
    shares = _shares(params)
    groups = photos.drop_duplicates("group")  # they are dealt out, not single photos
    rows = _against_chance(groups["split"].value_counts().to_dict(), shares, RISK / len(shares))
    return Table(
        "splits",
        pd.DataFrame(rows),
        "group",
        [
            Rule(
                "ExpectColumnValuesToBeBetween",
                "at least one photo in every split",
                "Without one there is nothing to train on, to choose by or to judge with.",
                {"column": "photos", "min_value": 1},
            ),
            *_between_rules(
                "every split's share of the photos",
                "Photos are dealt out by hash. Of near duplicates, which stay together, one is counted. A share "
                "further from the wanted one than chance explains means "
                "that they were not; the tolerance narrows as photos come in.",
            ),
        ],
    )


def _label_tables(photos: pd.DataFrame, max_share: float) -> list[Table]:
    counts = photos["label"].value_counts()
    labels = pd.DataFrame(
        {
            "label": counts.index.astype("str"),
            "photos": counts.to_numpy(),
            "share": counts.to_numpy() / len(photos),
        }
    )
    largest = Rule(
        "ExpectColumnValuesToBeBetween",
        f"no class with more than {max_share:.0%} of the photos",
        "Where one kind of photo outweighs all others the network learns its colours and no others. If the "
        "folders are not classes, raise validate.max_class_share.",
        {"column": "share", "max_value": max_share},
    )
    return [Table("classes", labels, "label", [largest]), _label_splits_table(photos)]


def _label_splits_table(photos: pd.DataFrame) -> Table:
    """Each class's photos over the splits, against the splits' shares of all photos."""
    photos = photos.drop_duplicates(["group", "label"])
    overall = photos["split"].value_counts(normalize=True)
    shares = {str(split): float(overall[split]) for split in overall.index}
    counts = pd.crosstab(photos["label"], photos["split"])
    risk = RISK / counts.size
    rows = [
        row | {"group": f"{label} in {row['group']}"}
        for label in counts.index
        for row in _against_chance(counts.loc[label].to_dict(), shares, risk)
    ]
    rules = _between_rules(
        "every class's share in each split",
        "A class that is missing from a split, or only there, is not learned or not judged. Chance is allowed for.",
    )
    return Table("classes_by_split", pd.DataFrame(rows), "group", rules)


def _against_chance(
    counts: Mapping[Any, int], shares: Mapping[str, float], risk: float
) -> list[dict[str, Any]]:
    """Photos and share of each split, with the shares that chance allows."""
    total = sum(counts.values())
    rows = []
    for split, share in shares.items():
        photos = counts.get(split, 0)
        lowest, highest = chance_interval(total, share, risk)
        seen = photos / max(total, 1)
        rows.append({"group": split, "photos": photos, "share": seen, "lowest": lowest, "highest": highest})
    return rows


def _between_rules(what: str, reason: str) -> list[Rule]:
    kind = "ExpectColumnPairValuesAToBeGreaterThanB"
    return [
        Rule(
            kind,
            f"{what} to be no smaller than chance allows",
            reason,
            {"column_A": "share", "column_B": "lowest", "or_equal": True},
        ),
        Rule(
            kind,
            f"{what} to be no larger than chance allows",
            reason,
            {"column_A": "highest", "column_B": "share", "or_equal": True},
        ),
    ]
