"""What an import costs. Each stage imports what it needs and no more: TensorFlow alone costs 5 to 15 s a process."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import grimp
import pytest

HEAVY = {"bentoml", "great_expectations", "keras", "mlflow", "openvino", "ray", "tensorflow"}
FRAMEWORKS = {"bentoml", "great_expectations", "keras", "mlflow", "pandas", "tensorflow"}
# What a stage may come to import, by whatever way through our modules. Keras brings its backend along.
MAY_IMPORT = {
    "params": set(),
    "fetch": set(),
    "weights": {"keras", "openvino", "tensorflow"},
    "validate": {"great_expectations"},
    "lab": {"ray"},
    "embed": {"keras", "openvino", "ray", "tensorflow"},
    "check": {"great_expectations"},
    "train": {"keras", "mlflow", "openvino", "ray", "tensorflow"},
    "evaluate": {"keras", "openvino", "tensorflow"},
    "register": {"keras", "mlflow", "openvino", "tensorflow"},
}


@pytest.fixture(scope="module")
def graph():
    return grimp.build_graph(
        "tintype", include_external_packages=True, exclude_type_checking_imports=True, cache_dir=None
    )


@pytest.mark.parametrize("stage", MAY_IMPORT)
def test_no_way_through_our_modules_leads_to_more(stage, graph):
    found = {name.split(".")[0] for name in graph.find_upstream_modules(f"tintype.stages.{stage}")}
    assert found & HEAVY <= MAY_IMPORT[stage]


def test_every_stage_is_held_to_it(root):
    files = {path.stem for path in (root / "src/tintype/stages").glob("[a-z]*.py")}
    assert files == {*MAY_IMPORT, "causes", "embedding", "entrypoint", "stopping"}


@pytest.fixture(scope="module")
def work(tmp_path_factory, root, sample):
    """A folder with two photos and a manifest of them, where stages can run."""
    import pandas as pd

    from tintype.data.validation.manifest import COLUMNS, write_manifest
    from tintype.files.digest import sha256_of

    folder = tmp_path_factory.mktemp("work")
    photos = folder / "data/raw/photos"
    photos.mkdir(parents=True)
    shutil.copy(root / "params.yaml", folder)
    rows = []
    for name in ("cat.jpg", "fig.jpg"):
        shutil.copy(sample / name, photos)
        rows.append(
            {"path": name, "content_hash": sha256_of(photos / name), "bucket": "0", "split": "validation"}
        )
    manifest = pd.DataFrame(rows)
    for column, dtype in COLUMNS.items():
        if column not in manifest:
            manifest[column] = pd.Series(["" if dtype == "str" else 0] * len(manifest), dtype=dtype)
    write_manifest(folder / "data/manifest", manifest[list(COLUMNS)], manifest[:0])
    return folder


RUN = f"""
import json, runpy, sys
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__")
print(json.dumps(sorted({HEAVY} & set(sys.modules))))
"""


def heavy_in(work, stage, *arguments):
    """The heavy packages that a stage has imported when it ends, and what it said."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, f"tintype.stages.{stage}", *arguments],
        cwd=work,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    *output, modules = done.stdout.splitlines()
    return json.loads(modules), output


def test_lab_runs_without_any_of_them(work):
    assert heavy_in(work, "lab", "data/raw", "data/manifest", "data/lab") == (
        [],
        ["lab: 2 photos computed, 0 kept from earlier runs."],
    )


def test_embed_runs_on_openvino_alone(work, backbone_with_ir):
    (work / "models").mkdir()
    (work / "models/backbone").symlink_to(backbone_with_ir)
    modules, output = heavy_in(
        work, "embed", "data/raw", "data/manifest", "models/backbone", "data/embeddings"
    )
    assert modules == ["openvino"]
    assert output[0].startswith("embed: 2 photos computed, 0 kept from earlier runs, on OpenVINO in ")


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
    code = f"import sys, {module}; print(*{FRAMEWORKS} & set(sys.modules))"
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
