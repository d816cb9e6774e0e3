"""The training for a GPU machine, with a handful of photos, here: packed, trained on JAX, brought home."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from experiments.gpu.packed import pack

from tintype.data.tensors.lab import make_lab
from tintype.data.tensors.plan import plan_shards
from tintype.data.validation.manifest import COLUMNS, write_manifest
from tintype.errors import TintypeError
from tintype.files.digest import sha256_of
from tintype.formats.photo import read_photo
from tintype.imaging.lab import rgb_to_lab
from tintype.params import CropsParams, LabParams, Params

pytestmark = pytest.mark.timeout(1200)  # processes that each import Keras

ROOT = Path(__file__).parents[2]
PHOTOS = {"cat": "train", "coffee": "train", "dahlia": "train", "bridge": "train"} | {
    "astronaut": "validation",
    "peaks": "validation",
}


@pytest.fixture
def project(
    tmp_path: Path, sample: Path, params: Params, tiny_backbone: Path, network_params: Callable[..., Any]
) -> Path:
    """What `pack` reads of a project after `dvc repro`."""
    rows = []
    for name, split in PHOTOS.items():
        values = {"path": f"{name}.jpg", "content_hash": sha256_of(sample / f"{name}.jpg")}
        values |= {"bucket": values["content_hash"][0], "split": split}
        rows.append(
            {key: values.get(key, {"str": "", "int64": 1}.get(kind, 1.0)) for key, kind in COLUMNS.items()}
        )
    manifest = pd.DataFrame(rows)
    write_manifest(tmp_path / "data/manifest", manifest, pd.DataFrame())
    crops, lab = CropsParams(per_photo=1, min_side_share=0.5), LabParams(size=64, workers=1)
    make_lab(plan_shards(manifest, crops), sample, tmp_path / "data/lab", crops, lab)
    (tmp_path / "models").mkdir()
    (tmp_path / "models/backbone").symlink_to(tiny_backbone)
    content = params.model_dump(mode="json", by_alias=True) | {
        "crops": crops.model_dump(),
        "lab": lab.model_dump(),
        "network": network_params(name="pyramid").model_dump(),
    }
    content["train"] |= {"epochs": 3, "batch_size": 2, "learning_rate": 0.01, "ema_momentum": 0.5}
    (tmp_path / "params.yaml").write_text(json.dumps(content))  # JSON is YAML
    return tmp_path


def run(*arguments: str | Path, backend: str = "tensorflow") -> str:
    environment = os.environ | {"KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-m", "experiments.gpu", *map(str, arguments)]
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_photos_travel_are_learned_from_on_jax_and_come_home_as_a_model(
    project: Path, sample: Path, tmp_path: Path
) -> None:
    packed, output, bundle = tmp_path / "packed.zip", tmp_path / "output", tmp_path / "bundle"
    assert "4 of 4 training rows and 2 of 2 validation rows at 48 pixels" in run(
        "pack", packed, "--project", project, "--size", 48
    )
    said = run("train", packed, output, "--width", 0.2, backend="jax")
    assert "3 of 3 epochs" in said
    assert "no peak known" in said
    figures = json.loads((output / "training.json").read_text())
    assert figures["flop_per_step"] > 1e6
    assert figures["photos_per_second"] > 0
    assert figures["share_of_peak"] is None
    assert figures["history"][-1]["loss"] < figures["history"][0]["loss"]
    run("home", packed, output, bundle)
    colorize = Path(sys.executable).with_name("tintype")
    destination = tmp_path / "cat.jpg"
    subprocess.run(
        [colorize, "colorize", sample / "cat.jpg", "-o", destination, "--model", bundle], check=True
    )
    assert np.abs(rgb_to_lab(read_photo(destination).rgb8)[..., 1:]).mean() > 0.5


def test_a_training_ends_in_time_with_what_it_has(project: Path, tmp_path: Path) -> None:
    packed, output = tmp_path / "packed.zip", tmp_path / "output"
    pack(packed, project, 48, 60)
    assert "1 of 3 epochs" in run("train", packed, output, "--minutes", 0, backend="jax")
    assert (output / "weights.npz").is_file()


def test_what_does_not_fit_is_left_out_or_refused(project: Path, tmp_path: Path) -> None:
    whole = pack(tmp_path / "whole.zip", project, 48, 60)
    assert "left out" not in whole
    size = (tmp_path / "whole.zip").stat().st_size
    less = pack(tmp_path / "less.zip", project, 48, (size - 500) / 2**20)
    assert "left out" in less
    assert (tmp_path / "less.zip").stat().st_size <= size - 500
    with pytest.raises(TintypeError, match="Expected room for at least 2"):
        pack(tmp_path / "none.zip", project, 48, 0.001)
    assert not (tmp_path / "none.zip").exists()
