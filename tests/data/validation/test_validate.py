"""The stage on real files: what is quarantined and why, what is on disk, and what a failure says."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image, ImageOps

from tintype.data.sources.source import LeftOut, write_left_out
from tintype.data.validation.manifest import REJECTED_FILE, read_manifest
from tintype.data.validation.validate import ValidationError, validate
from tintype.params import ValidateParams


def quarantined(manifest: Path) -> pd.DataFrame:
    return pd.read_csv(manifest / REJECTED_FILE, dtype="str", keep_default_na=False)


def spoil(photos: Path) -> None:
    """Add one photo of each kind that may not teach."""
    cat = Image.open(photos / "cat.jpg")
    (photos / "empty.jpg").write_bytes(b"")
    (photos / "cut.jpg").write_bytes((photos / "cat.jpg").read_bytes()[:5000])
    (photos / "notes.png").write_text("not a photo")
    cat.resize((90, 60)).save(photos / "tiny.png")
    cat.convert("L").save(photos / "gray.png")
    Image.open(photos / "dahlia.jpg").convert("L").convert("RGB").save(photos / "gray-rgb.jpg")
    (photos / "again").mkdir()
    shutil.copy(photos / "cat.jpg", photos / "again" / "cat.jpg")
    cat.save(photos / "pixels.png")
    cat.resize((cat.width // 2, cat.height // 2)).save(photos / "half.jpg", quality=50)


def keep_only(photos: Path, *names: str) -> None:
    for photo in photos.iterdir():
        if photo.name not in names:
            photo.unlink()


def test_quarantine(photos: Path, tmp_path: Path, params: ValidateParams) -> None:
    spoil(photos)
    generous = params.model_copy(update={"max_rejected_share": 0.5})
    (photos / "unknown.jxl").write_bytes(b"\xff\x0a and more")
    write_left_out(
        photos.parent, [LeftOut("caf\\xe9.jpg", "unusable_name", "Expected a file name in UTF-8.")]
    )
    validated = validate(photos.parent, tmp_path / "manifest", tmp_path / "report", generous)
    assert validated == (
        20,
        "30 photos, of which 20 accepted (9 train, 5 validation, 6 test); 10 quarantined (4 undecodable, 1 too small, "
        "2 near gray, 2 exact duplicate, 1 perceptual duplicate); 1 not fetched (1 unusable name). "
        "All are named in rejected.csv.",
    )
    manifest, rejected = read_manifest(tmp_path / "manifest"), quarantined(tmp_path / "manifest")
    (kept_cat,) = {"cat.jpg", "again/cat.jpg", "pixels.png"} & set(manifest["path"])
    copies = {"cat.jpg", "again/cat.jpg", "pixels.png"} - {kept_cat}
    assert dict(zip(rejected["path"], rejected["reason"], strict=True)) == {
        "empty.jpg": "undecodable",
        "cut.jpg": "undecodable",
        "notes.png": "undecodable",
        "unknown.jxl": "undecodable",
        "caf\\xe9.jpg": "unusable_name",
        "tiny.png": "too_small",
        "gray.png": "near_gray",
        "gray-rgb.jpg": "near_gray",
        "half.jpg": "perceptual_duplicate",
        **dict.fromkeys(copies, "exact_duplicate"),
    }
    assert len(manifest) == 20
    assert set(manifest["split"]) == {"train", "validation", "test"}

    verdict = json.loads((tmp_path / "report" / "verdict.json").read_text())
    assert (verdict["photos"], verdict["accepted"], verdict["success"], verdict["failed"]) == (
        30,
        20,
        True,
        [],
    )
    assert verdict["reasons"]["undecodable"] == 4
    assert sum(verdict["splits"].values()) == 20


def test_too_many_bad_photos_fail_and_all_results_are_there(
    photos: Path, tmp_path: Path, params: ValidateParams
) -> None:
    spoil(photos)
    with pytest.raises(ValidationError) as failure:
        validate(photos.parent, tmp_path / "manifest", tmp_path / "report", params)
    assert "expected at most 20% of the photos to be quarantined; 9 of 29 are otherwise" in str(failure.value)
    assert "Of 29 photos 9 are quarantined: " in str(failure.value)
    assert "3 undecodable" in str(failure.value)
    assert "1 perceptual duplicate" in str(failure.value)
    rejected = quarantined(tmp_path / "manifest")
    assert len(rejected) == 9
    verdict = json.loads((tmp_path / "report" / "verdict.json").read_text())
    assert verdict["success"] is False
    assert "quarantined; 9 of 29" in verdict["failed"][0]
    # The page shows what failed, and each kind of quarantined photo.
    html = (tmp_path / "report/docs/index.html").read_text()
    assert "1 of 32 expectations failed" in html
    assert "Expected at most 20% of the photos to be quarantined." in html
    assert all(f"<code>{path}</code>" in html for path in rejected["path"])
    assert html.count("data:image/jpeg;base64,") == 9 - 3
    assert html.count("cannot be shown") == 3


def test_data_docs_need_no_network_and_repeat(tmp_path: Path, photos: Path, params: ValidateParams) -> None:
    keep_only(photos, "cat.jpg", "dahlia.jpg", "sunset.jpg", "waterfall.jpg")
    runs = [tmp_path / "first", tmp_path / "second"]
    for run in runs:
        validate(photos.parent, run / "manifest", run / "report", params)
    first, second = (
        {path.relative_to(run): path.read_bytes() for path in run.rglob("*") if path.is_file()}
        for run in runs
    )
    assert first == second
    pages = [path for path in first if path.suffix == ".html"]
    assert pages == [Path("report/docs/index.html")]
    html = first[pages[0]].decode()
    assert not re.search(r'<script|src="(?!data:)|url\((?!#)|@import|<link| href="', html)
    assert "A gray photo teaches that gray is the right colour." in html
    assert "None: every photo that was found may teach." in html


def test_three_photos_are_enough_and_near_duplicates_are_named_and_share_a_split(
    photos: Path, tmp_path: Path, params: ValidateParams
) -> None:
    keep_only(photos, "cat.jpg", "dahlia.jpg", "sunset.jpg")
    ImageOps.mirror(Image.open(photos / "cat.jpg")).save(photos / "mirrored.jpg")
    validate(photos.parent, tmp_path / "manifest", tmp_path / "report", params)
    split = read_manifest(tmp_path / "manifest").set_index("path")["split"]
    assert set(split) == {"train", "validation", "test"}
    assert split["cat.jpg"] == split["mirrored.jpg"]
    near = pd.read_csv(tmp_path / "manifest/near_duplicates.csv").set_index("path")
    assert dict(near["nearest"]) == {"cat.jpg": "mirrored.jpg", "mirrored.jpg": "cat.jpg"}
    assert set(near["likeness"]) == {"mirrored"}


def test_no_photos(tmp_path: Path, params: ValidateParams) -> None:
    with pytest.raises(ValidationError, match=r"Expected photos in .* but there are none"):
        validate(tmp_path, tmp_path / "manifest", tmp_path / "report", params)
    assert not (tmp_path / "manifest").exists()
