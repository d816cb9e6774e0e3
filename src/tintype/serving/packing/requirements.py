"""What differs between the Bento for CPUs and the one for GPUs: its pinned requirements, as uv.lock has them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tintype.errors import TintypeError

_GETS_UV = Path(".ci/uv.py")


@dataclass(frozen=True)
class Variant:
    """A kind of machine to serve on.

    Attributes
    ----------
    name : str
        Part of the Bento's tag.
    extras : tuple of str
        Of pyproject.toml.
    backend : str
        Keras' backend.
    """

    name: str
    extras: tuple[str, ...]
    backend: str


CPU = Variant("cpu", ("serve",), "openvino")
GPU = Variant("gpu", ("serve", "gpu"), "tensorflow")
VARIANTS = {variant.name: variant for variant in (CPU, GPU)}


def locked_requirements(project: Path, extras: Sequence[str]) -> str:
    """What pip has to install for the project's own dependencies and those of some extras.

    Parameters
    ----------
    project : Path
        The folder with pyproject.toml and uv.lock.
    extras : sequence of str
        Of pyproject.toml.

    Returns
    -------
    str
        The content of a requirements.txt: one exact version a line, with markers; the project itself is not among them.

    Raises
    ------
    TintypeError
        If uv is missing, or uv.lock does not have an extra.
    """
    command = [
        *_uv(project),
        *("export", "--frozen", "--no-default-groups", "--no-emit-project"),
        *(argument for extra in extras for argument in ("--extra", extra)),
        *("--no-hashes", "--no-header", "--no-annotate", "--format", "requirements-txt"),
    ]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    if done.returncode:
        raise TintypeError(
            f"Expected uv to export {', '.join(extras)} of {project / 'uv.lock'}. Received: {done.stderr.strip()} "
            "Run `python3 .ci/uv.py lock` in the project."
        )
    return done.stdout


def _uv(project: Path) -> list[str]:
    """How to call uv: the one on PATH, else the one that the project gets for itself."""
    if uv := shutil.which("uv"):
        return [uv]
    if (project / _GETS_UV).is_file():
        return [sys.executable, str(project / _GETS_UV)]
    raise TintypeError(
        "Expected uv on PATH, which knows the exact packages to pack, but it is missing. Install it "
        "(https://docs.astral.sh/uv) and run the command again."
    )
