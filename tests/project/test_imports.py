"""What an import costs."""

import subprocess
import sys

import pytest

HEAVY = {"bentoml", "great_expectations", "keras", "mlflow", "pandas", "tensorflow"}


@pytest.mark.parametrize(
    "module",
    [
        "tintype.imaging.inputs",
        "tintype.formats.photo",
        "tintype.data",
        "tintype.cli",
        "tintype.stages.entrypoint",
    ],
)
def test_nothing_heavy_comes_along(module):
    code = f"import sys, {module}; print(*{HEAVY} & set(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert loaded == []


def test_the_command_line_needs_no_arrays_to_explain_itself():
    code = "import sys, tintype.cli; print(*{'cv2', 'numpy', 'PIL'} & set(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert loaded == []
