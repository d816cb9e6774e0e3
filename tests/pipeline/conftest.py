"""A project of its own: the files that git tracks, with parameters and a backbone for minutes instead of hours."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
PHOTOS = ("cat", "coffee", "fig", "sunset", "temple", "wine", "bridge", "hillside", "dahlia", "waterfall")


class Project:
    """A copy of the project, with its commands."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("KERAS", "MLFLOW", "TINTYPE"))
        }
        self.environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{self.environment['PATH']}"

    def run(self, *command: str, status: int = 0, limit: float = 280) -> str:
        """Run a command in the project, for `limit` seconds at most; its output, once its exit status is checked."""
        done = subprocess.run(
            command, cwd=self.root, env=self.environment, capture_output=True, text=True, timeout=limit
        )
        output = done.stdout + done.stderr
        assert done.returncode == status, output
        return output

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """Start a command as the leader of a process group of its own."""
        return subprocess.Popen(
            command,
            cwd=self.root,
            env=self.environment | {"PYTHONPATH": "src"},
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def change(self, **blocks: object) -> None:
        """Change parameters: `change(train={"epochs": 2})`."""
        yaml = YAML()
        path = self.root / "params.yaml"
        params = yaml.load(path)
        for block, values in blocks.items():
            if isinstance(values, dict):
                params[block].update(values)
            else:
                params[block] = values
        yaml.dump(params, path)

    def add_photos(self, *names: str) -> None:
        """Put small copies of sample photos into the folder that `fetch` reads."""
        for name in names:
            picture = Image.open(ROOT / f"data/sample/{name}.jpg")
            picture.thumbnail((160, 160))
            picture.save(self.root / f"photos/{name}.png")


def write_backbone(file: Path) -> None:
    """A backbone of one's own with maps at all scales, for `weights.backbone`.

    With the embedded one inside, most of the time would go into tracing and exporting its layers; it is tested in
    tests/models, and in the bundles of tests/conftest.py.
    """
    from tintype.models.keras_backend import make_deterministic, prepare_keras

    prepare_keras()
    make_deterministic(1)
    import keras
    from keras import layers

    rgb = keras.Input((64, 64, 3))
    maps = rgb
    for channels in (8, 8, 16, 16, 32):
        maps = layers.Conv2D(channels, 3, strides=2, padding="same", activation="relu")(maps)
    keras.Model(rgb, layers.Dense(32)(layers.Flatten()(maps))).save(file)
    file.with_suffix(".json").write_text(json.dumps({"input_size": 64, "offset": 127.0, "scale": 128.0}))


def make_project(root: Path) -> Project:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in listed.stdout.split("\0"):
        if name and (ROOT / name).is_file() and not name.startswith(("tests/", "data/", "docs/", "reports/")):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, root / name)
    (root / "dvc.lock").unlink(missing_ok=True)
    (root / "photos").mkdir()
    (root / "own").mkdir()
    shutil.copy(ROOT / "data/legacy/black-canyon.jpg", root / "own")
    project = Project(root)
    project.add_photos(*PHOTOS)
    write_backbone(root / "small.keras")
    project.change(
        preset="test",
        fetch={"source": "directory", "directory": "photos"},
        weights={"backbone": "small.keras", "origin": "file"},
        # Shares so large that no split has to borrow a photo, which would move when photos are added.
        validate={"validation_share": 0.25, "test_share": 0.25},
        crops={"per_photo": 2},
        lab={"size": 32},
        embed={"batch_size": 4},
        network={"width": 0.05, "view": 64},
        train={"epochs": 2, "batch_size": 4, "grid_every": 1, "start": None},
        evaluate={"custom_photos": "own"},
    )
    for command in (
        ("git", "init", "-q"),
        ("git", "add", "."),
        ("git", "-c", "user.name=Test", "-c", "user.email=test@example.org", "commit", "-qm", "A project"),
    ):
        project.run(*command)
    return project


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project after `dvc repro`."""
    project = make_project(tmp_path_factory.mktemp("project"))
    project.log = project.run("dvc", "repro", limit=560)  # type: ignore[attr-defined]
    return project


@pytest.fixture
def fresh_project(project: Project, tmp_path: Path) -> Project:
    """The project's code and parameters, and what `lab` and `embed` read; nothing that they make."""
    shutil.copy(project.root / "params.yaml", tmp_path)
    for name in ("src", "data/raw", "data/manifest", "models/backbone"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).symlink_to(project.root / name)
    return Project(tmp_path)
