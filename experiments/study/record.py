"""The results, small enough for git: reports/study/RECIPE/SEED.

``photos.csv`` has a row for each test photo with the scores at the operating point; ``front.csv`` the same photos'
colours paler and stronger, a group of columns for each factor; ``record.json`` what made them. What is the same for all
recipes, the truth, is in reports/study/truth.csv.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.study.recipes import PROJECT
from tintype.files.atomic import new_file, new_folder, write_json

RESULTS = PROJECT / "reports" / "study"
RECORD = "record.json"
SCORES = (
    "psnr_db", "ssim", "delta_e2000_mean", "auc", "auc_rebalanced", "auc_weight", "colourfulness", "patch_gradient",
    "bleed_score", "out_of_gamut_share", "feature_distance",
)  # fmt: skip
TRUTH = ("truth_chroma", "truth_colourfulness", "truth_patch_gradient", "truth_bleed_score")
SWEPT = ("colourfulness", "delta_e2000_mean", "patch_gradient")


def is_recorded(
    recipe: str, seed: int, params: Mapping[str, Any], manifest: str, results: Path = RESULTS
) -> bool:
    """Whether there is a result of these parameters and photos, by any code. Newer parameters do not count."""
    try:
        record = json.loads((results / recipe / str(seed) / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(record["manifest_sha256"] == manifest and _agrees(_as_today(record["params"]), params))


def counting(params: Mapping[str, Any]) -> dict[str, Any]:
    """Of params.yaml's content what a result depends on: not where the photos lie, nor what the registry calls it."""
    return {block: values for block, values in params.items() if block not in ("fetch", "register")}


def _as_today(recorded: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as params.yaml says them now; results from before a network and a loss had keys of their own stay."""
    network, train = dict(recorded["network"]), dict(recorded["train"])
    if isinstance(train["loss"], str):
        own = {"huber": {"delta": train["huber_delta"]}, "classes": {"rebalance": train["rebalance"]}}
        train["loss"] = {"name": train["loss"], **own.get(train["loss"], {})}
        del train["huber_delta"], train["rebalance"]
    if network["name"] == "fusion":
        for key in ("view", "embedding", "frozen", "dropout"):
            network.pop(key, None)
    return {**recorded, "network": network, "train": train}


def _agrees(recorded: Any, wanted: Any) -> bool:
    if not isinstance(recorded, Mapping):
        return bool(recorded == wanted)
    return isinstance(wanted, Mapping) and all(
        name in wanted and _agrees(value, wanted[name]) for name, value in recorded.items()
    )


def keep(
    recipe: str,
    seed: int,
    judged: Path,
    record: Mapping[str, Any],
    history: Path | None,
    results: Path = RESULTS,
) -> None:
    """Put a result among the others, whole or not at all."""
    photos = _read(judged / "photos.csv")
    truth = [{"photo": row["photo"], **{name: _short(row[name]) for name in TRUTH}} for row in photos]
    with new_folder(results / recipe / str(seed)) as part:
        _write(
            part / "photos.csv",
            [
                {"photo": row["photo"], **{name: _short(row.get(name, "")) for name in SCORES}}
                for row in photos
            ],
        )
        if (judged / "front_photos.csv").is_file():
            _write(part / "front.csv", _wide(_read(judged / "front_photos.csv")))
        if history is not None:
            shutil.copyfile(history, part / "history.csv")
        shutil.copyfile(judged / "metrics.json", part / "metrics.json")
        write_json(part / RECORD, dict(record))
    _write(results / "truth.csv", truth)


def _wide(rows: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """One row a photo."""
    wide: dict[str, dict[str, str]] = {}
    for row in rows:
        cells = wide.setdefault(row["photo"], {"photo": row["photo"]})
        for name in SWEPT:
            cells[f"{name}@{float(row['factor']):g}"] = _short(row[name])
    return list(wide.values())


def _short(cell: str) -> str:
    """Four digits that count."""
    return cell and f"{float(cell):.4g}"


def _read(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as rows:
        return list(csv.DictReader(rows))


def _write(destination: Path, rows: Sequence[Mapping[str, str]]) -> None:
    with new_file(destination) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
