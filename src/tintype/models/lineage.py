"""The lineage of a bundle without asking a registry, and the story of the one that comes along."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from tintype.errors import TintypeError
from tintype.imaging.provenance import Lineage
from tintype.models.bundle import BundleInfo, bundle_digest, read_info
from tintype.models.starter import (
    BUNDLE,
    FOLDER,
    METRICS_FILE,
    ORIGIN_FILE,
    VERSION,
    starter_bundle,
    starter_origin,
)


def unregistered_lineage(info: BundleInfo) -> Lineage:
    """What a bundle says of itself.

    Parameters
    ----------
    info : BundleInfo
        As `tintype.models.bundle.read_info` gives it.

    Returns
    -------
    Lineage
        Name, digest and training data; no version, run or code, which only a registry knows.
    """
    return Lineage(info.name, bundle_sha256=bundle_digest(info), manifest_sha256=info.data.manifest_sha256)


def starter_lineage(folder: Path | None = None) -> Lineage:
    """Where the starter comes from.

    Parameters
    ----------
    folder : Path, optional
        As `starter_bundle` takes it.

    Returns
    -------
    Lineage
        `VERSION` as its version; without commit and pipeline state if origin.json does not tell them.

    Raises
    ------
    StarterError
        If there is no starter.
    BundleError
        If its files are not whole.
    """
    info = read_info(starter_bundle(folder))
    lineage = Lineage(info.name, VERSION, bundle_digest(info), manifest_sha256=info.data.manifest_sha256)
    return replace(lineage, **starter_origin(folder))


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
