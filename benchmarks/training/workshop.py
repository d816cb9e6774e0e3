"""A project of its own in a temporary folder, in which the pipeline's stages make tensors of photos."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tintype.data.tensors.plan import plan_shards
from tintype.data.validation.manifest import TRAIN, read_manifest
from tintype.params import Params, load_params
from tintype.training.shard_set import ShardSet, open_split

ROOT = Path(__file__).parents[2]
_PATHS = {
    "fetch": ("data/raw",),
    "validate": ("data/raw", "data/manifest", "reports/validate"),
    "weights": ("models/backbone",),
    "lab": ("data/raw", "data/manifest", "data/lab"),
    "embed": ("data/raw", "data/manifest", "models/backbone", "data/embeddings"),
}


class Workshop:
    """A preset's tensors, made of a folder of photos.

    Parameters
    ----------
    folder : Path
        Empty.
    photos : Path
        Folder of photos.
    changes : dict of dict
        Of the parameters in git, by block.

    Attributes
    ----------
    features_seconds : float
        Wall-clock time of the stages `lab` and `embed`, from the start of their processes to the end.
    crops : int
        That they made.
    train : ShardSet
        The rows to learn from.
    """

    def __init__(self, folder: Path, photos: Path, changes: dict[str, dict[str, Any]]) -> None:
        self.folder = folder
        content = YAML(typ="safe").load(ROOT / "params.yaml")
        shares = {"validation_share": 0.05, "test_share": 0.05}
        source = {"source": "directory", "directory": str(photos.absolute())}
        for block, values in {"fetch": source, "validate": shares, **changes}.items():
            # A network that is named is described in full: none of the other's keys may stay.
            content[block] = values if "name" in values else {**content[block], **values}
        YAML(typ="safe").dump(content, folder / "params.yaml")
        self.params: Params = load_params(folder / "params.yaml")
        self._run("fetch", str(photos.absolute()))
        for stage in ("validate", "weights"):
            self._run(stage)
        begun = time.perf_counter()
        for stage in ("lab", "embed"):
            self._run(stage)
        self.features_seconds = time.perf_counter() - begun
        plans = plan_shards(read_manifest(folder / "data/manifest"), self.params.crops)
        self.crops = sum(plan.rows for plan in plans)
        self.train: ShardSet = open_split(plans, TRAIN, folder / "data/lab", folder / "data/embeddings")

    def _run(self, stage: str, *first: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", f"tintype.stages.{stage}", *first, *_PATHS[stage]],
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            sys.exit(f"The stage {stage} failed: {done.stderr}")
