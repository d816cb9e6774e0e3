"""The input-scaling fault, done on purpose.

A published re-implementation divides photos by 255 and then calls the backbone's own preprocessing, which wants 0 to
255: ``(gray / 255 - offset) / scale``. That equals ``(gray - 255 * offset) / (255 * scale)``, so a backbone.json with
these numbers makes the very embeddings, in training and in use, and the product's code stays clean of it. The stages
run by hand, because the pipeline's stage `check` refuses such embeddings; its words are kept.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from experiments.study.workshop import StudyError, Workshop

FOLDER = Path(".study/faulty")


def train_faulty(workshop: Workshop) -> tuple[Path, Path, dict[str, Any]]:
    """Embed, check and train: bundle, report, and what to record, the sentence of `check` among it."""
    workshop.run("-m", "dvc", "repro", "--quiet", "check")
    backbone, embeddings, bundle, report = (
        str(FOLDER / name) for name in ("backbone", "embeddings", "bundle", "report")
    )
    _write_backbone(workshop.folder / "models/backbone", workshop.folder / backbone)
    workshop.stage("embed", "data/raw", "data/manifest", backbone, embeddings)
    try:
        workshop.stage("check", "data/lab", embeddings, str(FOLDER / "check"))
        refusal = "nothing"
    except StudyError as error:
        refusal = next((line for line in str(error).splitlines() if "embeddings:" in line), str(error)).strip(
            " -"
        )
    memory = workshop.run(
        "-m", "tintype.stages.train", "data/manifest", "data/lab", embeddings, backbone, bundle, report
    )
    return workshop.folder / bundle, workshop.folder / report, {"peak_memory_bytes": memory, "check": refusal}


def scaled_twice(spec: dict[str, Any]) -> dict[str, Any]:
    """A backbone.json whose input is what the fault makes of it."""
    return spec | {"offset": 255 * spec["offset"], "scale": 255 * spec["scale"]}


def _write_backbone(right: Path, wrong: Path) -> None:
    wrong.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(right / "backbone.keras", wrong / "backbone.keras")
    spec = json.loads((right / "backbone.json").read_text(encoding="utf-8"))
    (wrong / "backbone.json").write_text(json.dumps(scaled_twice(spec), indent=2) + "\n", encoding="utf-8")
