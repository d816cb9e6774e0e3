from __future__ import annotations

import math

import numpy as np
import pytest

from tintype.evaluation.judging import Judgement
from tintype.evaluation.summary import ab_error_rows, metrics_table, photo_rows, slices_of, summarize
from tintype.measures.metrics import AB_ERRORS, area_under


def judgement(photo: str, error: float, colours: float, truth: float, **facts: float) -> Judgement:
    scores = {
        "psnr_db": 20.0,
        "ssim": 0.9,
        "delta_e2000_mean": error,
        "delta_ab_mean": 10.0,
        "colourfulness": colours,
        "patch_gradient": colours / 10,
        "bleed_score": 1.5,
    }
    gray = scores | {"colourfulness": 0.0, "patch_gradient": 0.0, "bleed_score": math.nan}
    size = {"height": 300, "width": 400, "chroma": 20.0} | facts
    curve = np.minimum(AB_ERRORS / error, 1)
    return Judgement(
        photo=photo,
        height=int(size["height"]),
        width=int(size["width"]),
        chroma=size["chroma"],
        truth={"colourfulness": truth, "patch_gradient": truth / 20, "bleed_score": 1.0},
        scores={"ours": scores, "all_gray": gray},
        ab_curves={"ours": curve, "all_gray": np.minimum(AB_ERRORS / 100, 1)},
        rebalanced={"ours": curve / 2, "all_gray": curve / 4} if "weight" in facts else {},
        weight=facts.get("weight", 1.0),
    )


def test_means_over_photos_ratio_of_means_and_standard_error() -> None:
    metrics = summarize([judgement("a", 8, 10, 40), judgement("b", 12, 30, 40)], network_size=128)
    assert metrics["photos"] == 2
    assert metrics["truth"] == {"colourfulness": 40, "patch_gradient": 2, "bleed_score": 1}
    assert metrics["ours"] == {
        "psnr_db": 20,
        "ssim": 0.9,
        "delta_e2000_mean": 10,
        "delta_ab_mean": 10,
        "colourfulness": 20,
        "patch_gradient": 2,
        "bleed_score": 1.5,
        "colourfulness_ratio": 0.5,
        "patch_score": 1,
        "delta_e2000_se": 2,  # sqrt(8) / sqrt(2)
    }
    assert metrics["all_gray"]["colourfulness_ratio"] == 0


def test_what_is_not_defined_is_left_out() -> None:
    metrics = summarize([judgement("gray truth", 8, 0, 0)], network_size=128)
    assert "colourfulness_ratio" not in metrics["ours"]
    assert "patch_score" not in metrics["ours"]
    assert "delta_e2000_se" not in metrics["ours"]
    assert "bleed_score" not in metrics["all_gray"]
    assert metrics["ours"]["delta_e2000_mean"] == 8


def test_slices_have_their_own_means_also_when_names_are_the_same() -> None:
    photos = [
        judgement("same", 4, 5, 10, chroma=5),
        judgement("same", 8, 40, 40, chroma=30),
        judgement("same", 10, 20, 40, chroma=30, height=1000, width=300),
    ]
    slices = summarize(photos, network_size=128)["slices"]
    assert {name: block["photos"] for name, block in slices.items()} == {
        "high_chroma": 2,
        "landscape": 2,
        "large_upscale": 1,
        "low_chroma": 1,
        "portrait": 1,
    }
    assert slices["high_chroma"]["ours"] == {"delta_e2000_mean": 9, "colourfulness_ratio": 0.75}
    assert slices["low_chroma"]["all_gray"] == {"delta_e2000_mean": 4, "colourfulness_ratio": 0}


@pytest.mark.parametrize(
    ("height", "width", "chroma", "names"),
    [
        (300, 400, 20, ["high_chroma", "landscape"]),
        (400, 300, 14.9, ["low_chroma", "portrait"]),
        (300, 320, 15, ["high_chroma", "square"]),
        (512, 100, 20, ["high_chroma", "portrait"]),
        (513, 513, 20, ["high_chroma", "square", "large_upscale"]),
    ],
)
def test_slices_of_a_photo(height: int, width: int, chroma: float, names: list[str]) -> None:
    assert slices_of(height, width, chroma, network_size=128) == names


def test_the_curve_weighs_photos_alike() -> None:
    rows = ab_error_rows([judgement("a", 10, 1, 1), judgement("b", 20, 1, 1)])
    assert [row["error"] for row in rows] == list(range(151))
    assert rows[10] == {"error": 10, "ours": 0.75, "all_gray": 0.1}


def test_a_row_for_each_photo() -> None:
    first, second = photo_rows([judgement("a/b.jpg", 8, 10, 40), judgement("c.jpg", 12, 30, 50)])
    assert first["photo"] == "a/b.jpg"
    assert (second["delta_e2000_mean"], second["colourfulness"], second["truth_colourfulness"]) == (
        12,
        30,
        50,
    )
    assert (first["patch_score"], second["truth_patch_gradient"], first["auc_weight"]) == (0.5, 2.5, 1)


def test_the_table_is_markdown_with_a_row_for_each_method() -> None:
    metrics = summarize([judgement("a", 8, 10, 40)], network_size=128)
    lines = metrics_table(metrics).splitlines()
    assert lines[0].startswith("| | PSNR, dB | SSIM | CIEDE2000 |")
    assert lines[2] == "| ours | 20.00 | 0.900 | 8.00 | 10.00 | 10.0 | 0.25 | 0.50 | 1.50 |"
    assert lines[3].endswith("| 0.0 | 0.00 | 0.00 | \N{EN DASH} |")
    dash = " \N{EN DASH} |"
    assert lines[4] == f"| truth |{4 * dash} 40.0 |{2 * dash} 1.00 |"
    assert {line.count("|") for line in lines} == {10}


def test_the_table_has_what_was_measured_and_names_the_backbone() -> None:
    metrics = {
        "ours": {"psnr_db": 20.0, "feature_distance": 0.125, "frechet_distance": 30.0},
        "features": {"backbone": "efficientnet_lite0", "origin": "embedded"},
    }
    assert metrics_table(metrics).splitlines() == [
        "| | PSNR, dB | feature distance | Fr\xe9chet |",
        "|---|---:|---:|---:|",
        "| ours | 20.00 | 0.125 | 30.0 |",
        "",
        "Features: those of the backbone efficientnet_lite0.",
    ]


def test_in_the_rebalanced_area_a_photo_of_rare_colours_counts_more() -> None:
    photos = [judgement("common", 8, 10, 40, weight=1.0), judgement("rare", 100, 30, 40, weight=3.0)]
    areas = [area_under(photo.rebalanced["ours"]) for photo in photos]
    found = summarize(photos, network_size=128)["ours"]["auc_rebalanced"]
    assert found == pytest.approx((areas[0] + 3 * areas[1]) / 4, abs=1e-4)
