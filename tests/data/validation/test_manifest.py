"""The manifest is read as it was written, and a stranger's file is refused with a sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tintype.data.validation.inspection import Facts, Reason, Rejection
from tintype.data.validation.manifest import (
    COLUMNS,
    REJECTED_FILE,
    ManifestError,
    read_manifest,
    write_manifest,
)
from tintype.data.validation.validate import make_manifest, make_rejected
from tintype.params import ValidateParams


def quarantined(manifest: Path) -> pd.DataFrame:
    return pd.read_csv(manifest / REJECTED_FILE, dtype="str", keep_default_na=False)


def test_round_trip(tmp_path: Path, make_facts: Callable[..., Facts], params: ValidateParams) -> None:
    manifest = make_manifest([make_facts(f"ü/{n}.jpg", label="ü") for n in range(9)], [], params)
    rejected = make_rejected(
        [Rejection("b.jpg", Reason.NEAR_GRAY, 'a "word", b'), Rejection("NA", Reason.TOO_SMALL, "")]
    )
    write_manifest(tmp_path / "manifest", manifest, rejected)
    pd.testing.assert_frame_equal(read_manifest(tmp_path / "manifest"), manifest)
    some = ["path", "split"]
    pd.testing.assert_frame_equal(read_manifest(tmp_path / "manifest", some), manifest[some])
    pd.testing.assert_frame_equal(quarantined(tmp_path / "manifest"), rejected)
    assert list(rejected["path"]) == ["NA", "b.jpg"]


def test_rows_do_not_depend_on_the_order_of_photos(
    make_facts: Callable[..., Facts], params: ValidateParams
) -> None:
    facts = [make_facts(f"{n}.jpg") for n in range(9)]
    manifest = make_manifest(facts, [], params)
    pd.testing.assert_frame_equal(manifest, make_manifest(facts[::-1], [], params))
    assert manifest["content_hash"].is_monotonic_increasing
    assert list(manifest["bucket"]) == [digest[0] for digest in manifest["content_hash"]]


def test_no_photos_make_an_empty_manifest(tmp_path: Path, params: ValidateParams) -> None:
    write_manifest(tmp_path, make_manifest([], [], params), make_rejected([]))
    assert len(read_manifest(tmp_path)) == len(quarantined(tmp_path)) == 0


def test_missing_manifest(tmp_path: Path) -> None:
    with pytest.raises(
        ManifestError, match=r"Expected a manifest at .*manifest\.parquet. Run `dvc repro validate`"
    ):
        read_manifest(tmp_path)


def test_broken_manifest(tmp_path: Path) -> None:
    (tmp_path / "manifest.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(ManifestError, match="is not a Parquet file"):
        read_manifest(tmp_path)


def test_foreign_columns(tmp_path: Path) -> None:
    pd.DataFrame({column: ["1"] for column in COLUMNS}).to_parquet(tmp_path / "manifest.parquet")
    with pytest.raises(
        ManifestError, match=r"Expected the columns .*'width': 'int64'.* Received: .*'width': 'str'"
    ):
        read_manifest(tmp_path)


def test_a_column_that_is_missing_or_too_many(
    tmp_path: Path, make_facts: Callable[..., Facts], params: ValidateParams
) -> None:
    manifest = make_manifest([make_facts("a.jpg")], [], params)
    manifest.drop(columns="split").to_parquet(tmp_path / "manifest.parquet")
    with pytest.raises(ManifestError, match=r"Expected the columns \{'path': 'str', 'split': 'str'\}"):
        read_manifest(tmp_path, ["path", "split"])
    manifest.assign(own=1).to_parquet(tmp_path / "manifest.parquet")
    with pytest.raises(ManifestError, match=r"Received: .*'own': 'int64'"):
        read_manifest(tmp_path, ["path", "split"])
