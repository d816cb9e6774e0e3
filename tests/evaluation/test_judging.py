from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tintype.evaluation.baselines import all_gray, constant_ab, methods
from tintype.evaluation.judging import judge
from tintype.evaluation.prior import prior_of
from tintype.imaging.lab import chroma, lab_to_rgb, rgb_to_lab
from tintype.measures.metrics import AB_ERRORS, reduced

SIDE = 1024
Edit = Callable[[np.ndarray, float], np.ndarray]


def test_planted_defects_are_ranked(coffee: np.ndarray, saturate: Edit, turn_hue: Edit) -> None:
    coloured = {
        "truth": coffee,
        "pale": saturate(coffee, 0.6),
        "paler": saturate(coffee, 0.3),
        "garish": saturate(coffee, 1.6),
        "turned": turn_hue(coffee, 60),
        "gray": all_gray(coffee),
    }
    judgement = judge("coffee", coffee, coloured, side=SIDE)
    scores = judgement.scores
    error = {name: score["delta_e2000_mean"] for name, score in scores.items()}
    assert error["truth"] == 0
    assert error["truth"] < error["pale"] < error["paler"] < error["gray"]
    assert error["garish"] > 1
    assert error["turned"] > error["pale"]
    colours = {
        name: score["colourfulness"] / judgement.truth["colourfulness"] for name, score in scores.items()
    }
    assert (
        colours["gray"] == 0 < colours["paler"] < colours["pale"] < colours["truth"] == 1 < colours["garish"]
    )
    assert colours["turned"] > colours["pale"]  # colourful does not mean right: it takes both numbers


def test_psnr_and_ssim_are_fooled_by_gray_and_colourfulness_is_not(cat: np.ndarray, turn_hue: Edit) -> None:
    """Why the baselines stand in the table."""
    scores = judge("cat", cat, {"gray": all_gray(cat), "wrong": turn_hue(cat, 90)}, side=SIDE).scores
    assert scores["gray"]["ssim"] > 0.9
    assert scores["gray"]["psnr_db"] > scores["wrong"]["psnr_db"]
    assert scores["gray"]["colourfulness"] == 0


def test_the_error_of_gray_is_the_chroma_of_the_truth(coffee: np.ndarray) -> None:
    judgement = judge("coffee", coffee, {"gray": all_gray(coffee)}, side=SIDE)
    assert judgement.scores["gray"]["delta_ab_mean"] == pytest.approx(judgement.chroma, rel=0.01)
    assert judgement.chroma == pytest.approx(float(chroma(rgb_to_lab(coffee)).mean()))


def test_the_best_constant_beats_gray(coffee: np.ndarray) -> None:
    a, b = rgb_to_lab(coffee)[..., 1:].mean(axis=(0, 1))
    constant = constant_ab(float(a), float(b))
    scores = judge(
        "coffee", coffee, {"gray": all_gray(coffee), "constant": constant(coffee)}, side=SIDE
    ).scores
    assert scores["constant"]["delta_ab_mean"] < scores["gray"]["delta_ab_mean"]
    assert scores["constant"]["psnr_db"] > scores["gray"]["psnr_db"]


def test_baselines_keep_the_photos_lightness(coffee: np.ndarray) -> None:
    lightness = rgb_to_lab(coffee)[..., 0]
    assert np.abs(rgb_to_lab(all_gray(coffee))[..., 0] - lightness).max() < 0.5
    # a constant leaves the gamut near black and white, where clipping moves lightness
    assert np.median(np.abs(rgb_to_lab(constant_ab(8, 12)(coffee))[..., 0] - lightness)) < 0.5


def test_methods_are_named_as_in_reports(coffee: np.ndarray) -> None:
    named = methods(lambda rgb8: 255 - rgb8, (0.0, 0.0))
    assert list(named) == ["ours", "all_gray", "mean_ab"]
    np.testing.assert_array_equal(named["ours"](coffee), 255 - coffee)
    assert np.abs(named["mean_ab"](coffee).astype(int) - named["all_gray"](coffee)).max() <= 1


def test_the_curve_is_the_share_of_pixels_below_each_error() -> None:
    truth = lab_to_rgb(np.full((10, 10, 3), (60, 0, 0), np.float32))
    lab = np.full((10, 10, 3), (60, 0, 0), np.float32)
    lab[:3, :, 1] = 20.5  # three rows of ten are about 20.5 off
    curve = judge("flat", truth, {"ours": lab_to_rgb(lab)}, side=SIDE).ab_curves["ours"]
    assert curve.shape == AB_ERRORS.shape
    assert curve[0] == 0
    assert curve[[1, 19]] == pytest.approx([0.7, 0.7])
    assert curve[[23, 150]] == pytest.approx([1, 1])


def test_a_curve_ends_where_errors_are_larger_than_its_last_point() -> None:
    blue, yellow = (np.full((4, 4, 3), colour, np.uint8) for colour in ((0, 0, 255), (255, 255, 0)))
    curve = judge("far", yellow, {"ours": blue}, side=SIDE).ab_curves["ours"]
    assert curve[-1] == 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (2, 3000)])
def test_photos_of_odd_sizes_are_judged(shape: tuple[int, int]) -> None:
    photo = np.random.default_rng(3).integers(0, 256, (*shape, 3), dtype=np.uint8)
    judgement = judge("odd", photo, {"gray": all_gray(photo)}, side=SIDE)
    assert (judgement.height, judgement.width) == shape
    not_always = {"bleed_score", "wash_chroma"}
    assert all(
        np.isfinite(value) for metric, value in judgement.scores["gray"].items() if metric not in not_always
    )


def test_large_photos_are_reduced_alike_and_small_ones_stay() -> None:
    large = np.zeros((1500, 3000, 3), np.uint8)
    large[:, 1500:] = 255
    small = reduced(large, SIDE)
    assert small.shape == (512, 1024, 3)
    assert np.array_equal(np.unique(small), [0, 255])
    assert reduced(small, SIDE) is small


def test_judging_a_large_photo_gives_about_the_scores_of_the_small_one(
    coffee: np.ndarray, saturate: Edit
) -> None:
    large = coffee.repeat(3, axis=0).repeat(3, axis=1)
    expected = judge("small", coffee, {"pale": saturate(coffee, 0.5)}, side=SIDE)
    found = judge("large", large, {"pale": saturate(large, 0.5)}, side=SIDE)
    assert found.width == 3 * expected.width
    assert found.scores["pale"]["delta_e2000_mean"] == pytest.approx(
        expected.scores["pale"]["delta_e2000_mean"], rel=0.05
    )


def test_the_side_at_which_photos_are_judged_is_a_choice(coffee: np.ndarray, saturate: Edit) -> None:
    coloured = {"pale": saturate(coffee, 0.5)}
    expected = judge("coffee", reduced(coffee, 64), {"pale": reduced(coloured["pale"], 64)}, side=64)
    scores, expected_scores = (
        judge("coffee", coffee, coloured, side=64).scores["pale"],
        expected.scores["pale"],
    )
    assert scores == pytest.approx(expected_scores, rel=0, abs=0, nan_ok=True)


def test_a_prior_gives_rebalanced_curves_and_the_photos_weight(coffee: np.ndarray, saturate: Edit) -> None:
    coloured = {"pale": saturate(coffee, 0.3)}
    ab = rgb_to_lab(coffee)[..., 1:]
    prior = prior_of([0 * ab, 0 * ab, 0 * ab, ab])
    plain, judgement = (
        judge("a", coffee, coloured, side=SIDE),
        judge("a", coffee, coloured, side=SIDE, prior=prior),
    )
    assert plain.rebalanced == {}
    assert judgement.weight == pytest.approx(float(prior.weights(ab).mean()), rel=1e-3)
    assert judgement.rebalanced["pale"][10] < judgement.ab_curves["pale"][10]


def test_a_metric_from_elsewhere_is_added_where_there_is_one(coffee: np.ndarray) -> None:
    judgement = judge("a", coffee, {"ours": coffee, "gray": all_gray(coffee)}, side=SIDE)
    added = judgement.with_scores("feature_distance", {"ours": 0.5})
    assert added.scores["ours"]["feature_distance"] == 0.5
    assert "feature_distance" not in added.scores["gray"]
    assert "feature_distance" not in judgement.scores["ours"]
