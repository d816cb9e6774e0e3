"""The package as others get it: a wheel in an environment where nothing else is."""

import os
import subprocess
import sys
import zipfile
from email import message_from_bytes

import pytest

KEPT = ("HOME", "LANG", "PATH", "TMPDIR")  # no PYTHONPATH, nothing of this project


def run(*command, cwd, **environment):
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=environment or None, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def uv(root):
    return lambda *arguments: run(sys.executable, root / ".ci/uv.py", *arguments, cwd=root)


@pytest.fixture(scope="module")
def wheel(uv, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    uv("build", "--quiet", "--wheel", "--out-dir", folder)
    return next(folder.glob("tintype-*.whl"))


def test_extras_are_what_pip_understands(wheel):
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = message_from_bytes(archive.read(name))
    assert set(metadata.get_all("Provides-Extra")) == {
        "cluster",
        "gpu",
        "heif",
        "pipeline",
        "serve",
        "stores",
    }


def test_a_wheel_in_an_empty_environment_colours_a_photo(uv, wheel, root, tmp_path):
    pins, python = tmp_path / "pins.txt", tmp_path / "venv/bin/python"
    pins.write_text(
        uv("export", "--quiet", "--frozen", "--no-default-groups", "--no-emit-project", "--no-hashes")
    )
    uv("venv", "--quiet", "--python", sys.executable, tmp_path / "venv")
    uv("pip", "install", "--quiet", "--python", python, "--constraint", pins, wheel)
    colours_and_traces(tmp_path, root)
    names = ("keras", "tensorflow", "scipy", "mlflow")
    code = f"from importlib.util import find_spec; print([name for name in {names} if find_spec(name)])"
    assert run(python, "-c", code, cwd=tmp_path).strip() == "[]"


@pytest.mark.slow
def test_plain_pip_install_of_a_wheel_colours_a_photo(wheel, root, tmp_path):
    run(sys.executable, "-m", "venv", tmp_path / "venv", cwd=tmp_path)
    run(tmp_path / "venv/bin/pip", "install", "--quiet", wheel, cwd=tmp_path)
    colours_and_traces(tmp_path, root)


def colours_and_traces(folder, root):
    command = folder / "venv/bin/tintype"
    environment = {name: value for name, value in os.environ.items() if name in KEPT}
    photo = root / "data/legacy/black-canyon.jpg"
    run(command, "colorize", photo, "-o", "coloured.jpg", cwd=folder, **environment)
    told = run(command, "trace", "coloured.jpg", "--original", photo, cwd=folder, **environment)
    assert "are AI-made" in told
    assert "version starter" in told
    assert told.rstrip().endswith("is the original.")
    refused = subprocess.run(
        [command, "serve"], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert refused.returncode == 1
    assert 'needs the package bentoml: run `pip install "tintype[serve]"`' in refused.stderr
