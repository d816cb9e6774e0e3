"""Judge a bundle on the test photos: the work of the stage `evaluate` without what is the same for all recipes.

The stage colours the legacy photos too, counts the training photos' colours and sweeps the baselines: two thirds of its
time, which the study spends once. Runs in a workshop: `python -m experiments.study.judge BUNDLE REPORT --as RECIPE`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from experiments.study.decoding import variant
from tintype.evaluation.baselines import ChromaOf, Method, all_gray, constant_ab, constant_chroma
from tintype.evaluation.evaluate import evaluate
from tintype.evaluation.photos import photos_of_split
from tintype.evaluation.prior import AbPrior, prior_of_files
from tintype.files.atomic import new_file, write_json
from tintype.models.backbone import Backbone
from tintype.models.bundle import Decoding, read_info
from tintype.params import Params, load_params
from tintype.training.shard_set import ShardSet, open_split

RAW, MANIFEST, BACKBONE = Path("data/raw"), Path("data/manifest"), Path("models/backbone")
LAB, EMBEDDINGS = Path("data/lab"), Path("data/embeddings")


def main() -> None:
    """Write photos.csv, front_photos.csv, metrics.json and a grid."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("report", type=Path)
    parser.add_argument("--as", dest="recipe", required=True)
    arguments = parser.parse_args()
    params = load_params()
    colorize, chroma, decoding = _method(arguments.recipe, arguments.bundle, params)
    evaluate(
        {"ours": colorize},
        photos_of_split(RAW, MANIFEST),
        arguments.report,
        network_size=params.lab.size,
        grid_photos=params.evaluate.grid_photos,
        side=params.evaluate.side,
        chroma={"ours": chroma} if chroma else None,
        prior=_prior(arguments.report.parent / "prior.npy"),
        backbone=Backbone.load(BACKBONE),
    )
    write_json(arguments.report / "decoding.json", decoding.model_dump(include={"gain", "temperature"}))


def _method(recipe: str, bundle: Path, params: Params) -> tuple[Method, ChromaOf | None, Decoding]:
    if recipe == "all-gray":
        return all_gray, None, Decoding()
    if recipe == "mean-ab":
        mean_ab = read_info(bundle).data.mean_ab
        return constant_ab(*mean_ab), constant_chroma(*mean_ab), Decoding()
    return variant(recipe, bundle, params, lambda: _validation(params))


def _validation(params: Params) -> ShardSet:
    from tintype.data.tensors.plan import plan_shards
    from tintype.data.validation.manifest import VALIDATION, read_manifest

    return open_split(plan_shards(read_manifest(MANIFEST), params.crops), VALIDATION, LAB, EMBEDDINGS)


def _prior(kept: Path) -> AbPrior:
    """Of the training photos; counted once."""
    if kept.is_file():
        return AbPrior(np.load(kept))
    prior = prior_of_files(photos_of_split(RAW, MANIFEST, "train").values())
    with new_file(kept) as part, part.open("wb") as file:
        np.save(file, prior.shares)
    return prior


if __name__ == "__main__":
    main()
