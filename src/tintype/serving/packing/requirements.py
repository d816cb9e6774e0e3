"""The pinned requirements of a variant, as uv.lock has them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tintype.errors import TintypeError

_GETS_UV = Path(".ci/uv.py")


def locked_requirements(project: Path, group: str) -> str:
    """What pip has to install for a dependency group and the project's own dependencies.

    Parameters
    ----------
    project : Path
        The folder with pyproject.toml and uv.lock.
    group : str
        Dependency group.

    Returns
    -------
    str
        The content of a requirements.txt: one exact version a line, with markers; the project itself is not among them.

    Raises
    ------
    TintypeError
        If uv is missing, or uv.lock does not have the group.
    """
    command = [
        *_uv(project),
        *("export", "--frozen", "--no-default-groups", "--group", group, "--no-emit-project"),
        *("--no-hashes", "--no-header", "--no-annotate", "--format", "requirements-txt"),
    ]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    if done.returncode:
        raise TintypeError(
            f"Expected uv to export the group {group} of {project / 'uv.lock'}. Received: {done.stderr.strip()} "
            "Run `uv lock` in the project."
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
