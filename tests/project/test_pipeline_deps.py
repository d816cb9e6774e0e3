"""dvc.yaml's deps are the code that each stage's outputs depend on: a change of it reruns the stage, no other does."""

import re
import shutil
import subprocess
from contextlib import chdir
from pathlib import Path, PurePosixPath

import grimp
import pytest
from dvc.repo import Repo
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
# Modules that stages import and their outputs do not depend on. To name them in dvc.yaml would train for hours because
# of a new sentence in an error message, or of another pause before a retry.
WITHOUT_INFLUENCE = {
    # What parameters do to values is in the parameters and the results.
    *("tintype", "tintype.errors", "tintype.params.blocks", "tintype.params.load", "tintype.params"),
    *("tintype.stages", "tintype.stages.causes", "tintype.stages.entrypoint", "tintype.stages.stopping"),
    # How bytes reach a disk or a store, not which.
    *(
        "tintype.files",
        "tintype.files.atomic",
        "tintype.files.digest",
        "tintype.files.disk",
        "tintype.files.lock",
    ),
    *("tintype.files.objects", "tintype.registry.store"),
    # Where the work is done. The bytes are the same on a cluster: tests/cluster shows it.
    *("tintype.cluster", "tintype.cluster.buckets", "tintype.cluster.connect"),
}
# A registry is told of a training, which goes on without it.
ONLY_TOLD = {"train": "tintype.registry"}


@pytest.fixture(scope="session")
def graph():
    return grimp.build_graph("tintype", exclude_type_checking_imports=True, cache_dir=None)


def pipeline():
    return YAML(typ="safe").load((ROOT / "dvc.yaml").read_text())["stages"]


def stages():
    return [pytest.param(*item, id=item[0]) for item in pipeline().items()]


def file_of(module):
    """The source of a module, relative to the project."""
    path = PurePosixPath("src", *module.split("."))
    return path / "__init__.py" if (ROOT / path).is_dir() else path.with_suffix(".py")


def influence(module, stage):
    told = ONLY_TOLD.get(stage)
    return module not in WITHOUT_INFLUENCE and not (
        told and (module == told or module.startswith(f"{told}."))
    )


@pytest.mark.parametrize(("name", "stage"), stages())
def test_deps_cover_the_import_closure(name, stage, graph):
    [module] = re.findall(r"-m (tintype\.stages\.\w+)", stage["cmd"])
    assert module == f"tintype.stages.{name}"
    deps = [PurePosixPath(dep) for dep in stage["deps"]]
    imported = {found for found in (module, *graph.find_upstream_modules(module)) if influence(found, name)}
    files = {file_of(found) for found in imported}
    # A package's file that only says what the package is imports nothing and does nothing.
    files = {file for file in files if file.name != "__init__.py" or _does_something(ROOT / file)}
    missing = {str(file) for file in files if not any(file.is_relative_to(dep) for dep in deps)}
    assert missing == set()


def _does_something(file):
    import ast

    return any(not isinstance(node, ast.Expr) for node in ast.parse(file.read_text()).body)


@pytest.mark.parametrize(("name", "stage"), stages())
def test_code_deps_exist_and_are_used(name, stage, graph):
    code = [dep for dep in stage["deps"] if dep.startswith("src/")]
    module = f"tintype.stages.{name}"
    files = {file_of(found) for found in {module, *graph.find_upstream_modules(module)}}
    for dep in code:
        assert (ROOT / dep).exists()
        if dep == "src/tintype/models/embedded":
            continue  # weights, not code
        dep = dep.replace(".html.j2", ".py")  # a template is of the module beside it
        assert any(file.is_relative_to(dep) for file in files), f"{name} imports nothing of {dep}"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """The project, with a lock that knows its code and stand-ins for what the stages make."""
    root = tmp_path_factory.mktemp("project")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        if name.startswith(("src/", "data/", "params.yaml", "dvc.yaml", ".dvc")) and (ROOT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, root / name)
    for stage in pipeline().values():
        for out in [*stage.get("outs", []), *stage.get("metrics", []), *stage.get("plots", [])]:
            path = root / (out if isinstance(out, str) else next(iter(out)))
            file = path if path.suffix else path / "file"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"what makes {path.name}")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    with chdir(root), Repo() as repo:
        repo.commit(force=True)
    assert changed_in(root) == set()
    return root


def changed_in(project):
    """The stages that DVC would run."""
    with chdir(project), Repo() as repo:
        return set(repo.status())


def changed_by(project, *files):
    """The stages that DVC would run after a change of some files, which is taken back."""
    before = {file: (project / file).read_text() for file in files}
    for file, content in before.items():
        (project / file).write_text(f"{content}# changed\n")
    changed = changed_in(project)
    for file, content in before.items():
        (project / file).write_text(content)
    return changed


def test_a_writer_of_files_a_reader_of_captions_or_a_retry_makes_no_stage_run_again(project):
    files = [
        *(path.relative_to(project).as_posix() for path in (project / "src/tintype/formats").rglob("*.py")),
        *("src/tintype/registry/store.py", "src/tintype/files/atomic.py", "src/tintype/cluster/buckets.py"),
        *("src/tintype/cli/__init__.py", "src/tintype/errors.py"),
    ]
    for name in ("encode", "tiff", "exif", "xmp", "iptc", "metadata"):
        assert f"src/tintype/formats/{name}.py" in files
    assert changed_by(project, *files) == set()


@pytest.mark.parametrize(
    ("file", "stages"),
    [
        ("imaging/reading/decode.py", {"validate", "lab", "embed", "evaluate", "register"}),
        ("imaging/guided.py", {"evaluate", "register"}),
        ("training/fit.py", {"train"}),
        ("evaluation/gate.py", {"register"}),
        ("data/validation/duplicates.py", {"validate"}),
        ("files/archive.py", {"fetch"}),
    ],
)
def test_code_that_decides_what_a_stage_makes_makes_it_run_again(file, stages, project):
    assert changed_by(project, f"src/tintype/{file}") == stages
