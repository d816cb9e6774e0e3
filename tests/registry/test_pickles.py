"""A model from anywhere may not bring a program of its own in a pickle."""

from __future__ import annotations

from pathlib import Path

import mlflow
import pytest
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import PythonModel

from tintype.registry.store import connect, find_store


class Foreign(PythonModel):
    """What MLflow pickles when it is given an object."""

    def predict(self, context: object, model_input: list[str], params: object = None) -> list[str]:
        return model_input


def test_once_connected_a_pickled_model_is_refused(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", raising=False)
    mlflow.pyfunc.save_model(str(tmp_path / "model"), python_model=Foreign(), pip_requirements=[])
    assert list((tmp_path / "model").rglob("*.pkl"))
    connect(find_store())
    with pytest.raises(MlflowException, match=r"MLFLOW_ALLOW_PICKLE_DESERIALIZATION"):
        mlflow.pyfunc.load_model(str(tmp_path / "model"))
