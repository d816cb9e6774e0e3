"""What a Bento says of its version: labels for programs, and a page for people who have the Bento and no registry."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from tintype.imaging.provenance import Lineage
from tintype.models.bundle import CARD_FILE

_FACTS = {
    "name": "Model",
    "version": "Version",
    "bundle_sha256": "Bundle, SHA-256",
    "run_id": "MLflow run",
    "git_commit": "Git commit of its training",
    "dvc_lock_sha256": "dvc.lock, SHA-256",
    "manifest_sha256": "Training data's manifest, SHA-256",
}


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


def bento_readme(bundle: Path, lineage: Lineage, judgement: str) -> str:
    """What is inside, where it comes from and how well it colours.

    Parameters
    ----------
    bundle : Path
        With its model card.
    lineage : Lineage
        Of the bundle.
    judgement : str
        The registry's description of the version, in Markdown, with its metrics; empty if there is none.

    Returns
    -------
    str
        Markdown.
    """
    facts = "\n".join(
        f"| {_FACTS[name]} | `{value}` |"
        for name, value in asdict(lineage).items()
        if value and name in _FACTS
    )
    title = f"version {lineage.version}" if lineage.version else "a bundle that was never registered"
    return f"""# Tintype: {title}

Photo in, coloured photo out: `POST /colorize`. The page is at `/`, the interface's description at `/docs.json`.

| | |
|---|---|
{facts}

## How well it colours

{_without_links(judgement) or "It was not judged: only versions of the registry are."}

{_one_deeper((bundle / CARD_FILE).read_text(encoding="utf-8"))}"""


def _without_links(judgement: str) -> str:
    """Without the lines that link into MLflow's pages, which lead nowhere from here."""
    return "\n".join(line for line in judgement.splitlines() if "](#/" not in line).strip()


def _one_deeper(markdown: str) -> str:
    return "\n".join(f"#{line}" if line.startswith("#") else line for line in markdown.splitlines()) + "\n"
