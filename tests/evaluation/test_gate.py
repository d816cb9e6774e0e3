"""The gate: bad challengers are refused, each for its own reason; what photos cannot tell is left open."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tintype.evaluation import figures, intervals
from tintype.evaluation.figures import figures_of
from tintype.evaluation.gate import FEWEST, Verdict, decide
from tintype.evaluation.paired_scores import CHALLENGER, CHAMPION, MEAN_AB, PairedScores
from tintype.evaluation.quality_curve import QualityCurve
from tintype.evaluation.scores import TRUTH, Scores

FACTORS = np.array([0.0, 0.5, 1.0, 1.5, 2.0, 3.0])

Model = dict[str, float]
GOOD: Model = {"ratio": 0.8, "patches": 1.0, "error": 8.0, "bleed": 0.5, "psnr": 22.0, "seconds": 0.1}


@pytest.fixture(scope="module", autouse=True)
def fewer_draws() -> Iterator[None]:
    """A tenth of the draws for each interval: what is planted here is far larger than what that moves."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("bootstrap", "paired"):
            patch.setattr(figures, name, functools.partial(getattr(intervals, name), resamples=200))
        yield


def scores_of(challenger: Model, champion: Model | None = None, photos: int = 40) -> PairedScores:
    """A made-up pair of models.

    `ratio` is a model's colourfulness over the truth's, `patches` those for the colour there is, and `error` its
    CIEDE2000 at full colourfulness; at none of it all have 10. Photos differ, models do on all of them alike, but
    for a little chance.
    """
    random = np.random.default_rng(3)
    truth = random.uniform(30, 60, photos)
    hard = random.normal(0, 2, photos)
    models = {CHALLENGER: GOOD | challenger, MEAN_AB: GOOD | {"ratio": 0.2, "patches": 0.3, "error": 14.0}}
    if champion is not None:
        models[CHAMPION] = GOOD | champion
    tables = {
        TRUTH: {"colourfulness": truth, "patch_gradient": truth / 20, "bleed_score": np.full(photos, 0.35)}
    }
    curves = {}
    for name, model in models.items():
        chance = random.normal(0, 0.1, photos)
        colours = truth * model["ratio"]
        places = np.minimum(colours[:, np.newaxis] * FACTORS, 1.6 * truth[:, np.newaxis])
        errors = 10 + (model["error"] - 10) * places / truth[:, np.newaxis] + (hard + chance)[:, np.newaxis]
        tables[name] = {
            "colourfulness": colours,
            "patch_gradient": truth / 20 * model["ratio"] * model["patches"],
            "bleed_score": model["bleed"] + chance / 20,
            "delta_e2000_mean": 10 + (model["error"] - 10) * model["ratio"] + hard + chance,
            "psnr_db": model["psnr"] + hard,
            "seconds": np.full(photos, model["seconds"]) * (1 + chance / 10),
        }
        names = tuple(map(str, range(photos)))
        curves[name] = QualityCurve(names, places[np.newaxis], truth, errors[np.newaxis], np.ones(photos))
    return PairedScores(Scores(tuple(map(str, range(photos))), tables), curves)


def judged(held: PairedScores, rival: str | None = "version 1", why_not: str = "") -> Verdict:
    return decide(held, figures_of(held, (MEAN_AB,)), rival, why_not)


@pytest.mark.parametrize(
    ("challenger", "reason"),
    [
        # Grayer than the champion, which has more error: the plain CIEDE2000 would have it.
        ({"ratio": 0.0, "patches": 0.0}, "Too pale: it has no colour,"),
        ({"ratio": 0.3}, "Too pale: it has 0.30 of the true photos' colourfulness,"),
        ({"ratio": 1.4}, "Too colourful: it has 1.40 times the true photos' colourfulness,"),
        (
            {"patches": 1.6},
            "Patches: colour changes where lightness gives no reason, 1.60 times as much as in true photos",
        ),
        ({"error": 9.0}, "Farther from the truth than version 1 by "),
        (
            {"ratio": 0.5},
            "Paler than version 1: 0.50 of the true photos' colourfulness, where version 1 has 0.80.",
        ),
        ({"patches": 1.2}, "More patches than version 1: 1.20 times"),
        (
            {"bleed": 0.7},
            "Colours run over edges more than version 1's: by 0.70 % of the diagonal, where version 1",
        ),
    ],
)
def test_a_bad_challenger_is_refused_for_its_reason_alone(challenger: Model, reason: str) -> None:
    verdict = judged(scores_of(challenger, GOOD | {"error": 8.0}))
    assert verdict.verdict == "fail"
    assert len(verdict.reasons) == 1, verdict.reasons
    assert verdict.reasons[0].startswith(reason)


def test_a_better_one_passes() -> None:
    verdict = judged(scores_of({"error": 6.0, "ratio": 0.9}, {"ratio": 0.6}))
    assert verdict.verdict == "pass"
    assert verdict.reasons[0].startswith("Nearer to the truth than version 1 by ")
    assert verdict.reasons[1].startswith("Its colourfulness is nearer to the true photos': 0.90 of it")


def test_gray_wins_by_the_plain_error_and_loses_all_the_same() -> None:
    held = scores_of({"ratio": 0.0, "patches": 0.0, "error": 12.0}, {"error": 12.0})
    error = figures_of(held, ()).error
    assert error.difference is not None
    assert error.difference.high < 0
    assert judged(held).verdict == "fail"


def test_an_equal_one_passes_and_says_what_is_not_known() -> None:
    verdict = judged(scores_of({}, {}))
    assert verdict.verdict == "pass"
    assert verdict.reasons[0].startswith("As near to the truth as version 1, as far as 40 photos show,")


def test_a_difference_too_small_to_see_does_not_fail() -> None:
    assert judged(scores_of({"error": 8.2}, {})).verdict == "pass"


def test_paler_within_reason_is_a_matter_of_a_slider() -> None:
    assert judged(scores_of({"ratio": 0.7, "error": 7.0}, {"ratio": 1.0})).verdict == "pass"


def test_a_slow_one_passes_and_is_reported() -> None:
    verdict = judged(scores_of({"seconds": 0.3}, {}))
    assert verdict.verdict == "pass"
    assert verdict.reasons[-1] == "It takes 3.0 times as long a photo."


@pytest.mark.parametrize("photos", [1, 3, FEWEST - 1])
def test_too_few_photos_are_not_enough_to_compare(photos: int) -> None:
    for challenger in ({"error": 4.0}, {"error": 14.0}):
        verdict = judged(scores_of(challenger, {}, photos))
        assert verdict.verdict == "not compared"
        assert verdict.reasons[0].startswith(f"Too few photos to tell: {photos} test photo")
    assert "speak against it: Farther from the truth" in verdict.reasons[1]


@pytest.mark.parametrize(
    ("challenger", "reason"),
    [({"ratio": 0.0}, "Too pale"), ({"ratio": 1.8}, "Too colourful"), ({"patches": 2.0}, "Patches")],
)
@pytest.mark.parametrize("rival", ["version 1", None])
def test_the_limits_hold_with_three_photos_and_without_a_champion(
    challenger: Model, reason: str, rival: str | None
) -> None:
    verdict = judged(scores_of(challenger, {} if rival else None, 3), rival, "There is none.")
    assert verdict.verdict == "fail"
    assert verdict.reasons[0].startswith(reason)
    assert verdict.reasons[1:] == (() if rival else ("There is none.",))


def test_without_a_champion_it_is_not_compared() -> None:
    verdict = judged(scores_of({}), None, "There is no champion to compare with.")
    assert verdict.verdict == "not compared"
    assert verdict.reasons[0] == "There is no champion to compare with."


def test_a_gray_champion_leaves_the_mean_colour_to_be_beaten() -> None:
    gray = {"ratio": 0.0, "patches": 0.0}
    assert (
        judged(scores_of({"error": 16.0}, gray))
        .reasons[0]
        .startswith("Farther from the truth than one mean colour all over by ")
    )
    assert judged(scores_of({}, gray)).verdict == "pass"


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Verdict]:
    """The verdict on one of the challengers of `python -m experiments.gate`, on real photos."""
    gate: Any = importlib.import_module("experiments.gate")
    folder = tmp_path_factory.mktemp("gate")
    photos = gate.small_copies(folder, 8, 128)
    gate.judge_champion(photos, folder / "champion")
    return lambda name: gate.verdict_on(gate.CHALLENGERS[name], photos, Path(folder / "champion"))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("all gray", "Too pale: it has no colour,"),
        ("over-saturated", "Too colourful: "),
        ("random chromatic patches", "Patches: "),
    ],
)
def test_real_photos_in_bad_colours_are_refused(
    bad: Callable[[str], Verdict], name: str, reason: str
) -> None:
    verdict = bad(name)
    assert (verdict.verdict, len(verdict.reasons)) == ("fail", 1)
    assert verdict.reasons[0].startswith(reason)


def test_real_photos_in_better_colours_pass(bad: Callable[[str], Verdict]) -> None:
    verdict = bad("better hues and more colour")
    assert verdict.verdict == "pass"
    assert verdict.reasons[0].startswith("Nearer to the truth than the champion by ")
