"""dvc.yaml's deps cover the code that each stage runs, so that a change of it reruns the stage."""

import re
from pathlib import PurePosixPath

import grimp
import pytest
from ruamel.yaml import YAML

# Every stage imports these, and a change of them is one of all stages' code: it would rerun all of them for a
# new sentence in an error message. What they do with values is in the parameters and the results.
EVERYWHERE = {
    "tintype",
    "tintype.errors",
    "tintype.params",
    "tintype.params.blocks",
    "tintype.params.load",
    "tintype.stages",
    "tintype.stages.entrypoint",
}


@pytest.fixture(scope="session")
def graph():
    return grimp.build_graph("tintype", exclude_type_checking_imports=True, cache_dir=None)


def stages():
    from pathlib import Path

    pipeline = YAML(typ="safe").load((Path(__file__).parents[2] / "dvc.yaml").read_text())
    return pipeline["stages"].items()


def file_of(module, root):
    """The source of a module, relative to the project."""
    path = PurePosixPath("src", *module.split("."))
    return path / "__init__.py" if (root / path).is_dir() else path.with_suffix(".py")


@pytest.mark.parametrize(("name", "stage"), [pytest.param(*item, id=item[0]) for item in stages()])
def test_deps_cover_the_import_closure(name, stage, graph, root):
    [module] = re.findall(r"-m (tintype\.stages\.\w+)", stage["cmd"])
    assert module == f"tintype.stages.{name}"
    deps = [PurePosixPath(dep) for dep in stage["deps"]]
    imported = {module, *graph.find_upstream_modules(module)} - EVERYWHERE
    files = {file_of(found, root) for found in imported}
    missing = {str(file) for file in files if not any(file.is_relative_to(dep) for dep in deps)}
    assert missing == set()


@pytest.mark.parametrize(("name", "stage"), [pytest.param(*item, id=item[0]) for item in stages()])
def test_code_deps_exist_and_are_used(name, stage, graph, root):
    code = [dep for dep in stage["deps"] if dep.startswith("src/")]
    module = f"tintype.stages.{name}"
    files = {file_of(found, root) for found in {module, *graph.find_upstream_modules(module)}}
    for dep in code:
        assert (root / dep).exists()
        if dep == "src/tintype/models/embedded":
            continue  # weights, not code
        assert any(file.is_relative_to(dep) for file in files), f"{name} imports nothing of {dep}"
