"""A sound manifest passes; each way of spoiling it fails the expectation that is there for it, and no other."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

from tintype.data.validation.checkpoint import check
from tintype.data.validation.expectations import manifest_tables, outcome_table
from tintype.data.validation.inspection import Facts
from tintype.data.validation.rules import Rule, Table
from tintype.data.validation.validate import make_manifest
from tintype.params import ValidateParams

Spoil = Callable[[pd.DataFrame], pd.DataFrame]


@pytest.fixture(scope="module")
def manifest(make_facts: Callable[..., Facts], params: ValidateParams) -> pd.DataFrame:
    """120 sound photos in four classes."""
    return make_manifest([make_facts(f"{n}.jpg", label=f"class {n % 4}") for n in range(120)], [], params)


_CHECKED: dict[tuple[str, ...], list[str]] = {}


def failures(tables: list[Table]) -> list[str]:
    """Of each table; one that an earlier call had, with the same rows and rules, is not checked a second time."""
    found = []
    for table in tables:
        key = (table.name, table.rows.to_csv(), table.rows.dtypes.to_string(), repr(table.rules))
        if key not in _CHECKED:
            _CHECKED[key] = [one.sentence for one in check([table]) if one.received is not None]
        found += _CHECKED[key]
    return found


def first(manifest: pd.DataFrame, split: str) -> int:
    return int(manifest.index[manifest["split"] == split][0])


def with_value(column: str, value: object) -> Spoil:
    def spoil(manifest: pd.DataFrame) -> pd.DataFrame:
        spoilt = manifest.astype({column: "object"}) if isinstance(value, str) else manifest.copy()
        spoilt.loc[3, column] = value
        return spoilt

    return spoil


def same_file_in_two_splits(manifest: pd.DataFrame) -> pd.DataFrame:
    copy = manifest.loc[[first(manifest, "train")]].assign(path="copy.jpg", split="test")
    return pd.concat([manifest, copy], ignore_index=True)


def similar_photo_in_two_splits(manifest: pd.DataFrame) -> pd.DataFrame:
    spoilt = manifest.copy()
    spoilt.loc[first(manifest, "test"), "perceptual_hash"] = spoilt.loc[
        first(manifest, "train"), "perceptual_hash"
    ]
    return spoilt


def duplicate_in_one_split(manifest: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([manifest, manifest.loc[[0]].assign(path="copy.jpg")], ignore_index=True)


def in_one_class(share: float) -> Spoil:
    def spoil(manifest: pd.DataFrame) -> pd.DataFrame:
        return manifest.assign(
            label=["a" if n < share * len(manifest) else "b" for n in range(len(manifest))]
        )

    return spoil


def one_class_never_tested(manifest: pd.DataFrame) -> pd.DataFrame:
    """A class of half of the photos with none in test, all shares of the splits as they were."""
    tested = manifest["split"] == "test"
    rest = [["a", "b"][n % 4 == 0] for n in range(len(manifest))]
    return manifest.assign(label=[("b" if test else label) for test, label in zip(tested, rest, strict=True)])


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda manifest: manifest, []),
        (same_file_in_two_splits, ["every content_hash once", "no photo in two splits", "at least 8 differing bits"]),
        (similar_photo_in_two_splits, ["at least 8 differing bits"]),
        (duplicate_in_one_split, ["every content_hash once"]),
        (lambda manifest: manifest.assign(split=manifest["split"].replace("test", "train")),
         ["at least one photo in every split", "share of the photos to be no smaller", "to be no larger"]),
        (lambda manifest: manifest.assign(split=["train", "test", "validation"] * 40),
         ["share of the photos to be no smaller", "share of the photos to be no larger"]),
        (with_value("mean_chroma", float("nan")), ["a mean_chroma for every photo"]),
        (with_value("perceptual_hash", None), ["a perceptual_hash for every photo"]),
        (with_value("perceptual_hash", "xyz"), ["perceptual_hash to be 16 hex digits"]),
        (with_value("width", 63), ["a width of at least 64"]),
        (with_value("mean_chroma", 1.9), ["a mean chroma of at least 2"]),
        (with_value("mean_l", 101.0), ["a mean lightness from 0 to 100"]),
        (with_value("format", "XPM"), ["a format among JPEG"]),
        (with_value("split", "holdout"), ["a split among train"]),
        (with_value("bucket", "g"), ["bucket to be the first 1 digits"]),
        (in_one_class(0.7), []),
        (in_one_class(0.95), ["no class with more than 80% of the photos"]),
        (one_class_never_tested, ["every class's share in each split to be no smaller", "to be no larger"]),
        (lambda manifest: manifest.drop(columns="width"), ["the columns path"]),
        (lambda manifest: manifest[:2], ["at least 3 accepted photos"]),
        (lambda manifest: manifest[:0], ["at least 3 accepted photos"]),
    ],
    ids=[
        "sound", "file in two splits", "similar photo in two splits", "duplicate", "no test split",
        "wrong shares", "NaN", "no perceptual hash", "odd perceptual hash", "narrow",
        "gray", "lightness", "format", "split", "bucket",
        "uneven classes", "overwhelming class", "class never tested", "column missing", "two photos",
        "no photos",
    ],
)  # fmt: skip
def test_manifest(manifest: pd.DataFrame, params: ValidateParams, spoil: Spoil, expected: list[str]) -> None:
    found = failures(manifest_tables(spoil(manifest), params))
    assert len(found) == len(expected), found
    for sentence, words in zip(found, expected, strict=True):
        assert words in sentence


@pytest.mark.parametrize(("rejected", "passes"), [(0, True), (25, True), (26, False), (100, False)])
def test_share_of_quarantined_photos(params: ValidateParams, rejected: int, passes: bool) -> None:
    accepted = pd.Series([f"good/{n}.jpg" for n in range(125 - rejected)], dtype="str")
    lost = pd.DataFrame(
        {"path": [f"bad/{n}.jpg" for n in range(rejected)], "reason": "near_gray"}, dtype="str"
    )
    found = failures([outcome_table(accepted, lost, params)])
    assert bool(found) is not passes
    if not passes:
        assert (
            f"expected at most 20% of the photos to be quarantined; {rejected} of 125 are otherwise"
            in found[0]
        )
        assert "bad/0.jpg (outcome near_gray)" in found[0]


def test_near_duplicates_in_two_splits_fail(manifest: pd.DataFrame, params: ValidateParams) -> None:
    one, other = (manifest["content_hash"][first(manifest, split)] for split in ("train", "test"))
    (failure,) = failures(manifest_tables(manifest, params, {one: one, other: one}))
    assert "nor near duplicates of one" in failure
    assert "2 of 120 are otherwise" in failure


def test_a_failure_names_rows_and_values(manifest: pd.DataFrame, params: ValidateParams) -> None:
    spoilt = with_value("width", 63)(manifest)
    assert failures(manifest_tables(spoilt, params)) == [
        "photos: expected a width of at least 64 pixels; 1 of 120 are otherwise: "
        f"{spoilt.loc[3, 'path']} (width 63)."
    ]


def test_every_rule_says_what_and_why(manifest: pd.DataFrame, params: ValidateParams) -> None:
    for table in manifest_tables(manifest, params):
        words = [rule.expected for rule in table.rules]
        assert len(set(words)) == len(words)  # results are told apart by them
        assert all(rule.reason.endswith(".") and not rule.expected.endswith(".") for rule in table.rules)


def test_what_cannot_be_checked_has_failed() -> None:
    rule = Rule("ExpectColumnValuesToNotBeNull", "a colour", "Photos have one.", {"column": "colour"})
    (outcome,) = check([Table("photos", pd.DataFrame({"path": ["a.jpg"]}), "path", [rule])])
    assert outcome.received is not None
    assert "could not be checked" in outcome.received
    assert "colour" in outcome.received
