"""The study: recipes, what it keeps, and the report on made-up results whose truth is known."""

import csv
import importlib
import json

import numpy as np
import pytest

from tintype.evaluation.intervals import Interval
from tintype.params import load_params

PHOTOS = 60
FACTORS = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)


def of(module):
    return importlib.import_module(f"benchmarks.study.{module}")


# ---- recipes


def recipe_files(root):
    return sorted(path.stem for path in (root / "conf" / "recipe").glob("*.yaml"))


def test_every_recipe_file_is_in_the_study(root):
    named = {recipe.name for recipe in of("recipes").RECIPES}
    assert set(recipe_files(root)) == named - {"bilinear", "all-gray", "mean-ab"}


def test_every_recipe_asks_a_question_and_composes(root, tmp_path):
    seen = {}
    for recipe in of("recipes").RECIPES:
        assert recipe.question.endswith(("?", ".")), recipe.name
        content = of("recipes").compose(root, recipe.overrides(7), tmp_path / "params.yaml")
        assert load_params(tmp_path / "params.yaml").train.seed == 7
        seen[recipe.name] = json.dumps(of("record").counting(content), sort_keys=True)
    same = {"bilinear", "all-gray", "mean-ab", "default"}
    others = [text for name, text in seen.items() if name not in same | {"paper-input-fault"}]
    assert len({seen[name] for name in same}) == 1
    assert len(set(others) | {seen["default"]}) == len(others) + 1


def test_ablations_change_one_thing_and_keep_the_photos(root, tmp_path):
    def flat(name):
        content = of("recipes").compose(root, ["preset=study", f"recipe={name}"], tmp_path / "params.yaml")
        return {
            (block, key): value
            for block, values in content.items()
            if isinstance(values, dict)
            for key, value in values.items()
        }

    default = flat("default")
    for recipe in of("recipes").RECIPES:
        if recipe.name in ("bilinear", "all-gray", "mean-ab"):
            continue
        changed = {key for key, value in flat(recipe.name).items() if value != default[key]}
        assert not {block for block, _ in changed} & {"fetch", "validate", "lab", "evaluate"}
        if not recipe.name.startswith(("paper", "fusion")):
            assert len(changed) <= 2, (recipe.name, changed)


def test_unknown_recipes_are_named():
    with pytest.raises(ValueError, match="Received: papre"):
        of("recipes").recipes_named(["paper", "papre"])
    assert [recipe.name for recipe in of("recipes").recipes_named(["paper", "default"])] == [
        "default",
        "paper",
    ]


def test_the_fault_is_what_dividing_twice_makes():
    spec = of("faulty").scaled_twice({"offset": 127.0, "scale": 128.0, "name": "x"})
    gray = np.arange(256.0)
    assert np.allclose((gray - spec["offset"]) / spec["scale"], (gray / 255 - 127.0) / 128.0)
    assert spec["name"] == "x"


# ---- what is kept


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def judged(folder, *, error, colour, patches, seed, features=0.2, swept=True):
    """What `evaluate` writes for a painter whose error grows by `error` with its colourfulness, from 12 for gray."""
    random = np.random.default_rng(seed)
    hard = np.random.default_rng(0).normal(0, 1.5, PHOTOS)  # the same photos are hard for all
    noise = random.normal(0, 0.2, PHOTOS)
    truth = {
        "truth_chroma": 20,
        "truth_colourfulness": 40.0,
        "truth_patch_gradient": 2.0,
        "truth_bleed_score": 0.5,
    }

    def scores(photo, ratio):
        return {
            "photo": f"p{photo}",
            "colourfulness": 40 * ratio,
            "delta_e2000_mean": 12 - 2 * ratio + error * ratio**2 + hard[photo] + noise[photo],
            "patch_gradient": 2 * patches * ratio,
            **truth,
        }

    constant = {"psnr_db": 21, "ssim": 0.9, "auc": 0.8, "auc_rebalanced": 0.6, "width": 9}
    photos = [
        scores(photo, colour)
        | constant
        | {
            "auc_weight": 1 + photo % 2,
            "bleed_score": "" if photo == 0 else 0.7,
            "feature_distance": features + 0.01 * noise[photo],
        }
        for photo in range(PHOTOS)
    ]
    front = [
        scores(photo, colour * factor) | {"painter": "ours", "factor": factor}
        for photo in range(PHOTOS)
        for factor in FACTORS
    ]
    write(folder / "photos.csv", photos)
    if swept:
        write(folder / "front_photos.csv", front)
    (folder / "metrics.json").write_text("{}\n")


RECIPES = {
    "default": {"error": 2.0, "colour": 0.8, "patches": 0.5, "features": 0.18},
    "paper": {"error": 5.0, "colour": 0.2, "patches": 1.4, "features": 0.2},
    "paper-converged": {"error": 4.0, "colour": 0.4, "patches": 1.0},
    "no-skips": {"error": 3.0, "colour": 0.8, "patches": 0.6},
    "no-flip": {"error": 2.0, "colour": 0.8, "patches": 0.5},
    "all-gray": {"error": 0.0, "colour": 0.0, "patches": 0.0, "swept": False},
    "mean-ab": {"error": 6.0, "colour": 0.2, "patches": 0.1},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    for name, figures in RECIPES.items():
        for seed in (0,) if name in ("all-gray", "mean-ab") else (1, 2, 3):
            work = folder / "judged" / name / str(seed)
            judged(work, seed=seed, **figures)
            history = folder / "history.csv"
            write(history, [{"epoch": 1, "seconds": 60, "crops_per_second": 40 + seed}])
            record = {
                "manifest_sha256": "m",
                "params": {"crops": {"per_photo": 3}, "train": {"seed": seed, "epochs": 2}},
                "peak_memory_bytes": 2e9,
                "bundle_bytes": 7e6,
            }
            of("record").keep(name, seed, work, record, history if seed else None, folder / "study")
    return folder / "study"


@pytest.fixture(scope="module")
def results(folder):
    return of("results").read_results([*RECIPES, "gan"], folder)


def test_what_was_kept_is_what_was_judged(results):
    runs = results.runs["default"]
    assert (len(results.photos), runs.seeds, runs.swept["colourfulness"].shape) == (
        PHOTOS,
        (1, 2, 3),
        (3, PHOTOS, len(FACTORS)),
    )
    assert runs.scores["colourfulness"] == pytest.approx(32)
    assert np.isnan(runs.scores["bleed_score"][:, 0]).all()
    assert results.runs["all-gray"].swept == {}
    assert "gan" not in results.runs


def test_a_result_is_small(folder):
    assert sum(file.stat().st_size for file in (folder / "default" / "1").iterdir()) < 400 * PHOTOS


def test_a_recorded_run_is_known_by_parameters_and_photos(folder):
    def recorded(params, manifest="m", seed=1):
        return of("record").is_recorded("default", seed, params, manifest, folder)

    params = {"crops": {"per_photo": 3}, "train": {"seed": 1, "epochs": 2}}
    assert recorded(params)
    assert recorded(params | {"later": {"block": 1}})
    assert recorded(params | {"train": params["train"] | {"later": 1}})
    assert not recorded(params | {"train": {"seed": 1, "epochs": 3}})
    assert not recorded(params | {"train": {"seed": 1}})
    assert not recorded(params, manifest="other")
    assert not recorded(params, seed=4)


def test_where_photos_lie_does_not_count():
    counting = of("record").counting
    assert counting({"fetch": {"directory": "/a"}, "register": {}, "lab": {"size": 8}}) == {
        "lab": {"size": 8}
    }


def test_results_of_other_photos_are_refused(folder, tmp_path):
    import shutil

    copy = tmp_path / "study"
    shutil.copytree(folder, copy)
    rows = (copy / "default/1/photos.csv").read_text().splitlines()
    (copy / "default/1/photos.csv").write_text("\n".join(rows[:-1]) + "\n")
    with pytest.raises(ValueError, match="others"):
        of("results").read_results(["default"], copy)


def test_no_results_at_all(tmp_path):
    with pytest.raises(ValueError, match="make study"):
        of("results").read_results(["default"], tmp_path)


# ---- what is made of it


def test_values_are_the_planted_ones(results):
    effects = of("effects")
    half = effects.value(results, "default", effects.AT_HALF, 200)
    # chords of the planted parabola between the factors 0.5 and 1, which are ratios of .4 and .8
    expected = np.interp(0.5, [0.4, 0.8], [12 - 2 * x + 2 * x**2 for x in (0.4, 0.8)])
    assert half.estimate == pytest.approx(expected, abs=0.6)
    assert half.low < half.estimate < half.high
    assert effects.value(results, "default", effects.RATIO, 20).estimate == pytest.approx(0.8)
    assert effects.value(results, "default", effects.PATCH, 20).estimate == pytest.approx(0.4)
    assert effects.value(results, "default", effects.BLEED, 20).estimate == pytest.approx(0.7)
    assert effects.value(results, "default", effects.REBALANCED, 20).estimate == pytest.approx(0.6)
    assert effects.value(results, "all-gray", effects.AT_HALF, 20) is None


def test_a_planted_effect_is_found_and_none_is_not(results):
    effects = of("effects")
    worse = effects.effect(results, "no-skips", "default", effects.AT_MOST, 200)
    assert worse.estimate == pytest.approx(0.8**2, abs=0.1)
    assert effects.verdict(worse) == "hurts"
    same = effects.effect(results, "no-flip", "default", effects.AT_MOST, 200)
    assert effects.verdict(same) == "no difference seen"
    # the photos are the same, so that their being hard or easy cancels
    assert worse.high - worse.low < 0.5


def test_verdicts():
    verdict = of("effects").verdict
    worse, better, neither = Interval(1, 0.5, 2), Interval(-1, -2, -0.5), Interval(0.1, -1, 1)
    assert [verdict(worse, neither), verdict(neither, better), verdict(neither), verdict(worse, better)] == [
        "hurts", "helps", "no difference seen", "helps and hurts",
    ]  # fmt: skip
    assert verdict(None, Interval(3, float("nan"), float("nan"))) == "no difference seen"


def test_criteria_are_met_where_planted(results):
    found = {point.demand: point for point in of("criteria").criteria(results, 200)}
    verdicts = [point.verdict for point in found.values()]
    assert verdicts == ["met", "met", "met", "met", "counted", "met"]
    preferred = next(point for demand, point in found.items() if "prefers" in demand)
    assert preferred.found.startswith("on 9") or preferred.found.startswith("on 100")


def test_criteria_are_not_met_where_it_is_the_other_way_round(results, folder, tmp_path):
    import shutil

    copy = tmp_path / "study"
    shutil.copytree(folder, copy)
    for name in ("default", "paper-converged", "paper"):
        (copy / name).rename(copy / f"_{name}")
    (copy / "_default").rename(copy / "paper-converged")
    shutil.copytree(copy / "paper-converged", copy / "paper")
    (copy / "_paper").rename(copy / "default")
    worse = of("results").read_results([*RECIPES], copy)
    verdicts = [point.verdict for point in of("criteria").criteria(worse, 200)]
    assert verdicts[0] == "not met"
    assert verdicts[3] == "not met"


def test_the_page_says_all_and_the_same_twice(results):
    page = of("report").page(results, resamples=50)
    assert page == of("report").page(results, resamples=50)
    for name in RECIPES:
        assert f"`{name}`" in page
    assert "$" not in page
    assert "nan" not in page


def test_the_picture_is_drawn_and_the_same_twice(results, tmp_path):
    files = [tmp_path / "a.png", tmp_path / "b.png"]
    for file in files:
        of("plot").draw_fronts(results, file, resamples=20)
    assert files[0].read_bytes() == files[1].read_bytes()
    assert files[0].read_bytes().startswith(b"\x89PNG")
