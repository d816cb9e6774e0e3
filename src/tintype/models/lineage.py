"""The lineage of a bundle without asking a registry."""

from __future__ import annotations

from tintype.imaging.provenance import Lineage
from tintype.models.bundle import BundleInfo, bundle_digest


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
