from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from experiments.study.curve_differences import difference_at, difference_to, quotient_at

from tintype.evaluation.quality_curve import QualityCurve, interpolate, read_curve
from tintype.evaluation.scores import write_csv

FACTORS = (0.5, 1.0, 2.0)


def curve(level: float, seeds: int = 3, photos: int = 40) -> QualityCurve:
    """Truth 50; colourfulness 25 times the factor; error 10 + level + 4 times the factor, by seed and photo."""
    random = np.random.default_rng(7)
    hard = random.normal(0, 3, (1, photos, 1))
    run = np.linspace(-0.1, 0.1, seeds)[:, None, None]
    factors = np.array(FACTORS) + np.zeros((seeds, photos, 1))
    return QualityCurve(
        tuple(f"{number}.jpg" for number in range(photos)),
        colourfulness=25 * factors,
        truth=np.full(photos, 50.0),
        values=10 + level + 4 * factors + hard + run,
        over=np.ones(photos),
    )


def test_between_two_points_it_is_a_line_and_outside_nothing() -> None:
    ratios, values = [0.8, 0.2, 0.4], [10, 1, 3]
    assert interpolate(ratios, values, 0.3) == pytest.approx(2)
    assert interpolate(ratios, values, 0.6) == pytest.approx(6.5)
    assert interpolate(ratios, values, 0.8) == 10
    assert math.isnan(interpolate(ratios, values, 0.81))
    assert math.isnan(interpolate(ratios, values, 0.19))


def test_a_front_is_read_off_at_a_ratio() -> None:
    ours = curve(0)
    mean = ours.values[..., 1].mean() - 4
    assert ours.at(0.75) == pytest.approx(mean + 4 * 1.5)
    assert math.isnan(ours.at(1.01))


def test_seeds_are_read_off_each_on_its_own() -> None:
    """Two seeds with lines of different reach in colour: at 0.5 their factors differ."""
    colours = np.array([[[10.0, 20]], [[5.0, 10]]])
    values = np.array([[[1.0, 2]], [[5.0, 6]]])
    both = QualityCurve(("a",), colours, np.array([20.0]), values, np.ones(1))
    assert both.at(0.5) == pytest.approx((1 + 6) / 2)
    assert math.isnan(both.at(0.75))


def test_a_front_that_lies_lower_is_found_so_although_photos_differ_more() -> None:
    found = difference_at(curve(-0.5), curve(0), 0.5, resamples=300)
    assert found.estimate == pytest.approx(-0.5)
    assert -0.7 < found.low <= found.estimate <= found.high < -0.3
    alone = difference_to(curve(0), np.zeros(len(curve(0).photos)), 0.5, resamples=300)
    assert alone.high - alone.low > 1


def test_equal_fronts_do_not_differ() -> None:
    found = difference_at(curve(0), curve(0), 0.5, resamples=300)
    assert found.low < 0 < found.high


def test_quotients_and_differences_to_what_has_no_front() -> None:
    ours = curve(0)
    assert quotient_at(ours, ours, 0.5, resamples=50).estimate == 1
    gray = ours.values[..., 0].mean(axis=0) + 3  # at ratio 0.25
    found = difference_to(ours, gray, 0.25, resamples=300)
    assert found.estimate == pytest.approx(-3)
    assert found.high < -2.8


def test_where_a_front_does_not_reach_there_is_no_figure() -> None:
    assert math.isnan(difference_at(curve(0), curve(1), 1.5, resamples=20).estimate)


def test_curves_of_other_photos_are_not_compared() -> None:
    with pytest.raises(ValueError, match="same photos"):
        difference_at(curve(0, photos=3), curve(0, photos=4), 0.5)


def rows(shift: float, photos: tuple[str, ...] = ("a", "b")) -> list[dict[str, str | float]]:
    return [
        {
            "photo": photo,
            "painter": method,
            "factor": factor,
            "colourfulness": 10 * factor,
            "truth_colourfulness": 20.0,
            "delta_e2000_mean": 5 + shift + number,
            "patch_score": math.nan,
            "patch_gradient": factor,
            "truth_patch_gradient": 2.0 + number,
        }
        for number, photo in enumerate(photos)
        for method in ("ours", "mean_ab")
        for factor in FACTORS
    ]


def test_trainings_are_pooled_from_their_files(tmp_path: Path) -> None:
    files = [tmp_path / "1.csv", tmp_path / "2.csv"]
    write_csv(files[0], rows(0))
    write_csv(files[1], rows(1))
    ours = read_curve(files)
    assert ours.photos == ("a", "b")
    assert ours.values[:, :, 0].tolist() == [[5, 6], [6, 7]]
    assert ours.at(0.5) == pytest.approx(6)
    assert read_curve(files, metric="patch_score").at(0.5) == pytest.approx(1 / 2.5)


def test_trainings_on_other_photos_are_not_pooled(tmp_path: Path) -> None:
    files = [tmp_path / "1.csv", tmp_path / "2.csv"]
    write_csv(files[0], rows(0))
    write_csv(files[1], rows(0, ("a", "c")))
    with pytest.raises(ValueError, match="2 photos"):
        read_curve(files)
