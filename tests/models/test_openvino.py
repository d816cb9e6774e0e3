"""The IR beside a bundle's networks: how near it is, what it spares, and what its use leaves alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import h5py
import numpy as np
import pytest

from tintype.colorize import Colorizer
from tintype.models import bundle as bundles
from tintype.models.bundle import BundleError, BundleInfo, add_ir, bundle_digest, read_info
from tintype.models.keras_backend import prepare_keras
from tintype.models.keras_file import save_network
from tintype.models.openvino import IrError, OpenVinoNetwork, largest_difference, write_ir
from tintype.models.starter import starter_bundle

COLOUR = """
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree
import numpy as np
from tintype.colorize import Colorizer
colorizer = Colorizer.load(Path(sys.argv[1]))
np.save(sys.argv[3], colorizer.chroma_of(list(np.load(sys.argv[2]))))
loaded = sorted({"keras", "tensorflow", "h5py", "openvino"} & set(sys.modules))
print(loaded, colorizer.backend, colorizer.uses_ir, colorizer.lacks_ir)
"""


def coloured(bundle: Path, photos: np.ndarray, folder: Path, first: str = "") -> tuple[np.ndarray, str]:
    """Chroma, and what the process said, where nobody has chosen a backend."""
    np.save(folder / "photos.npy", photos)
    command = [
        sys.executable,
        "-c",
        first + COLOUR,
        str(bundle),
        str(folder / "photos.npy"),
        str(folder / "ab.npy"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"})
    assert done.returncode == 0, done.stderr
    return np.load(folder / "ab.npy"), done.stdout.strip()


@pytest.fixture
def photos(cat: np.ndarray) -> np.ndarray:
    return np.stack([cat, cat[:, ::-1], cat[::-1]])


@pytest.fixture
def before(bundle: Path, tmp_path: Path) -> Path:
    """A bundle as it was written before there was an IR."""
    return without_ir(bundle, tmp_path / "before")


def without_ir(bundle: Path, folder: Path) -> Path:
    shutil.copytree(bundle, folder, ignore=shutil.ignore_patterns("*.xml", "*.bin"))
    info = json.loads((folder / "bundle.json").read_text())
    del info["ir"]
    info["files"] = {name: digest for name, digest in info["files"].items() if name.endswith(".keras")}
    (folder / "bundle.json").write_text(json.dumps(info))
    card = (folder / "README.md").read_text()
    (folder / "README.md").write_text("".join(line for line in card.splitlines(True) if "| IR |" not in line))
    return folder


KINDS = ["report_bundle", "pyramid_bundle", pytest.param("report_pyramid_bundle", marks=pytest.mark.slow)]


@pytest.mark.parametrize("kind", KINDS)
def test_it_colours_as_keras_does_and_neither_keras_nor_tensorflow_is_there(
    kind: str, request: pytest.FixtureRequest, photos: np.ndarray, tmp_path: Path
) -> None:
    folder = request.getfixturevalue(kind)
    ab, output = coloured(folder, photos, tmp_path)
    assert output == "['openvino'] openvino True False"
    from tintype.colorize import Colorizer

    by_keras = Colorizer.load(folder)
    assert not by_keras.uses_ir  # as this process has TensorFlow
    expected = by_keras.chroma_of(list(photos))
    assert np.hypot(*np.moveaxis(expected, -1, 0)).mean() > 0.5  # there is something to agree on
    assert np.abs(ab - expected).max() < 0.1
    assert np.abs(ab - expected).mean() < 0.01
    assert read_info(folder).ir is not None


@pytest.mark.parametrize("kind", KINDS)
def test_company_makes_no_difference_to_a_photos_colours(
    kind: str, photos: np.ndarray, request: pytest.FixtureRequest
) -> None:
    colorizer = Colorizer.load(request.getfixturevalue(kind), "openvino")
    together = colorizer.chroma_of([*photos, *photos])
    for count in (1, 2, 3):  # whole batches, and one that is filled up
        np.testing.assert_array_equal(colorizer.chroma_of(photos[:count]), together[:count])
    assert not np.array_equal(together[0], together[1])


def test_one_core_gives_the_same_colours_as_all(photos: np.ndarray, tmp_path: Path) -> None:
    one = {min(os.sched_getaffinity(0))}
    alone, _ = coloured(starter_bundle(), photos, tmp_path, f"import os; os.sched_setaffinity(0, {one})")
    here = Colorizer.load(starter_bundle(), "openvino")
    np.testing.assert_array_equal(alone, here.chroma_of(list(photos)))


def test_weights_kept_in_half_precision_are_so_in_the_ir_too(pyramid_bundle: Path) -> None:
    keras_file = pyramid_bundle / "network.keras"
    sizes = []  # the file of a network as small has more of other things than of weights
    with zipfile.ZipFile(keras_file) as parts, h5py.File(parts.open("model.weights.h5")) as weights:
        weights.visititems(lambda _, item: sizes.append(getattr(item, "nbytes", 0)))
    assert 0 < keras_file.with_suffix(".bin").stat().st_size < 1.05 * sum(sizes)


def test_an_ir_whose_weights_lie_in_the_keras_file_is_still_read(
    pyramid_bundle: Path, tmp_path: Path
) -> None:
    """So bundles were written once: the graph counts on from the `.bin` into the file behind it."""
    weights = (pyramid_bundle / "network.bin").read_bytes()
    shutil.copy(pyramid_bundle / "network.xml", tmp_path)
    (tmp_path / "network.bin").write_bytes(weights[:1000])
    (tmp_path / "network.keras").write_bytes(weights[1000:])
    given = {"l": np.full((2, 48, 48, 1), 100, np.float32)}
    expected = OpenVinoNetwork.load(pyramid_bundle / "network.keras").predict_on_batch(given)
    for name, values in OpenVinoNetwork.load(tmp_path / "network.keras").predict_on_batch(given).items():
        np.testing.assert_array_equal(values, expected[name])


def test_attention_over_the_coarsest_map_converts_and_agrees(tmp_path: Path) -> None:
    prepare_keras()
    import keras
    from keras import layers

    keras.utils.set_random_seed(1)
    given = keras.Input((28, 28, 1), name="l")
    coarse = layers.Conv2D(16, 3, strides=4, padding="same", activation="relu")(given)
    tokens = layers.Reshape((49, 16))(coarse)
    tokens = layers.LayerNormalization()(tokens + layers.MultiHeadAttention(4, 8)(tokens, tokens))
    ab = layers.Conv2D(2, 1, activation="tanh")(layers.Reshape((7, 7, 16))(tokens))
    network = keras.Model({"l": given}, ab)
    save_network(network, tmp_path / "network.keras")
    write_ir({tmp_path / "network.keras": None})
    converted = OpenVinoNetwork.load(tmp_path / "network.keras")
    for count in (1, 4):
        l8 = np.random.default_rng(count).uniform(0, 255, (count, 28, 28, 1)).astype(np.float32)
        expected = np.asarray(network({"l": l8}))
        assert np.ptp(expected) > 0.1
        np.testing.assert_allclose(converted.predict_on_batch({"l": l8}), expected, atol=1e-5)


def test_the_digest_of_the_first_starter_is_still_what_it_was() -> None:
    """It is on every photo that it coloured. The one that came after it had the same network, and an IR."""
    after = json.loads(Path(__file__).with_name("starter-of-571-photos.json").read_text(encoding="utf-8"))
    first = BundleInfo.model_validate(
        after | {"ir": None, "files": {"network.keras": after["files"]["network.keras"]}}
    )
    assert bundle_digest(first) == "38fb86b822d969a56c71cca989dde588407dbf7d73e32325f22e6a17a3b35a69"


def test_an_ir_added_later_is_the_one_that_would_have_been_written(before: Path, bundle: Path) -> None:
    assert add_ir(before) == read_info(before) == read_info(bundle)
    for path in bundle.iterdir():
        assert (before / path.name).read_bytes() == path.read_bytes(), path.name
    assert "| IR | of OpenVINO" in (before / "README.md").read_text()


def test_an_ir_of_other_colours_is_refused(before: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "MOST_AB", 1e-9)
    files = {path.name: path.read_bytes() for path in before.iterdir()}
    with pytest.raises(
        IrError, match=r"at most 1e-09 Lab units from the Keras network's\. Received: [0-9.]+e-0"
    ):
        add_ir(before)
    assert {path.name: path.read_bytes() for path in before.iterdir()} == files


class Says:
    """A network that gives the same whatever it is asked."""

    def __init__(self, **outputs: float) -> None:
        self._outputs = outputs

    def predict_on_batch(self, given: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        channels = {"ab": 2, "spread": 1}
        return {
            name: np.full((len(given["l"]), 2, 2, channels[name]), value, np.float32)
            for name, value in self._outputs.items()
        }


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ({"ab": 1.0, "spread": 0.25}, {"ab": 1.0, "spread": 0.5}, 0.25),
        ({"ab": np.nan}, {"ab": np.nan}, 0.0),
        ({"ab": 1.0}, {"ab": np.nan}, np.inf),
    ],
)
def test_the_largest_difference_is_over_all_outputs(
    first: dict[str, float], second: dict[str, float], expected: float
) -> None:
    assert largest_difference((Says(**first), Says(**second)), None, 8, 8) == expected


def test_a_process_with_keras_on_another_backend_has_the_same_ir_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare_keras()
    import keras

    given = keras.Input((8, 8, 1), name="l")
    network = keras.Model({"l": given}, keras.layers.Conv2D(2, 3)(given))
    for folder in ("here", "elsewhere"):
        (tmp_path / folder).mkdir()
        save_network(network, tmp_path / folder / "network.keras")
    write_ir({tmp_path / "here/network.keras": None})
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    write_ir({tmp_path / "elsewhere/network.keras": None})
    for name in ("network.xml", "network.bin"):
        assert (tmp_path / "elsewhere" / name).read_bytes() == (tmp_path / "here" / name).read_bytes()


def test_a_bundle_without_an_ir_is_coloured_by_keras_and_says_that_it_lacks_one(
    before: Path, photos: np.ndarray
) -> None:
    by_keras = Colorizer.load(before, "openvino")
    assert (by_keras.uses_ir, by_keras.lacks_ir, by_keras.backend) == (False, True, "tensorflow")
    assert np.isfinite(by_keras.chroma_of(list(photos))).all()


def test_a_network_that_gives_no_finite_colours_is_refused_when_it_is_loaded(
    pyramid_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OpenVinoNetwork, "load", lambda _: Says(ab=np.nan))
    with pytest.raises(BundleError, match=r"to give finite numbers as ab\. Received: 100% that are not"):
        Colorizer.load(pyramid_bundle, "openvino")


HOST = """
import os, sys, warnings
sockets = []
sys.addaudithook(lambda event, arguments: sockets.append(event) if event.startswith("socket.connect") else None)
import numpy as np
def state():
    error = os.fstat(2)
    return dict(os.environ), (error.st_dev, error.st_ino), list(warnings.filters)
before = state()
from pathlib import Path
from tintype.models.openvino import OpenVinoNetwork
network = OpenVinoNetwork.load(Path(sys.argv[1]))
network.predict_on_batch({"l": np.zeros((1, 48, 48, 1), np.float32)})
import openvino, openvino._ov_api
print(state() == before, openvino.compile_model is openvino._ov_api.compile_model)
print("openvino_telemetry" in sys.modules, sockets, os.listdir(os.environ["HOME"]))
import openvino_telemetry
"""


def test_openvino_is_used_without_a_trace_in_its_host_and_sends_no_report(
    pyramid_bundle: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", HOST, str(pyramid_bundle / "network.keras")]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (done.stdout, done.stderr) == ("True True\nFalse [] []\n", "")


@pytest.mark.parametrize(
    ("kind", "file"),
    [
        ("report_bundle", "backbone.xml"),
        pytest.param("report_pyramid_bundle", "network.xml", marks=pytest.mark.slow),
    ],
)
def test_layout_is_not_changed_around_each_convolution(
    kind: str, file: str, request: pytest.FixtureRequest
) -> None:
    graph = request.getfixturevalue(kind) / file
    kinds = Counter(layer.attrib["type"] for layer in ElementTree.parse(graph).iter("layer"))
    convolutions = kinds["Convolution"] + kinds["GroupConvolution"]
    assert convolutions > 40
    assert kinds["Transpose"] < convolutions + 12
