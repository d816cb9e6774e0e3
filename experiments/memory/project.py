"""Projects in temporary folders: the code and pipeline of this one, photos of their own, parameters that are quick."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from subprocess import run
from tempfile import TemporaryDirectory
from typing import Any

from ruamel.yaml import YAML

from experiments.memory.photos import make_photos

ROOT = Path(__file__).parents[2]
STAGES = ("fetch", "weights", "validate", "lab", "embed", "check", "train", "evaluate", "register")
# What grows with photos is what is looked for, so all that costs time and does not is as small as it gets.
CHANGES: Mapping[str, Mapping[str, Any]] = {
    "fetch": {"source": "directory", "directory": "given"},
    "weights": {"backbone": "tiny.keras", "origin": "file"},
    "validate": {"bucket_digits": 2, "validation_share": 0.05, "test_share": 0.005},
    "crops": {"per_photo": 1},
    "lab": {"size": 32},
    "embed": {"batch_size": 64},
    "network": {
        "name": "fusion",
        "width": 0.1,
        "head": "tanh",
        "view": None,
        "skips": False,
        "embedding": True,
    },
    "train": {"epochs": 1, "batch_size": 64, "loss": "mse", "scans": 0.0, "grid_every": 1},
    "evaluate": {"side": 128, "custom_photos": "own"},
}


@contextmanager
def project_of(photos: int, where: Path | None = None) -> Iterator[Path]:
    """A project with so many photos, gone when the block ends."""
    with TemporaryDirectory(prefix="tintype-memory-", dir=where) as name:
        root = Path(name)
        sample = sorted((ROOT / "data" / "sample").glob("*.jpg"))
        # In a process of its own: what a process holds when it starts another counts in that one's peak.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as maker:
            maker.submit(make_photos, sample, root / "given", photos).result()
            maker.submit(make_photos, sample, root / "own", 4, seed=1).result()
        run([sys.executable, "-m", "experiments.memory.tiny", root / "tiny.keras"], cwd=ROOT, check=True)
        for part in ("src", "dvc.yaml"):
            (root / part).symlink_to(ROOT / part)
        yaml = YAML()
        params = yaml.load((ROOT / "params.yaml").read_text(encoding="utf-8"))
        for block, values in CHANGES.items():
            params[block].update(values)
        with (root / "params.yaml").open("w", encoding="utf-8") as file:
            yaml.dump(params, file)
        yield root


def command_of(stage: str) -> str:
    """The command that dvc.yaml gives for a stage, with its parameters filled in."""
    text = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"][stage]["cmd"]

    def value(match: re.Match[str]) -> str:
        block, key = match[1].split(".")
        return str(CHANGES[block][key])

    return re.sub(r"\$\{([\w.]+)\}", value, str(text))


def environment() -> dict[str, str]:
    """The environment here, with this Python first and no registry but the project's own."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("MLFLOW_")}
    return kept | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
