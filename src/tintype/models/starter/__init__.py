"""The starter: a trained bundle that comes with the package, for colours before anything was trained here.

The folder holds the bundle, `origin.json` with the code and pipeline state that it was trained with, and `metrics.json`
with its evaluation. `make starter` makes all of them. A Bento and an MLflow model leave them out: they carry the
bundle that they serve.
"""

from __future__ import annotations

import json
from pathlib import Path

from tintype.errors import TintypeError

VERSION = "starter"  # stands where a registered version has its number
FOLDER = Path(__file__).parent
BUNDLE = "bundle"
ORIGIN_FILE = "origin.json"
METRICS_FILE = "metrics.json"
RELIABILITY_FILE = "reliability.png"
_KEPT = ("git_commit", "dvc_lock_sha256")


class StarterError(TintypeError):
    """There is no starter in this installation."""


def starter_bundle(folder: Path | None = None) -> Path:
    """The folder of the starter's bundle.

    Parameters
    ----------
    folder : Path, optional
        What to look in; the package's own if not given.

    Raises
    ------
    StarterError
        If it is not there.
    """
    bundle = (folder or FOLDER) / BUNDLE
    if not bundle.is_dir():
        raise StarterError(
            f"Expected the starter model in {bundle}, but this installation comes without it. "
            "Train one (`make demo`) or name a bundle's folder with --model."
        )
    return bundle


def starter_origin(folder: Path | None = None) -> dict[str, str]:
    """`git_commit` and `dvc_lock_sha256` of the starter's training, as far as they are known."""
    try:
        origin = json.loads(((folder or FOLDER) / ORIGIN_FILE).read_bytes())
    except (OSError, ValueError):
        return {}  # a fact less, not an error: the bundle's digest still names it
    return {
        name: origin[name] for name in _KEPT if isinstance(origin, dict) and isinstance(origin.get(name), str)
    }
