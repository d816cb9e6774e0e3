"""The IR beside a bundle's networks: what it shares with them, how near it is, and what it spares."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from tintype.colorize import Colorizer
from tintype.models.bundle import BundleInfo, add_ir, bundle_digest, read_info
from tintype.models.ir import make
from tintype.models.ir.check import largest_difference
from tintype.models.ir.runtime import IrError
from tintype.models.ir.weights import arrays_in
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


def coloured(bundle: Path, photos: np.ndarray, folder: Path) -> tuple[np.ndarray, str]:
    """Chroma, and what the process said, where nobody has chosen a backend."""
    np.save(folder / "photos.npy", photos)
    command = [sys.executable, "-c", COLOUR, str(bundle), str(folder / "photos.npy"), str(folder / "ab.npy")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"})
    assert done.returncode == 0, done.stderr
    return np.load(folder / "ab.npy"), done.stdout.strip()


@pytest.fixture
def photos(cat: np.ndarray) -> np.ndarray:
    return np.stack([cat, cat[:, ::-1], cat[::-1]])


@pytest.fixture
def before(bundle: Path, tmp_path: Path) -> Path:
    """The bundle as it was written before there was an IR."""
    folder = tmp_path / "before"
    shutil.copytree(bundle, folder, ignore=shutil.ignore_patterns("*.xml", "*.bin"))
    info = json.loads((folder / "bundle.json").read_text())
    del info["ir"]
    info["files"] = {name: digest for name, digest in info["files"].items() if name.endswith(".keras")}
    (folder / "bundle.json").write_text(json.dumps(info))
    card = (folder / "README.md").read_text()
    (folder / "README.md").write_text("".join(line for line in card.splitlines(True) if "| IR |" not in line))
    return folder


@pytest.mark.parametrize("kind", ["bundle", "pyramid_bundle"])
def test_it_colours_as_keras_does_and_neither_keras_nor_tensorflow_is_there(
    kind: str, request: pytest.FixtureRequest, photos: np.ndarray, tmp_path: Path
) -> None:
    folder = request.getfixturevalue(kind)
    ab, said = coloured(folder, photos, tmp_path)
    assert said == "['openvino'] openvino True False"
    from tintype.colorize import Colorizer

    by_keras = Colorizer.load(folder)
    assert not by_keras.uses_ir  # as this process has TensorFlow
    expected = by_keras.chroma_of(list(photos))
    assert np.hypot(*np.moveaxis(expected, -1, 0)).mean() > 0.5  # there is something to agree on
    assert np.abs(ab - expected).max() < 0.1
    assert np.abs(ab - expected).mean() < 0.01
    assert read_info(folder).ir is not None


@pytest.mark.parametrize("kind", ["bundle", "pyramid_bundle"])
def test_company_makes_no_difference_to_a_photos_colours(
    kind: str, photos: np.ndarray, request: pytest.FixtureRequest
) -> None:
    colorizer = Colorizer.load(request.getfixturevalue(kind), "openvino")
    together = colorizer.chroma_of([*photos, *photos])
    for count in (1, 2, 3):  # whole batches, and one that is filled up
        np.testing.assert_array_equal(colorizer.chroma_of(photos[:count]), together[:count])
    assert not np.array_equal(together[0], together[1])


def test_weights_lie_in_the_keras_file_alone(bundle: Path, pyramid_bundle: Path) -> None:
    for keras_file in (bundle / "network.keras", bundle / "backbone.keras", pyramid_bundle / "network.keras"):
        assert keras_file.with_suffix(".bin").stat().st_size < 10_000
        content, found = keras_file.read_bytes(), arrays_in(keras_file)
        assert sum(array.nbytes for array in found.values()) > 0.5 * len(content)
        for begin, array in found.items():
            assert content[begin : begin + array.nbytes] == array.tobytes()


def test_the_digest_of_the_first_starter_is_still_what_it_was() -> None:
    """It is on every photo that it coloured."""
    now = read_info(starter_bundle()).description()
    first = BundleInfo.model_validate(
        now | {"ir": None, "files": {"network.keras": now["files"]["network.keras"]}}
    )
    assert bundle_digest(first) == "38fb86b822d969a56c71cca989dde588407dbf7d73e32325f22e6a17a3b35a69"


def test_an_ir_added_later_is_the_one_that_would_have_been_written(before: Path, bundle: Path) -> None:
    assert add_ir(before) == read_info(before) == read_info(bundle)
    for path in bundle.iterdir():
        assert (before / path.name).read_bytes() == path.read_bytes(), path.name
    assert "| IR | of OpenVINO" in (before / "README.md").read_text()


def test_an_ir_of_other_colours_is_refused(before: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make, "MOST_AB", 1e-6)
    files = {path.name: path.read_bytes() for path in before.iterdir()}
    with pytest.raises(IrError, match=r"at most 1e-06 Lab units from the Keras network's\. Received: 0\.0"):
        add_ir(before)
    assert {path.name: path.read_bytes() for path in before.iterdir()} == files


class Says:
    """A network that gives the same whatever it is asked."""

    def __init__(self, **outputs: float) -> None:
        self._outputs = outputs

    def predict_on_batch(self, given: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {name: np.full((3, 2, 2, 1), value, np.float32) for name, value in self._outputs.items()}


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


def test_layout_is_not_changed_around_each_convolution(pyramid_bundle: Path, bundle: Path) -> None:
    for graph in (pyramid_bundle / "network.xml", bundle / "backbone.xml"):
        kinds = Counter(layer.attrib["type"] for layer in ElementTree.parse(graph).iter("layer"))
        convolutions = kinds["Convolution"] + kinds["GroupConvolution"]
        assert convolutions > 40
        # Each kernel is turned once, when it is compiled; as Keras writes it, there are five times as many.
        assert kinds["Transpose"] < convolutions + 12
