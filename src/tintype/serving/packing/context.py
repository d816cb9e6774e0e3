"""The folder that a Bento is built from: nothing but what goes into it.

A copy, so that building writes nothing into the project, imports nothing that is not packed, and gives the same Bento
no matter what else lies in the project's folder.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable
from modulefinder import ModuleFinder
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tintype.errors import TintypeError
from tintype.serving.packing.requirements import Variant

BENTOFILE = "bentofile.yaml"
_TEMPLATE = Path(__file__).with_name("Dockerfile.template")
_SOURCE = Path("src")


def fill_context(
    context: Path, project: Path, variant: Variant, requirements: str, readme: str, labels: dict[str, str]
) -> str:
    """Fill a folder with what `bentoml build` takes.

    Parameters
    ----------
    context : Path
        An empty folder.
    project : Path
        With bentofile.yaml and the source.
    variant : Variant
        What to build for.
    requirements, readme : str
        Content of these files.
    labels : dict of str to str
        Added to those in bentofile.yaml.

    Returns
    -------
    str
        SHA-256 of it all: the same whenever the same is built.

    Raises
    ------
    TintypeError
        If the project has no bentofile.yaml.
    """
    path = project / BENTOFILE
    if not path.is_file():
        raise TintypeError(
            f"Expected {BENTOFILE} in {project}, but there is none. Run the command in Tintype's project folder."
        )
    options = YAML(typ="safe").load(path)
    for relative in [*service_modules(project, options["service"]), *data_files(project, options["include"])]:
        (context / relative).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(project / relative, context / relative)
    shutil.copyfile(_TEMPLATE, context / options["docker"]["dockerfile_template"])
    (context / options["python"]["requirements_txt"]).write_text(requirements, encoding="utf-8")
    (context / "README.md").write_text(readme, encoding="utf-8")
    with (context / BENTOFILE).open("w", encoding="utf-8") as stream:
        YAML().dump(_with_variant(options, variant, labels), stream)
    return _digest(context)


def service_modules(project: Path, service: str) -> list[Path]:
    """The modules of the project that a service imports, now or while it runs, and nothing else.

    They are found in the source, without running any of it.

    Parameters
    ----------
    project : Path
        The folder.
    service : str
        Of bentofile.yaml, such as ``"tintype.serving.service:Tintype"``.

    Returns
    -------
    list of Path
        Relative to `project`, sorted.
    """
    finder = ModuleFinder(path=[str(project / _SOURCE)])  # the project's own modules, and no package's
    finder.import_hook(service.partition(":")[0])
    files = (getattr(module, "__file__", None) for module in finder.modules.values())
    return sorted(Path(file).relative_to(project) for file in files if file)


def data_files(project: Path, include: Iterable[str]) -> list[Path]:
    """The files that a service needs beside its modules.

    Parameters
    ----------
    project : Path
        The folder.
    include : iterable of str
        Of bentofile.yaml: files, and folders with all below them.

    Returns
    -------
    list of Path
        Relative to `project`, sorted; without hidden ones.
    """
    found = []
    for name in include:
        path = project / name
        files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
        found += [file.relative_to(project) for file in files]
    return sorted(file for file in found if not any(part.startswith(".") for part in file.parts))


def _with_variant(options: dict[str, Any], variant: Variant, labels: dict[str, str]) -> dict[str, Any]:
    backend = [{"name": "KERAS_BACKEND", "value": variant.backend}]
    return {
        **options,
        "include": [f"{_SOURCE}/"],  # the context holds nothing that is not packed
        "labels": {**options.get("labels", {}), **labels, "variant": variant.name},
        "envs": [*options.get("envs", []), *backend],
    }


def _digest(context: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in context.rglob("*") if path.is_file()):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{content}  {path.relative_to(context).as_posix()}\n".encode())
    return digest.hexdigest()
