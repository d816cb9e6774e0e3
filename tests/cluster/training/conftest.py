"""A small training in a folder, for processes that share it."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tintype.params import Params

HERE = Path(__file__).parent


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"cluster_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def worker() -> ModuleType:
    """The module worker.py beside this file."""
    return _module(HERE / "worker.py")


@pytest.fixture(scope="session")
def make_project() -> Any:
    """Makes a copy of the project with parameters for minutes, as the pipeline's tests do."""
    return _module(HERE.parents[1] / "pipeline/conftest.py").make_project


@pytest.fixture
def make_training(
    tmp_path: Path, params: Params, network_params: Callable[..., Any], request: pytest.FixtureRequest
) -> Callable[..., Path]:
    """A folder with tensors of 18 crops to learn from, and the parameters of its training."""
    Tensors = _module(HERE.parents[1] / "training/conftest.py").Tensors  # noqa: N806

    def make(name: str, kind: str = "fusion", **train: Any) -> Path:
        tensors = Tensors(tmp_path / name)
        changes = {
            "epochs": 2,
            "batch_size": 6,
            "learning_rate": 0.01,
            "ema_momentum": 0.5,
            "grid_every": 2,
            "strategy": "data_parallel",
        }
        description = {
            "plans": [
                {
                    "split": plan.split,
                    "bucket": plan.bucket,
                    "photos": [[photo.content_hash, photo.path] for photo in plan.photos],
                    "crops": plan.crops,
                }
                for plan in tensors.plans
            ],
            "backbone": str(request.getfixturevalue("backbone_folder") if kind == "pyramid" else tmp_path),
            "train": params.train.model_copy(update=changes | train).model_dump(),
            "fusion": network_params(width=0.05).model_dump(),
            "pyramid": network_params(name="pyramid", width=0.2, dropout=0.3).model_dump(),
        }
        (tmp_path / name / "params.json").write_text(json.dumps(description))
        return tmp_path / name

    return make
