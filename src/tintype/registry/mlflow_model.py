"""A bundle as an MLflow model: what `mlflow models serve` or `mlflow.pyfunc.load_model` can use anywhere.

The model carries the bundle, the code that colours with it and the versions it was made with, so that it can be
loaded where nothing of this project is installed.
"""

from __future__ import annotations

import io
import re
import shutil
import tempfile
from importlib.metadata import requires, version
from pathlib import Path

from mlflow.models import Model, ModelSignature
from mlflow.pyfunc import save_model
from mlflow.types import ColSpec, Schema

import tintype
from tintype.models.bundle import BundleInfo

_PACKAGE = Path(tintype.__file__).parent
_CODE = Path(__file__).with_name("pyfunc.py")
# The first two colour with a bundle without an IR; the rest is not for colouring.
_ALSO = ("keras", "tensorflow", "mlflow", "pandas")


def write_model(folder: Path, bundle: Path, info: BundleInfo, model: Model) -> None:
    """Write a bundle as an MLflow model. Nothing is loaded and nothing predicted: it takes under a second.

    Parameters
    ----------
    folder : Path
        Made here.
    bundle : Path
        The bundle's folder.
    info : BundleInfo
        Shown by MLflow as the model's metadata.
    model : mlflow.models.Model
        Names the run and the logged model that this belongs to.
    """
    import pandas as pd

    with tempfile.TemporaryDirectory() as scratch:
        save_model(
            path=str(folder),
            python_model=str(_CODE),
            artifacts={"bundle": str(bundle)},
            code_paths=[str(_code(Path(scratch)))],
            mlflow_model=model,
            metadata=info.model_dump(mode="json"),
            signature=ModelSignature(
                inputs=Schema([ColSpec("binary", "photo")]), outputs=Schema([ColSpec("binary", "png")])
            ),
            input_example=pd.DataFrame({"photo": [example_photo()]}),
            pip_requirements=requirements(),  # given, because MLflow would load the model to find out
        )
    for cache in list(folder.rglob("__pycache__")):
        shutil.rmtree(cache)


def requirements() -> list[str]:
    """The packages that colouring needs, each pinned to the installed version."""
    names = [
        re.split(r"[^\w.-]", line, maxsplit=1)[0]
        for line in requires("tintype") or []
        if "extra ==" not in line
    ]
    return [f"{name}=={version(name)}" for name in sorted({*names, *_ALSO})]


def example_photo() -> bytes:
    """A small photo file, made here: a JPEG with a gray gradient."""
    from PIL import Image

    stream = io.BytesIO()
    Image.linear_gradient("L").resize((64, 48)).save(stream, "JPEG")
    return stream.getvalue()


def _code(scratch: Path) -> Path:
    """A copy of the package's modules without data files: the bundle brings its own weights."""
    copy = scratch / _PACKAGE.name
    for module in _PACKAGE.rglob("*.py"):
        target = copy / module.relative_to(_PACKAGE)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(module, target)
    return copy
