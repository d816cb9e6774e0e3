"""What every area's tests use: photos, parameters, small bundles; and which tests are fast.

Nothing heavy is imported here: these lines run before every test run, however small.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tintype.models.backbone import Backbone
    from tintype.params import NetworkParams, Params

ROOT = Path(__file__).parents[1]

# A process has one backend, whichever test comes first. Commands and services that tests start as processes of their
# own are not told, and choose as they do for people.
os.environ["KERAS_BACKEND"] = "tensorflow"

# Folders and files that start servers, browsers or whole pipelines, compute with a whole backbone, or try out thousands
# of things.
_SLOW_PLACES = {
    "browser", "cluster", "data/validation/test_near_pairs.py", "hostile", "loop", "models/backbone",
    "models/test_fusion.py", "parity", "pipeline", "registry", "stores",
}  # fmt: skip
# Fixtures that build a network with Keras or start a process, in any folder.
_SLOW_FIXTURES = {
    "adapt", "backbone_folder", "backbone_with_ir", "bundle", "chromium", "process", "project", "pyramid_bundle",
    "report_bundle", "report_pyramid_bundle", "server", "tiny_backbone",
}  # fmt: skip
# What a file imports or calls.
_SLOW_WORDS = re.compile(
    r"\b(?:import|from) (?:great_expectations|keras|mlflow|nbclient|subprocess|tensorflow)\b"
    r"|\btintype\.data\.validation\.(?:checkpoint|expectations|validate)\b|\bbatches\("
)
# Folders whose tests share servers that take seconds to start: one worker takes a whole folder.
_TOGETHER = {"browser", "hostile", "registry", "serving"}


class _NoTensorFlow:
    """Refuses, with `-m fast`, what would make a fast test slow for everybody."""

    def find_spec(self, name: str, *_: object) -> None:
        if name in ("keras", "tensorflow"):
            raise ImportError(
                f"Expected no fast test to load {name}. Name its folder, its fixture or what it imports in "
                "tests/conftest.py, so that it does not count as fast."
            )


def pytest_configure(config: pytest.Config) -> None:
    """Hold `-m fast` to its word."""
    if config.option.markexpr == "fast":
        sys.meta_path.insert(0, _NoTensorFlow())  # type: ignore[arg-type]


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `-m fast`, do not even import what is not: MLflow alone takes seconds."""
    costly = config.option.markexpr == "fast" and _is_slow(collection_path)
    return True if costly else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as `fast` what starts no process and loads no TensorFlow: by folder, by fixtures, by what a file imports.

    What takes long comes first, the whole pipeline before all, then whole folders: two workers that share the files
    would otherwise end with one of them waiting minutes for the other.
    """
    slow_files = set()
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if (
            _SLOW_FIXTURES.isdisjoint(fixtures)
            and not _is_slow(item.path)
            and not item.get_closest_marker("slow")
        ):
            item.add_marker("fast")
        else:
            slow_files.add(item.path)
    items.sort(
        key=lambda item: (
            item.path.parent.name != "pipeline",
            item.path.parent.name not in _TOGETHER,
            item.path not in slow_files,
        )
    )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With `--dist loadfile`, deal out the folders that stay together as if each were a file."""
    from xdist.scheduler import LoadFileScheduling

    class LoadFolders(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = Path(super()._split_scope(nodeid))
            return file.parent.name if file.parent.name in _TOGETHER else str(file)

    return LoadFolders(config, log) if config.option.dist == "loadfile" else None


@cache
def _is_slow(path: Path) -> bool:
    """Whether all tests in a file or folder are."""
    tests = ROOT / "tests"
    inside = {
        part.relative_to(tests).as_posix() for part in (path, *path.parents) if part.is_relative_to(tests)
    }
    if inside & _SLOW_PLACES:
        return True
    return path.suffix == ".py" and _SLOW_WORDS.search(path.read_text(encoding="utf-8")) is not None


def shared(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that one worker of pytest-xdist makes and all of them use; nobody may change it."""
    from filelock import FileLock

    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder = base / "shared" / name
    folder.parent.mkdir(exist_ok=True)
    with FileLock(folder.with_name(f"{name}.lock")):
        if not folder.is_dir():
            part = folder.with_name(f"{name}.part")
            shutil.rmtree(part, ignore_errors=True)  # of a worker that failed
            make(part)
            part.rename(folder)
    return folder


@pytest.fixture(scope="session")
def kaggle_server() -> ModuleType:
    """The module tests/support/kaggle_server.py: a server that speaks Kaggle's protocol and fails on demand."""
    if "kaggle_server" not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            "kaggle_server", ROOT / "tests/support/kaggle_server.py"
        )
        assert spec is not None
        assert spec.loader is not None
        sys.modules["kaggle_server"] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules["kaggle_server"]


@pytest.fixture(scope="session")
def sample() -> Path:
    """The folder of sample photos."""
    return ROOT / "data/sample"


@pytest.fixture(scope="session")
def cat(sample: Path) -> NDArray[np.uint8]:
    """A small colour photo, (300, 451, 3) uint8."""
    import numpy as np
    from PIL import Image

    return np.asarray(Image.open(sample / "cat.jpg").convert("RGB"))


@pytest.fixture(scope="session")
def coffee(sample: Path) -> np.ndarray:
    """A colour photo, (400, 600, 3) uint8."""
    from tintype.formats.photo import read_photo

    return read_photo(sample / "coffee.jpg").rgb8


@pytest.fixture(scope="session")
def saturate() -> Callable[[np.ndarray, float], np.ndarray]:
    """A photo with its chroma multiplied."""
    from tintype.imaging.lab import lab_to_rgb, rgb_to_lab

    def saturated(rgb8: np.ndarray, gain: float) -> np.ndarray:
        lab = rgb_to_lab(rgb8)
        lab[..., 1:] *= gain
        return lab_to_rgb(lab)

    return saturated


@pytest.fixture(scope="session")
def scene() -> np.ndarray:
    """A made-up photo, (120, 160, 3) uint8: a red disc and a green bar on blue-gray, each of its own lightness."""
    import numpy as np

    from tintype.imaging.lab import lab_to_rgb

    lab = np.full((120, 160, 3), (70, -3, -12), np.float32)
    rows, columns = np.mgrid[:120, :160]
    lab[(rows - 60) ** 2 + (columns - 50) ** 2 < 30**2] = (45, 45, 25)
    lab[20:100, 110:140] = (55, -35, 30)
    return lab_to_rgb(lab)


@pytest.fixture(scope="session")
def defects(
    saturate: Callable[[np.ndarray, float], np.ndarray],
) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
    """A photo with planted defects, by name; the lightness stays."""
    import cv2
    import numpy as np

    from tintype.evaluation.baselines import all_gray
    from tintype.imaging.lab import lab_to_rgb, rgb_to_lab
    from tintype.measures.gradients import smoothed

    def planted(rgb8: np.ndarray) -> dict[str, np.ndarray]:
        lab = rgb_to_lab(rgb8)
        ab = lab[..., 1:]
        step = round(0.03 * np.hypot(*ab.shape[:2]))
        blotches = np.random.default_rng(5).normal(0, 15, (6, 8, 2)).astype(np.float32)
        return {
            "truth": rgb8,
            "pale": saturate(rgb8, 0.6),
            "paler": saturate(rgb8, 0.3),
            "garish": saturate(rgb8, 1.6),
            "patches": with_chroma(
                lab, ab + cv2.resize(blotches, ab.shape[1::-1], interpolation=cv2.INTER_CUBIC)
            ),
            "blurred": with_chroma(lab, smoothed(np.ascontiguousarray(ab), 3)),
            "shifted": with_chroma(lab, np.roll(ab, (step, step), (0, 1))),
            "gray": all_gray(rgb8),
        }

    def with_chroma(lab: np.ndarray, ab: np.ndarray) -> np.ndarray:
        return lab_to_rgb(np.concatenate([lab[..., :1], ab], axis=-1))

    return planted


@pytest.fixture(scope="session", params=["scene", "coffee", "cat", "dahlia", "astronaut", "bridge"])
def known(request: pytest.FixtureRequest, scene: np.ndarray, sample: Path) -> np.ndarray:
    """Photos in which planted defects have to be found, the made-up one first."""
    from tintype.formats.photo import read_photo
    from tintype.measures.metrics import reduced

    if request.param == "scene":
        return scene
    return reduced(read_photo(sample / f"{request.param}.jpg").rgb8, 256)


@pytest.fixture(scope="session")
def odd_photos(tmp_path_factory: pytest.TempPathFactory, cat: NDArray[np.uint8]) -> Path:
    """A folder of photos that trip up careless code: odd sizes, modes, orientation, opacity."""
    import numpy as np
    from PIL import Image

    folder = tmp_path_factory.mktemp("odd")
    picture = Image.fromarray(cat)
    save: dict[str, Callable[[Path], None]] = {
        "one_pixel_high.png": picture.crop((0, 100, 451, 101)).save,
        "one_pixel_wide.png": picture.crop((200, 0, 201, 300)).save,
        "one_pixel.png": picture.crop((200, 100, 201, 101)).save,
        "prime.jpg": picture.crop((0, 0, 251, 127)).save,
        "gray.jpg": picture.convert("L").save,
        "gray16.png": Image.fromarray(np.asarray(picture.convert("L"), np.uint16) * 257).save,
        "bilevel.png": picture.convert("1").save,
        "palette.png": picture.quantize(64).save,
        "cmyk.jpg": picture.convert("CMYK").save,
        "gif.gif": picture.save,
        "lzw.tiff": lambda path: picture.save(path, compression="tiff_lzw"),
    }
    for name, write in save.items():
        write(folder / name)
    alpha = picture.copy()
    alpha.putalpha(Image.linear_gradient("L").resize(alpha.size))
    alpha.save(folder / "alpha.png")
    alpha.convert("LA").save(folder / "gray_alpha.png")
    rotated = Image.Exif()
    rotated[0x0112] = 6  # upright after a quarter turn clockwise
    picture.transpose(Image.Transpose.ROTATE_90).save(
        folder / "rotated.jpg", exif=rotated, quality=100, subsampling=0
    )
    return folder


@pytest.fixture(scope="session")
def params() -> Params:
    """The parameters in git."""
    from tintype.params import load_params

    return load_params(ROOT / "params.yaml")


@pytest.fixture(scope="session")
def backbone_folder(tmp_path_factory: pytest.TempPathFactory, params: Params) -> Path:
    """The embedded backbone, as the stage `weights` makes it."""
    from tintype.models.backbone.weights import make_backbone

    return shared(tmp_path_factory, "backbone", lambda folder: make_backbone(params.weights, folder))


@pytest.fixture(scope="session")
def embedded_backbone(backbone_folder: Path) -> Backbone:
    """The embedded backbone on Keras, loaded once; nobody may change it."""
    from tintype.models.backbone import Backbone

    return Backbone.load(backbone_folder)


@pytest.fixture(scope="session")
def backbone_with_ir(tmp_path_factory: pytest.TempPathFactory, backbone_folder: Path) -> Path:
    """The embedded backbone with its IR for OpenVINO."""
    from tintype.models.backbone.weights import write_backbone_ir

    def make(folder: Path) -> None:
        shutil.copytree(backbone_folder, folder)
        write_backbone_ir(folder)

    return shared(tmp_path_factory, "backbone-with-ir", make)


@pytest.fixture(scope="session")
def network_params() -> Callable[..., NetworkParams]:
    """Parameters of a network: the report's, narrow, but for what is said otherwise."""
    return _network_params


def _network_params(**changed: Any) -> NetworkParams:
    from tintype.params.blocks import FusionParams, PyramidParams

    if changed.get("name") == "pyramid":
        pyramid = PyramidParams(
            name="pyramid",
            width=0.1,
            head="classes",
            view=64,
            skips=True,
            embedding=False,
            attention=0,
            frozen=True,
            dropout=0.0,
            half=True,
        )
        return pyramid.model_copy(update=changed)
    fusion = FusionParams(name="fusion", width=0.1, head="tanh", skips=False, half=False)
    return fusion.model_copy(update=changed)


@pytest.fixture(scope="session")
def tiny_backbone(tmp_path_factory: pytest.TempPathFactory, params: Params) -> Path:
    """A backbone of five layers, as the stage `weights` makes one of a person's own."""
    from experiments.memory.tiny import main as write_tiny

    from tintype.models.backbone.weights import make_backbone

    def make(folder: Path) -> None:
        file = folder.with_name("tiny.keras")
        write_tiny(file)
        make_backbone(params.weights.model_copy(update={"backbone": str(file), "origin": "file"}), folder)

    return shared(tmp_path_factory, "tiny-backbone", make)


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory, tiny_backbone: Path) -> Path:
    """A whole bundle with small networks that have learnt nothing; the backbone lies beside the network."""
    return shared(
        tmp_path_factory, "bundle", lambda folder: _bundle(folder, tiny_backbone, _network_params())
    )


@pytest.fixture(scope="session")
def pyramid_bundle(tmp_path_factory: pytest.TempPathFactory, tiny_backbone: Path) -> Path:
    """As `bundle`, with the backbone inside a network of classes, which says how sure it is."""
    pyramid = _network_params(name="pyramid")
    return shared(tmp_path_factory, "pyramid", lambda folder: _bundle(folder, tiny_backbone, pyramid))


@pytest.fixture(scope="session")
def report_bundle(tmp_path_factory: pytest.TempPathFactory, backbone_folder: Path) -> Path:
    """As `bundle`, with the report's backbone, which takes seconds to load: for what is about networks as large."""
    return shared(
        tmp_path_factory, "report-bundle", lambda folder: _bundle(folder, backbone_folder, _network_params())
    )


@pytest.fixture(scope="session")
def report_pyramid_bundle(tmp_path_factory: pytest.TempPathFactory, backbone_folder: Path) -> Path:
    """As `pyramid_bundle`, with the report's backbone."""
    pyramid = _network_params(name="pyramid")
    return shared(
        tmp_path_factory, "report-pyramid", lambda folder: _bundle(folder, backbone_folder, pyramid)
    )


def _bundle(folder: Path, backbone: Path, network: NetworkParams) -> None:
    from tintype.models.backbone.spec import read_spec
    from tintype.models.bundle import BundleInfo, DataInfo, Decoding, NetworkInfo, TrainedInfo, save_bundle
    from tintype.models.decoding import decoded
    from tintype.models.keras_backend import make_deterministic, prepare_keras
    from tintype.models.keras_file import load_network
    from tintype.models.network import AB_LIMIT, build_network, needs_embedding

    prepare_keras()
    make_deterministic(1)
    spec, backbone_file = read_spec(backbone), backbone / "backbone.keras"
    decoding = Decoding()
    if network.head == "classes":
        decoding = Decoding(gain=2.0, temperature=0.4, smoothing=2.0, confidence=((5.0, 0.9), (30.0, 0.2)))
    built = build_network(network, 48, spec.embedding_size, lambda: (load_network(backbone_file), spec))
    needs = network.needs
    info = BundleInfo(
        size=48,
        ab_limit=AB_LIMIT,
        network=NetworkInfo(name=network.name, width=network.width, needs=needs),
        backbone=spec,
        decoding=decoding,
        preset="test",
        trained=TrainedInfo(
            photos=0,
            crops=0,
            epochs=0,
            best_epoch=0,
            loss="classes" if network.head == "classes" else "mse",
            train_loss=1,
            val_loss=1,
            optimizer="adam",
            seed=1,
        ),
        data=DataInfo(manifest_sha256="0" * 64, mean_ab=(2.0, 5.0)),
    )
    save_bundle(
        folder,
        decoded(built, decoding.temperature),
        backbone_file if needs_embedding(needs) else None,
        info,
        half=network.half,
    )
