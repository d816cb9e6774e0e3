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


def starter_story(bundle_sha256: str) -> str:
    """What a person can know of the starter's training, as its photos are no part of the project.

    Parameters
    ----------
    bundle_sha256 : str
        The digest of a bundle.

    Returns
    -------
    str
        Sentences; empty if that is another bundle, or this installation comes without the whole starter.
    """
    from tintype.models.bundle import bundle_digest, read_info

    bundle = FOLDER / BUNDLE
    try:
        info = read_info(starter_bundle())
        metrics = json.loads((FOLDER / METRICS_FILE).read_bytes())
        data = json.loads((FOLDER / ORIGIN_FILE).read_bytes())["data"]
    except (OSError, ValueError, KeyError, TintypeError):
        return ""  # a fact less, not an error, as in `starter_origin`
    if bundle_digest(info) != bundle_sha256:
        return ""
    ours, gray = metrics["ours"], metrics["all_gray"]
    return (
        f"This is the starter, which comes along with Tintype. It has learned from {info.trained.photos:,} photos of "
        f"{data}, which are no part of it, by the preset {info.preset}.\n"
        f"On {metrics['photos']:,} photos that it had not seen: CIEDE2000 {ours['delta_e2000_mean']:.2f} (all gray "
        f"{gray['delta_e2000_mean']:.2f}), colourfulness {ours['colourfulness_ratio']:.2f} of the truth's.\n"
        f"Its card, with data, recipe, figures and limits: {bundle / 'README.md'}\n"
        f"To train it anew at the commit above: make starter PHOTOS=folder"
    )
