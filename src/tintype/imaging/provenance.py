"""Where a photo's colours come from: what is written into every coloured file.

`Lineage` names the model, the same for all photos that it colours; `Provenance` adds the photo's own facts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Lineage:
    """Which model, and what it was made from. A fact that is not known is an empty string.

    Attributes
    ----------
    name : str
        Of the registered model, such as ``"tintype"``.
    version : str
        In the registry, such as ``"3"``; empty for a bundle that was never registered.
    bundle_sha256 : str
        Digest of the bundle, which finds its version in any registry.
    run_id : str
        The MLflow run that trained it.
    git_commit, dvc_lock_sha256, manifest_sha256 : str
        Code, pipeline state and training data it was made from.
    """

    name: str
    version: str = ""
    bundle_sha256: str = ""
    run_id: str = ""
    git_commit: str = ""
    dvc_lock_sha256: str = ""
    manifest_sha256: str = ""


@dataclass(frozen=True)
class Provenance:
    """How one file came by its colours.

    Attributes
    ----------
    lineage : Lineage
        The model.
    input_sha256 : str
        SHA-256 of the file that was coloured, byte for byte as it came.
    parameters : mapping of str to str
        What was chosen, such as ``{"saturation": "1"}``.
    """

    lineage: Lineage
    input_sha256: str
    parameters: Mapping[str, str] = field(default_factory=dict)
