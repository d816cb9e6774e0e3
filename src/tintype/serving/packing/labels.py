"""The labels that a Bento carries: its lineage, for those who have the Bento and no registry."""

from __future__ import annotations

from tintype.imaging.provenance import Lineage


def bento_labels(model: str, lineage: Lineage, commit: str) -> dict[str, str]:
    """Labels as `bentoml get` shows them; what is not known is left out.

    Parameters
    ----------
    model : str
        The model's tag in BentoML's store.
    lineage : Lineage
        Of the version inside.
    commit : str
        Of the source that serves; empty if it is not known. The model was trained by another one,
        `model_git_commit`.

    Returns
    -------
    dict of str to str
    """
    labels = {
        "model": model.replace(":", "-"),
        "git_commit": commit,
        "model_version": f"{lineage.name}/{lineage.version}" if lineage.version else "",
        "model_run_id": lineage.run_id,
        "model_git_commit": lineage.git_commit,
        "bundle_sha256": lineage.bundle_sha256,
        "dvc_lock_sha256": lineage.dvc_lock_sha256,
        "manifest_sha256": lineage.manifest_sha256,
    }
    return {name: value for name, value in labels.items() if value}
