"""One bundle, several backends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

COLOUR = """
import sys
from pathlib import Path
import numpy as np
from tintype.models.keras_backend import prepare_keras
prepare_keras(sys.argv[1])
from tintype.colorize import Colorizer
photos = [np.asarray(photo) for photo in np.load(sys.argv[3])]
np.save(sys.argv[4], Colorizer.load(Path(sys.argv[2])).chroma_of(photos))
print("tensorflow" in sys.modules, "openvino" in sys.modules)
"""


def in_fresh_process(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", **environment},
    )


def test_openvino_and_tensorflow_give_the_same_colours(bundle: Path, cat: np.ndarray, tmp_path: Path) -> None:
    np.save(tmp_path / "photos.npy", np.stack([cat, cat[:, ::-1], cat[::-1]]))
    ab = {}
    for backend, imported in (("openvino", "False True"), ("tensorflow", "True False")):
        arguments = [backend, str(bundle), str(tmp_path / "photos.npy"), str(tmp_path / f"{backend}.npy")]
        done = in_fresh_process(COLOUR, *arguments)
        assert done.stdout.split("\n")[0] == imported, done.stderr
        assert done.stderr == ""
        ab[backend] = np.load(tmp_path / f"{backend}.npy")
    difference = np.hypot(*np.moveaxis(ab["openvino"] - ab["tensorflow"], -1, 0))
    assert np.hypot(*np.moveaxis(ab["tensorflow"], -1, 0)).mean() > 0.5  # there is something to agree on
    assert difference.mean() < 0.05


def test_a_backend_that_is_not_installed_is_named() -> None:
    code = "from tintype.models.keras_backend import prepare_keras; prepare_keras('jax')"
    done = in_fresh_process(code)
    assert "BackendError: Expected the package jax as Keras' backend, but it is not installed." in done.stderr


@pytest.mark.parametrize(("chosen", "expected"), [("", "openvino"), ("tensorflow", "tensorflow")])
def test_colouring_prefers_openvino_unless_told_otherwise(chosen: str, expected: str) -> None:
    code = "from tintype.models.keras_backend import inference_backend; print(inference_backend())"
    assert in_fresh_process(code, KERAS_BACKEND=chosen).stdout.strip() == expected


def test_a_process_keeps_its_backend() -> None:
    code = (
        "from tintype.models.keras_backend import prepare_keras; prepare_keras('openvino');"
        "prepare_keras(); prepare_keras('tensorflow')"
    )
    done = in_fresh_process(code)
    assert (
        "BackendError: Expected Keras on tensorflow, but this process has imported it on openvino."
        in done.stderr
    )
