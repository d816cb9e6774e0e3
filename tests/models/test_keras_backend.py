"""One bundle, several backends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tintype.colorize import Colorizer
from tintype.imaging.inputs import network_inputs
from tintype.models.bins import ab_bins
from tintype.models.decoding import annealed_mean, decoded, spread_of, undecoded
from tintype.models.heads import put_head
from tintype.models.keras_backend import prepare_keras
from tintype.models.keras_file import load_network, save_network
from tintype.models.network import AB_LIMIT
from tintype.models.openvino import OpenVinoNetwork, write_ir

prepare_keras()

import keras  # noqa: E402

COLOUR = """
import os
import sys
from pathlib import Path
import numpy as np
from tintype.colorize import Colorizer
from tintype.models.keras_backend import BackendError, own_this_process, prepare_keras
own_this_process()
prepare_keras()
photos = [np.asarray(photo) for photo in np.load(sys.argv[3])]
np.save(sys.argv[4], Colorizer.load(Path(sys.argv[2]), sys.argv[1]).chroma_of(photos))
print(*[name in sys.modules for name in ("tensorflow", "openvino", "sklearn")])
print(*[os.environ.get(name) for name in ("KERAS_BACKEND", "TF_CPP_MIN_LOG_LEVEL")])
try:
    prepare_keras("jax")
except BackendError as error:
    print(error)
"""


def in_fresh_process(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", **environment},
    )


def test_a_process_on_tensorflow_gives_the_colours_of_openvino_without_it_and_is_quiet(
    bundle: Path, cat: np.ndarray, tmp_path: Path
) -> None:
    photos = np.stack([cat, cat[:, ::-1], cat[::-1]])
    np.save(tmp_path / "photos.npy", photos)
    arguments = ["tensorflow", str(bundle), str(tmp_path / "photos.npy"), str(tmp_path / "ab.npy")]
    done = in_fresh_process(COLOUR, *arguments, KERAS_BACKEND="openvino")
    assert done.stderr == ""
    modules, environment, refusal = done.stdout.splitlines()
    assert modules == "True False False"
    assert environment == "openvino None"  # as it was
    assert refusal.startswith("Expected Keras on jax, but this process has imported it on tensorflow.")
    ab = np.load(tmp_path / "ab.npy")
    np.testing.assert_array_equal(ab, Colorizer.load(bundle, "tensorflow").chroma_of(list(photos)))
    by_openvino = Colorizer.load(bundle, "openvino").chroma_of(list(photos))
    difference = np.hypot(*np.moveaxis(by_openvino - ab, -1, 0))
    assert np.hypot(*np.moveaxis(ab, -1, 0)).mean() > 0.5  # there is something to agree on
    # In bfloat16, which OpenVINO would take where a processor has it, they would be a Lab unit apart.
    assert difference.max() < 0.1
    assert difference.mean() < 0.01


def test_openvino_decodes_classes_to_the_colours_and_the_spread_that_numpy_makes_of_them(
    pyramid_bundle: Path, cat: np.ndarray
) -> None:
    l8 = np.stack([network_inputs(turned, 48, 48)[0] for turned in (cat, cat[:, ::-1])]).astype(np.float32)
    network = pyramid_bundle / "network.keras"
    check_decoding(network, l8, np.asarray(undecoded(load_network(network))({"l": l8})))


def test_openvino_knows_the_spread_where_a_network_is_nearly_sure(tmp_path: Path) -> None:
    """Nine parts of one class, one of another: a difference of large squares would lose what is left."""
    count = len(ab_bins())
    features = keras.Input((1, count, count), name="l")
    network = keras.Model({"l": features}, put_head(features, "classes"))
    network.get_layer("classes").set_weights([np.eye(count)[None, None], np.zeros(count)])
    save_network(decoded(network, 0.4), tmp_path / "network.keras", half=True)
    shares = 0.9 * np.eye(count) + 0.1 * np.roll(np.eye(count), 1, axis=1)
    scores = np.log(shares + 1e-20).astype(np.float32)[None, None]
    write_ir({tmp_path / "network.keras": None})
    check_decoding(tmp_path / "network.keras", scores, scores)


def check_decoding(network: Path, given: np.ndarray, scores: np.ndarray) -> None:
    for backend, loaded in (
        ("tensorflow", load_network(network)),
        ("openvino", OpenVinoNetwork.load(network)),
    ):
        found = loaded.predict_on_batch({"l": given})
        ab = np.abs(found["ab"] * AB_LIMIT - annealed_mean(scores, 0.4))
        spread = np.abs(found["spread"][..., 0] * AB_LIMIT - spread_of(scores))
        assert ab.max() < 0.05, backend
        assert ab.mean() < 0.01, backend
        assert spread.max() < 0.05, backend


def test_a_backend_that_is_not_installed_is_named() -> None:
    code = "from tintype.models.keras_backend import prepare_keras; prepare_keras('torch')"
    done = in_fresh_process(code)
    assert (
        "BackendError: Expected the package torch as Keras' backend, but it is not installed." in done.stderr
    )


@pytest.mark.parametrize(("chosen", "expected"), [("", "openvino"), ("tensorflow", "tensorflow")])
def test_colouring_prefers_openvino_unless_told_otherwise(chosen: str, expected: str) -> None:
    code = "from tintype.models.keras_backend import inference_backend; print(inference_backend())"
    assert in_fresh_process(code, KERAS_BACKEND=chosen).stdout.strip() == expected


def test_keras_is_not_asked_to_compute_on_openvino() -> None:
    code = "from tintype.models.keras_backend import prepare_keras; prepare_keras('openvino')"
    done = in_fresh_process(code)
    assert "BackendError: Expected a backend on which Keras trains, such as tensorflow." in done.stderr
