"""The lineage of a bundle without asking a registry."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tintype.imaging.provenance import Lineage
from tintype.models.bundle import BundleInfo, bundle_digest, read_info
from tintype.models.starter import VERSION, starter_bundle, starter_origin


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
