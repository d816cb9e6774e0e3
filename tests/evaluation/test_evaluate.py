from __future__ import annotations

import csv
import json
import resource
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tintype.evaluation.baselines import all_gray, constant_chroma, methods
from tintype.evaluation.custom import colour_custom
from tintype.evaluation.evaluate import evaluate
from tintype.evaluation.photos import EvaluationError, photos_of_split
from tintype.evaluation.prior import prior_of_files
from tintype.evaluation.quality_curve import FACTORS, read_curve
from tintype.evaluation.steadiness import CHANGES
from tintype.files.digest import sha256_of
from tintype.files.disk import DiskError
from tintype.formats.photo import read_photo
from tintype.imaging.lab import rgb_to_lab
from tintype.imaging.limits import PhotoError
from tintype.imaging.picture import PhotoFile
from tintype.models.backbone import Backbone

Method = Callable[[np.ndarray], np.ndarray]


@pytest.fixture(scope="module")
def half(saturate: Callable[[np.ndarray, float], np.ndarray]) -> Method:
    """Stands in for a colorizer: it gets the hues right and half of the chroma."""
    return lambda rgb8: saturate(rgb8, 0.5)


@pytest.fixture(scope="module")
def photos(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, PhotoFile]:
    folder = tmp_path_factory.mktemp("photos")
    for name, height in (("cat", 90), ("leaves", 120), ("temple", 60)):
        with Image.open(sample / f"{name}.jpg") as image:
            image.resize((80, height)).save(folder / f"{name}.png")
    Image.new("RGB", (40, 1), (200, 30, 10)).save(folder / "line.png")
    return {path.name: PhotoFile(path, sha256_of(path)) for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def report(half: Method, photos: dict[str, PhotoFile], tmp_path_factory: pytest.TempPathFactory) -> Path:
    report = tmp_path_factory.mktemp("report")
    evaluate(methods(half, (4.0, 8.0)), photos, report, network_size=16, grid_photos=3, side=64)
    return report


def test_metrics_hold_ours_beside_the_baselines(report: Path) -> None:
    metrics = json.loads((report / "metrics.json").read_text())
    assert metrics["photos"] == 4
    assert 0.4 < metrics["ours"]["colourfulness_ratio"] < 0.6
    assert metrics["all_gray"]["colourfulness_ratio"] == 0
    assert metrics["all_gray"]["psnr_db"] > 15
    assert metrics["ours"]["delta_e2000_mean"] < metrics["mean_ab"]["delta_e2000_mean"]
    assert set(metrics["ours"]) - {"bleed_score"} == set(metrics["all_gray"])
    assert metrics["ours"]["patch_score"] == pytest.approx(0.5, abs=0.1)
    assert metrics["all_gray"]["patch_score"] == 0
    assert metrics["slices"]["large_upscale"]["photos"] == 3


def test_curves_and_photos_are_tables(report: Path) -> None:
    with (report / "ab_error.csv").open() as file:
        curve = list(csv.DictReader(file))
    assert list(curve[0]) == ["error", "ours", "all_gray", "mean_ab"]
    assert float(curve[8]["ours"]) > float(curve[8]["all_gray"])
    with (report / "photos.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["photo"] for row in rows] == ["cat.png", "leaves.png", "line.png", "temple.png"]
    assert all(float(row["colourfulness"]) < float(row["truth_colourfulness"]) for row in rows)


@pytest.fixture(scope="module")
def full_report(
    half: Method,
    photos: dict[str, PhotoFile],
    embedded_backbone: Backbone,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, list[tuple[int, ...]]]:
    """The report with all there is, and the sizes of the photos of which chroma was asked."""
    report, asked = tmp_path_factory.mktemp("full"), []

    def chroma(rgb8: np.ndarray) -> np.ndarray:
        asked.append(rgb8.shape)
        return 0.5 * rgb_to_lab(rgb8)[..., 1:]

    evaluate(
        methods(half, (4.0, 8.0)),
        photos,
        report,
        network_size=16,
        grid_photos=3,
        side=64,
        chroma={"ours": chroma, "mean_ab": constant_chroma(4, 8)},
        confidence=lambda rgb8: (0.5 * rgb_to_lab(rgb8)[..., 1:], np.full(rgb8.shape[:2], 0.9, np.float32)),
        prior=prior_of_files([photos[name] for name in ("cat.png", "leaves.png", "temple.png")]),
        backbone=embedded_backbone,
    )
    return report, asked


def test_the_network_colours_a_photo_once_for_all_factors_at_the_size_that_is_judged_and_once_for_each_change(
    full_report: tuple[Path, list[tuple[int, ...]]],
) -> None:
    once_and_changed = 1 + len(CHANGES)
    assert full_report[1] == [
        *once_and_changed * [(64, 57, 3)],
        *once_and_changed * [(64, 43, 3)],
        (1, 40, 3),  # too small to be moved
        *once_and_changed * [(48, 64, 3)],
    ]


def test_fronts_are_written_for_plots_and_by_photo_for_pooling(
    full_report: tuple[Path, list[tuple[int, ...]]],
) -> None:
    report = full_report[0]
    points = pd.read_csv(report / "front.csv")
    assert list(points) == ["painter", "factor", "colourfulness_ratio", "delta_e2000_mean", "patch_score"]
    assert list(points["factor"]) == 2 * list(FACTORS)
    for method, part in points.groupby("painter"):
        pd.testing.assert_frame_equal(
            pd.read_csv(report / f"front_{method}.csv"), part.reset_index(drop=True)
        )
    ours = read_curve([report / "front_photos.csv"])
    assert ours.photos == ("cat.png", "leaves.png", "line.png", "temple.png")
    here = points[(points["painter"] == "ours") & (points["factor"] == 1)].iloc[0]
    assert ours.at(here["colourfulness_ratio"]) == pytest.approx(here["delta_e2000_mean"], abs=0.01)


def test_metrics_of_the_prior_the_gamut_and_the_backbone_are_there_where_they_can_be(
    full_report: tuple[Path, list[tuple[int, ...]]],
) -> None:
    metrics = json.loads((full_report[0] / "metrics.json").read_text())
    assert metrics["features"] == {"backbone": "efficientnet_lite0", "origin": "embedded"}
    assert list(metrics["unsteadiness"]) == list(CHANGES)
    assert 0.1 < metrics["unsteadiness"]["grain"] < 5
    ours, gray = metrics["ours"], metrics["all_gray"]
    assert 0 < ours["feature_distance"] < gray["feature_distance"]
    assert 0 < ours["frechet_distance"] < gray["frechet_distance"]
    assert gray["auc_rebalanced"] < gray["auc"]
    assert gray["auc_rebalanced"] < ours["auc_rebalanced"] < ours["auc"] < 1
    assert ours["out_of_gamut_share"] == 0 < metrics["mean_ab"]["out_of_gamut_share"] < 1
    assert "out_of_gamut_share" not in gray
    assert 0 < ours["calibration_error"] < 0.9
    assert (full_report[0] / "reliability.png").is_file()
    headline = json.loads((full_report[0] / "headline.json").read_text())
    assert len(headline) <= 8, "more are unreadable in `dvc exp show`"
    assert headline["ciede2000"] == ours["delta_e2000_mean"]
    assert headline["colour"] == ours["colourfulness_ratio"]
    with (full_report[0] / "photos.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert all(0 < float(row["feature_distance"]) < 4 for row in rows)
    assert rows[2]["bleed_score"] == ""  # a line of one colour has no edges


def test_timing_has_a_file_of_its_own(report: Path) -> None:
    timing = json.loads((report / "timing.json").read_text())
    assert timing["photos"] == 4
    assert 0 < timing["seconds_per_photo"] < 10


def test_the_grid_shows_gray_ours_and_truth_of_the_first_photos(
    half: Method, photos: dict[str, PhotoFile], report: Path, tmp_path: Path
) -> None:
    fewer = dict(list(photos.items())[:1])
    evaluate(methods(half, (0.0, 0.0)), fewer, tmp_path, network_size=16, grid_photos=3, side=64)
    one, three = (read_photo(folder / "grid.jpg").rgb8 for folder in (tmp_path, report))
    assert three.shape[0] > 1.5 * one.shape[0]
    cells = np.split(one[60:200, 24:-24], [192, 198, 390, 396], axis=1)[::2]
    spread = [float(np.ptp(cell.astype(int), axis=2).mean()) for cell in cells]
    assert spread[0] < 2 < spread[1] < spread[2]


def test_the_same_photos_give_the_same_files(
    half: Method, photos: dict[str, PhotoFile], report: Path, tmp_path: Path
) -> None:
    evaluate(methods(half, (4.0, 8.0)), photos, tmp_path, network_size=16, grid_photos=3, side=64)
    for name in ("metrics.json", "headline.json", "photos.csv", "ab_error.csv"):
        assert (tmp_path / name).read_bytes() == (report / name).read_bytes()
    np.testing.assert_array_equal(
        read_photo(tmp_path / "grid.jpg").rgb8, read_photo(report / "grid.jpg").rgb8
    )


def test_the_test_split_is_taken_from_the_manifest_in_the_order_of_hashes(tmp_path: Path) -> None:
    table = {
        "path": ["b/1.jpg", "c.jpg", "d.jpg", "a/1.jpg"],
        "content_hash": ["11", "22", "33", "ff"],
        "split": ["test", "train", "validation", "test"],
    }
    pd.DataFrame(table).to_parquet(tmp_path / "manifest.parquet")
    found = photos_of_split(Path("raw"), tmp_path)
    assert list(found.items()) == [
        ("b/1.jpg", PhotoFile(Path("raw/photos/b/1.jpg"), "11")),
        ("a/1.jpg", PhotoFile(Path("raw/photos/a/1.jpg"), "ff")),
    ]
    assert list(photos_of_split(Path("raw"), tmp_path, most=1)) == ["b/1.jpg"]
    assert list(photos_of_split(Path("raw"), tmp_path, without=["b", "1.jpg"])) == ["a/1.jpg"]
    with pytest.raises(EvaluationError, match=r"test split in .* outside of a, b\. Received: none of 4"):
        photos_of_split(Path("raw"), tmp_path, without=["a", "b"])


def test_photos_that_were_replaced_are_not_judged(sample: Path, tmp_path: Path) -> None:
    table = {"path": ["a.jpg"], "content_hash": [sha256_of(sample / "cat.jpg")], "split": ["test"]}
    pd.DataFrame(table).to_parquet(tmp_path / "manifest.parquet")
    (tmp_path / "photos").mkdir()
    shutil.copy(sample / "coffee.jpg", tmp_path / "photos/a.jpg")
    found = photos_of_split(tmp_path, tmp_path)
    refused = r"photos/a\.jpg as it was validated"
    with pytest.raises(PhotoError, match=refused):
        evaluate(methods(all_gray, (0, 0)), found, tmp_path, network_size=16, grid_photos=1, side=64)
    with pytest.raises(PhotoError, match=refused):
        prior_of_files(found.values())


def test_an_empty_test_split_is_a_sentence(tmp_path: Path) -> None:
    table = {"path": ["a.jpg"], "content_hash": ["ff"], "split": ["train"]}
    pd.DataFrame(table).to_parquet(tmp_path / "manifest.parquet")
    with pytest.raises(EvaluationError, match=r"test split.*none of 1"):
        photos_of_split(Path("raw"), tmp_path)


def test_custom_photos_are_coloured_at_full_size_under_their_own_names(sample: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    (folder / "album").mkdir(parents=True)
    shutil.copy(sample / "cat.jpg", folder / "album" / "cat.jpg")
    with Image.open(sample / "coffee.jpg") as image:
        image.convert("L").save(folder / "old.gif")
        image.convert("L").save(folder / "old.png")
    report = tmp_path / "report"
    colour_custom(lambda rgb8: rgb8 // 2, folder, report)
    files = sorted(
        path.relative_to(report / "custom").as_posix() for path in (report / "custom").rglob("*.*")
    )
    assert files == ["album/cat.jpg", "old.gif.png", "old.png"]
    coloured, original = read_photo(report / "custom" / "old.png").rgb8, read_photo(folder / "old.png").rgb8
    np.testing.assert_array_equal(coloured, original // 2)
    assert read_photo(report / "custom.jpg").rgb8.shape[1] > 192


def test_a_broken_custom_photo_is_named_and_left_out(
    half: Method, sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    shutil.copy(sample / "cat.jpg", folder / "cat.jpg")
    (folder / "broken.jpg").write_bytes(b"no photo")
    colour_custom(half, folder, tmp_path / "report")
    assert "broken.jpg" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "report" / "custom").iterdir()] == ["cat.jpg"]


def test_a_full_disk_is_not_taken_for_photos_that_cannot_be_read(sample: Path, tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))  # as a disk with that much room
    try:
        with pytest.raises(DiskError, match=r"The disk is full: .*/report \("):
            colour_custom(lambda rgb8: rgb8, sample, tmp_path / "report")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list((tmp_path / "report").iterdir()) == []


@pytest.mark.parametrize("content", [None, b"", b"no photo"])
def test_without_a_custom_photo_a_sentence_says_so_and_nothing_is_left(
    content: bytes | None, half: Method, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    if content is not None:
        folder.mkdir()
        (folder / "broken.jpg").write_bytes(content)
    with pytest.raises(EvaluationError, match="Expected photos"):
        colour_custom(half, folder, tmp_path / "report")
    assert not list((tmp_path / "report").glob("*")) or not (tmp_path / "report" / "custom").exists()
